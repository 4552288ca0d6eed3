"""What a reader wants to begin with: their own choice for a kind of examination."""

from __future__ import annotations

from accounts import audit
from accounts.models import User
from accounts.origin import Request
from reporting.models import Order, Template, TemplateChoice
from reporting.worklist.choosing import Examination, examination_of
from viewer.archive import rows
from viewer.models import Study

MOST = 200
"""Defaults of one reader."""


class TooMany(ValueError):
    """A reader has as many defaults as anybody needs."""


def kind_of(study: Study, order: Order | None) -> tuple[str, str]:
    """(modality, part of the body) of an examination, as a default is kept for it; the part may be unknown."""
    about: Examination = examination_of(study, order)
    ordered = order.modality if order and order.modality in about.modalities else ""
    first = next((one for one in ("PT", "NM", "MG") if one in about.modalities), "")
    modality = ordered or first or min(about.modalities, default="")
    return modality, min(about.said or about.regions, default="").upper()


def keep(user: User, template: Template | None, modality: str, body_part: str, request: Request | None = None) -> None:
    """Begin examinations of this kind with `template`; None forgets what was kept for it. Raises TooMany."""

    def work() -> None:
        own = TemplateChoice.objects.filter(reader=user)
        of_kind = own.filter(modality=modality, body_part=body_part, procedure_code="", words="")
        of_kind.delete()
        if template is not None:
            if own.count() >= MOST:
                raise TooMany(f"you have {MOST} defaults; forget one first")
            TemplateChoice.objects.create(reader=user, template=template, modality=modality, body_part=body_part)
        audit.record(
            "template.default",
            actor=user,
            request=request,
            detail={
                "template": template.identifier if template else None,
                "modality": modality,
                "body_part": body_part,
            },
        )

    rows.patiently(work)
