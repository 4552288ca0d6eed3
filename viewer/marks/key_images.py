"""Key images: pictures that readers marked, kept as the View that draws them again and the digest that they had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from accounts import audit, states
from accounts.models import User
from accounts.origin import Request
from viewer.archive import outbox, rows
from viewer.archive.query import NotFound
from viewer.models import KeyImage, Study
from viewer.objects.header import new_uid

MOST = 500
"""Current key images of one study."""
NOTE = 1000
MEASUREMENTS = 200
NEWS = "key_images.changed"


class TooMany(ValueError):
    """The study has as many key images as it may."""


class Overtaken(Exception):
    """Somebody else was quicker; `current` is what there is now."""

    def __init__(self, current: KeyImage) -> None:
        super().__init__("its note was changed meanwhile")
        self.current = current


def of_study(study: Study) -> list[KeyImage]:
    """The current key images of a study, oldest first."""
    found = KeyImage.objects.filter(study=study, deleted_at=None).select_related("author").order_by("created_at", "id")
    return [_within(study, kept) for kept in found]


def of_uid(study: Study, uid: str) -> KeyImage:
    """A current key image. Raises NotFound."""
    found = KeyImage.objects.filter(study=study, uid=uid, deleted_at=None).select_related("author").first()
    if found is None:
        raise NotFound("there is no such key image")
    return _within(study, found)


def _within(study: Study, kept: KeyImage) -> KeyImage:
    """With the study at hand: nobody need ask the database for it again."""
    kept.study = study
    return kept


def keep(
    study: Study,
    user: User,
    header: Mapping[str, Any],
    *,
    note: str = "",
    measurements: Sequence[str] = (),
    request: Request | None = None,
) -> KeyImage:
    """Keep what was drawn; `header` is that of an exact picture (docs/protocol.md). Raises TooMany, DatabaseBusy."""
    view = header["view"]

    def write() -> KeyImage:
        kept: KeyImage
        if KeyImage.objects.filter(study=study, deleted_at=None).count() >= MOST:
            raise TooMany(f"a study has {MOST} key images at most")
        kept = KeyImage.objects.create(
            organization=study.organization,
            study=study,
            uid=new_uid(),
            series_instance_uid=view["series"],
            sop_instance_uid=view["sop_instance_uid"] or "",
            frame_number=view["frame_number"],
            view=view,
            renderer=header["renderer"],
            series_version=header["series_version"],
            rows=header["rows"],
            columns=header["columns"],
            sha256=header["sha256"],
            measurements=list(measurements),
            note=note,
            author=user,
            author_name=user.get_full_name() or user.get_username(),
        )
        _told(kept, "key_image.create", "", user, request)
        return kept

    return rows.patiently(write)


def note(study: Study, uid: str, version: int, text: str, user: User, request: Request | None = None) -> KeyImage:
    """Write another note beside a key image. Raises Overtaken where `version` is not the newest, NotFound, DatabaseBusy."""

    def write() -> KeyImage:
        KeyImage.objects.select_for_update().filter(study=study, uid=uid).first()
        kept = of_uid(study, uid)
        if kept.version != version:
            raise Overtaken(kept)
        before = states.digest_of_row(kept)
        kept.note, kept.version, kept.changed_at = text, version + 1, timezone.now()
        kept.save(update_fields=["note", "version", "changed_at"])
        _told(kept, "key_image.change", before, user, request)
        return kept

    return rows.patiently(write)


def drop(study: Study, uid: str, user: User, request: Request | None = None) -> KeyImage:
    """Take a key image off the list; its row stays. Raises NotFound, DatabaseBusy."""

    def write() -> KeyImage:
        kept = of_uid(study, uid)
        before = states.digest_of_row(kept)
        kept.deleted_at = timezone.now()
        kept.save(update_fields=["deleted_at"])
        _told(kept, "key_image.delete", before, user, request)
        return kept

    return rows.patiently(write)


def _told(kept: KeyImage, action: str, before: str, user: User, request: Request | None) -> None:
    """Audit and news, in the transaction of the change."""
    study = kept.study
    audit.record(
        action,
        actor=user,
        request=request,
        organization=study.organization.name,
        patient_id=study.patient.patient_id,
        study_instance_uid=study.study_instance_uid,
        object_uid=kept.uid,
        detail={
            "sha256": kept.sha256,
            "sop_instance_uid": kept.sop_instance_uid,
            **states.told(before, states.digest_of_row(kept)),
        },
    )
    outbox.announce(NEWS, study.organization, {"study_instance_uid": study.study_instance_uid, "uid": kept.uid})
