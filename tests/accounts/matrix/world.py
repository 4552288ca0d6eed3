"""A study with everything that hangs on one, and everybody who might knock: made once, asked thousands of times."""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pydicom
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.authentication import issue
from accounts.models import ApiToken, Membership, Organization, Role, ShareLink, User
from reporting.models import (
    CriticalResult,
    Evidence,
    Macro,
    Order,
    ReadingItem,
    Report,
    ReportVersion,
    SavedFilter,
    Template,
    TemplateVersion,
)
from tests.accounts.matrix.objects import objects_of
from viewer.archive.ingest import ingest
from viewer.archive.rows import Sender
from viewer.archive.sources import walk
from viewer.models import (
    Blob,
    Correction,
    DicomPeer,
    EmergencyAccess,
    Grant,
    Instance,
    KeyImage,
    Measurement,
    Patient,
    Series,
    Study,
    Transfer,
)

HEAD = "series/ct_head_gantry_tilt_ge_jpll"
PATIENT_ID, NAME, ACCESSION = "PID-7701", "Geheim^Anna", "ACC-7701"
WORDS = "Geheimer Befund"
"""Stands in every text that belongs to the study."""
NUMBER, GHOST_NUMBER = 7_700_001, 7_700_999
"""Rows whose numbers stand in addresses: long enough to be told from any other number."""
REPORT_UID, GHOST_REPORT_UID = uuid.UUID(int=77_000_001), uuid.UUID(int=77_000_999)


def in_a_folder_of_its_own(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Whose disk is never too full."""
    for name, value in (
        ("FARVIEW_DATA_DIR", folder),
        ("FARVIEW_KEYS_DIR", folder / "keys"),
        ("FARVIEW_BLOB_DIR", folder / "blob"),
        ("FARVIEW_MIN_FREE_BYTES", 0),
        ("FARVIEW_MIN_FREE_FRACTION", 0.0),
    ):
        patch.setattr(settings, name, value)
    (folder / "blob").mkdir()


def one_connection(patch: pytest.MonkeyPatch) -> None:
    """What asynchronous doors ask the database in threads of their own is asked in the test's: only there its transaction is
    seen, and a door that sees nothing leaks nothing."""
    patch.setattr("viewer.serving.database.database_sync_to_async", lambda work, thread_sensitive: sync_to_async(work))


@dataclass
class World:
    """What there is, by the names under which addresses and bodies ask for it; and what there is not."""

    real: dict[str, str] = field(default_factory=dict)
    ghost: dict[str, str] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of each person of PEOPLE, as a request bears them."""
    users: dict[str, User] = field(default_factory=dict)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no answer may hold that is not for its reader."""
        names = ("study_instance_uid", "series_instance_uid", "sop_instance_uid", "patient_id", "accession_number")
        return (*(self.real[name] for name in names), "Geheim", WORDS, str(REPORT_UID))

    def both(self, name: str, real: object, ghost: object) -> None:
        self.real[name], self.ghost[name] = str(real), str(ghost)


def build(shared_data: Path) -> World:
    """Within one transaction."""
    world = World()
    home = Organization.objects.create(name="home", title="Home")
    away = Organization.objects.create(name="away", title="Away")
    _people(world, home, away)
    study = _study(world, home, shared_data)
    _marks(world, study)
    _reports(world, study)
    _network(world, study)
    other = Study.objects.create(organization=home, patient=_patient(home, "PID-2"), study_instance_uid="2.25.7702")
    _guest(world, study, "guest_expired", expires=-1)
    _guest(world, study, "guest_revoked", active=False)
    _guest(world, other, "guest_elsewhere")
    for who in PEOPLE:
        world.headers[who] = PEOPLE[who](world)
    _after(world)
    return world


def _people(world: World, home: Organization, away: Organization) -> None:
    for name, where, *roles in (
        ("stranger", away, Role.RADIOLOGIST, Role.TECHNOLOGIST),
        ("stranger_admin", away, Role.ADMIN),
        ("referrer", home, Role.REFERRER),
        ("admin", home, Role.ADMIN),
        ("technologist", home, Role.TECHNOLOGIST),
        ("resident", home, Role.RESIDENT),
        ("radiologist", home, Role.RADIOLOGIST),
        ("disabled", home, Role.RADIOLOGIST, Role.ADMIN),
        ("tokens", home, Role.RADIOLOGIST, Role.ADMIN),
        ("everything", home, Role.RADIOLOGIST, Role.TECHNOLOGIST, Role.ADMIN),
    ):
        user = world.users[name] = User.objects.create_user(name)
        for role in roles:
            Membership.objects.create(user=user, organization=where, role=role)
    world.users["member_of_nothing"] = User.objects.create_user("member_of_nothing")


def _patient(home: Organization, patient_id: str) -> Patient:
    return Patient.objects.create(organization=home, patient_id=patient_id, name="Other^One")


def _study(world: World, home: Organization, shared_data: Path) -> Study:
    """Two images of a real head CT, under a name to look for, and an object of every kind."""
    files = sorted((shared_data / HEAD).glob("*.dcm"))[:2]
    with tempfile.TemporaryDirectory() as folder:
        image = pydicom.dcmread(files[0], stop_before_pixels=True)
        objects = objects_of(image, shared_data, Path(folder), WORDS)
        sources = [one for file in (*files, *objects.values()) for one in walk(file)]
        told = list(ingest(sources, Sender(home, "technologist", "upload")))
        uids = {kind: pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for kind, path in objects.items()}
    assert {one.outcome for one in told} == {"stored"}, told
    study = Study.objects.get()
    Patient.objects.update(patient_id=PATIENT_ID, name=NAME, name_folded="geheim anna")
    Study.objects.update(  # the names of the world stand over those of the files: nothing disagrees in it
        warnings=[],
        patient_name=NAME,
        accession_number=ACCESSION,
        description=WORDS,
        description_folded=WORDS.casefold(),
    )
    study.refresh_from_db()
    series = Series.objects.get(modality="CT")
    instance = Instance.objects.filter(series=series).order_by("pk")[0]
    world.both("study_instance_uid", study.study_instance_uid, "2.25.999901")
    world.both("series_instance_uid", series.series_instance_uid, "2.25.999902")
    world.both("sop_instance_uid", instance.sop_instance_uid, "2.25.999903")
    for number, (kind, uid) in enumerate(uids.items()):
        world.both(kind, uid, f"2.25.99990{4 + number}")
    world.both("patient_id", PATIENT_ID, "PID-9909")
    world.both("accession_number", ACCESSION, "ACC-9909")
    world.both("patient_key", study.patient_id, 999_999)
    world.both("study_key", study.pk, 999_999)
    return study


def _marks(world: World, study: Study) -> None:
    shared = {
        "organization": study.organization,
        "study": study,
        "series_instance_uid": world.real["series_instance_uid"],
        "view": {},
        "author": world.users["radiologist"],
    }
    Measurement.objects.create(uid="2.25.7711", kind="length", label=WORDS, points=[], **shared)
    KeyImage.objects.create(
        uid="2.25.7711", renderer="1", series_version="1", rows=1, columns=1, sha256="0" * 64, note=WORDS, **shared
    )
    world.both("uid", "2.25.7711", "2.25.999911")
    Correction.objects.create(
        pk=NUMBER,
        organization=study.organization,
        kind="patient",
        study=study,
        patient=study.patient,
        reason=WORDS,
        actor=world.users["technologist"],
        at=timezone.now(),
    )
    EmergencyAccess.objects.create(
        organization=study.organization,
        study=study,
        user=world.users["admin"],
        reason="Ended long ago",
        until=timezone.now() - timedelta(days=1),
    )


def _reports(world: World, study: Study) -> None:
    home, author = study.organization, world.users["radiologist"]
    template = Template.objects.create(organization=home, identifier="geheime-vorlage", title=WORDS)
    version = TemplateVersion.objects.create(
        template=template,
        number=1,
        title=WORDS,
        html=TemplateVersion.objects.order_by("pk")[0].html.replace("<title>", f"<title>{WORDS} "),
        schema={"title": WORDS, "language": "en", "sections": []},
        sha256=hashlib.sha256(b"").hexdigest(),
        created_at=datetime.now(UTC),
    )
    Template.objects.filter(pk=template.pk).update(active_version=version)
    world.both("identifier", "geheime-vorlage", "keine-vorlage")
    Macro.objects.create(pk=NUMBER, organization=home, shortcut="geheim", text=WORDS)
    SavedFilter.objects.create(pk=NUMBER, owner=author, name=WORDS)
    order = Order.objects.create(
        pk=NUMBER,
        organization=home,
        patient=study.patient,
        accession_number=ACCESSION,
        patient_name=NAME,
        procedure_text=WORDS,
        study_instance_uid=study.study_instance_uid,
    )
    ReadingItem.objects.filter(study=study).delete()
    item = ReadingItem.objects.create(
        pk=NUMBER, organization=home, order=order, study=study, status="ready", ready_at=timezone.now()
    )
    report = Report.objects.create(
        pk=NUMBER,
        uid=REPORT_UID,
        organization=home,
        study=study,
        item=item,
        order=order,
        state="final",
        template_version=version,
        version=1,
        signed_version=1,
        author=author,
    )
    Report.objects.create(
        pk=NUMBER + 1, organization=home, study=study, state="draft", template_version=version, author=author
    )
    signed = ReportVersion.objects.create(
        sequence=1,
        report=report,
        number=1,
        kind="final",
        meaning="author",
        state="final",
        content={"sections": [], "text": WORDS},
        template_version=version,
        author=author,
        author_username=author.username,
        author_name="",
        at=timezone.now(),
        previous_mac="0",
        mac="0",
    )
    Evidence.objects.create(
        report_version=signed,
        position=1,
        kind="key_image",
        uid="2.25.7711",
        caption=WORDS,
        series_instance_uid=world.real["series_instance_uid"],
        view={},
        renderer="1",
        series_version="1",
        rows=1,
        columns=1,
        sha256="0" * 64,
        picture=Blob.objects.first(),
    )
    CriticalResult.objects.create(
        pk=NUMBER,
        report=report,
        finding=WORDS,
        category="red",
        found_at=timezone.now(),
        caller=author,
        due_at=timezone.now(),
    )
    for name in ("report_id", "order_id", "item_id", "result_id", "macro_id", "filter_id"):
        world.both(name, NUMBER, GHOST_NUMBER)
    world.both("report_uid", REPORT_UID, GHOST_REPORT_UID)


def _network(world: World, study: Study) -> None:
    peer = DicomPeer.objects.create(pk=NUMBER, organization=study.organization, ae_title="GEHEIM", host="10.0.0.9")
    Transfer.objects.create(
        pk=NUMBER,
        organization=study.organization,
        peer=peer,
        kind="send",
        study_instance_uid=study.study_instance_uid,
        next_try_at=timezone.now(),
        asked_by=world.users["radiologist"],
    )
    for name in ("peer", "transfer", "correction", "link", "pk", "token"):
        world.both(name, NUMBER, GHOST_NUMBER)


def _guest(world: World, study: Study, name: str, *, expires: int = 1, active: bool = True) -> None:
    """Somebody who came by a share link, as rows."""
    guest = world.users[name] = User.objects.create_user(f"share-{name}")
    Membership.objects.create(user=guest, organization=study.organization, role=Role.GUEST)
    until = timezone.now() + timedelta(days=expires)
    Grant.objects.create(study=study, user=guest, reason=Grant.Reason.SHARE, until=until)
    ShareLink.objects.create(
        organization=study.organization,
        guest=guest,
        digest=hashlib.sha256(name.encode()).hexdigest(),
        scope="report" if name != "guest_elsewhere" else "study",
        report=NUMBER,
        study_instance_uid=study.study_instance_uid,
        made_by=world.users["radiologist"],
        expires_at=until,
        revoked_at=None if active else timezone.now(),
        **({"pk": NUMBER} if name == "guest_expired" else {}),
    )


def _after(world: World) -> None:
    """What happens once everybody has come in."""
    ApiToken.objects.filter(name="expired").update(expires_at=timezone.now() - timedelta(minutes=1))
    ApiToken.objects.filter(name="revoked").update(revoked_at=timezone.now())
    gone = User.objects.filter(username__in=["disabled", "share-guest_revoked"])
    gone.update(is_active=False)
    Grant.objects.filter(user__in=gone).update(until=timezone.now())


# --- everybody who knocks


def _cookie(name: str) -> Callable[[World], dict[str, str]]:
    def headers(world: World) -> dict[str, str]:
        client = Client()
        client.force_login(world.users[name])
        return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}

    return headers


def _token(name: str, label: str = "") -> Callable[[World], dict[str, str]]:
    return lambda world: {"Authorization": f"Bearer {issue(world.users[name], label)}"}


PEOPLE: dict[str, Callable[[World], dict[str, str]]] = {
    "nobody": lambda world: {},
    "stranger": _cookie("stranger"),
    "stranger_by_token": _token("stranger"),
    "stranger_admin": _cookie("stranger_admin"),
    "member_of_nothing": _cookie("member_of_nothing"),
    "referrer": _cookie("referrer"),
    "admin": _token("admin"),
    "technologist": _token("technologist"),
    "resident": _token("resident"),
    "radiologist": _token("radiologist"),
    "disabled": _cookie("disabled"),
    "expired_token": _token("tokens", "expired"),
    "revoked_token": _token("tokens", "revoked"),
    "guest_expired": _cookie("guest_expired"),
    "guest_revoked": _cookie("guest_revoked"),
    "guest_elsewhere": _cookie("guest_elsewhere"),
}
READERS = ("technologist", "resident", "radiologist")
"""They see the study by their role; of doors that are not for their role they must not learn anything either."""
OWNER = "everything"
"""Holds every role at the study's organization: what the doors tell them shows that there was something to leak."""
