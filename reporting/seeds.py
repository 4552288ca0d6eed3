"""Templates that come with Farview, and for which examinations. Brought up to date after every migration: a file that
has changed is a new version, in use where the one before it was. What an administrator wrote, put in use, retired or
unset stays so.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from reporting.models import Template, TemplateChoice, TemplateEvent
from reporting.mrrt import Read, read
from reporting.templating.storing import add_version, event

FREE_TEXT = "free-text"
"""Identifier of the template that always exists: findings and impression, nothing else required."""
FARVIEW = "Farview (built in)"
"""Author of what came with it; no name that a person can have."""
FOLDER = Path(__file__).parent / "seeds"


@cache
def shipped() -> Mapping[str, tuple[str, Read]]:
    """Identifier -> the file's text and what it means."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.html"))]
    return {found.identifier: (text, found) for text in texts for found in [read(text)]}


def seed(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Make what is missing, bring up to date what has changed."""
    columns = _columns_of(TemplateChoice._meta.db_table, using)
    if not {field.column for field in TemplateChoice._meta.concrete_fields} <= columns:
        return  # a database on its way to another version
    if not _columns_of(TemplateEvent._meta.db_table, using):
        return
    with transaction.atomic(using=using):
        held = {one.identifier: one for one in Template.objects.filter(organization=None)}
        for identifier, (source, found) in shipped().items():
            _bring_up_to_date(held.get(identifier), source, found)


def _columns_of(table: str, using: str) -> set[str]:
    connection = connections[using]
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return set()
        return {column.name for column in connection.introspection.get_table_description(cursor, table)}


def _bring_up_to_date(template: Template | None, source: str, found: Read) -> None:
    fresh = template is None
    if template is None:
        template = Template.objects.create(identifier=found.identifier, title=found.title, built_in=True)
    ours = template.versions.filter(author_name=FARVIEW).order_by("-number").first()
    if not template.built_in or (ours is not None and ours.source == source):
        return
    in_use = template.active_version
    version = add_version(template, found, source, FARVIEW, "Came with Farview.")
    if fresh or (template.retired_at is None and in_use is not None and in_use.author_name == FARVIEW):
        template.active_version, template.title = version, version.title
        template.save(update_fields=["active_version", "title"])
        event(version, "activated", FARVIEW)
    if fresh:
        chosen = CHOICES.get(found.identifier, ())
        TemplateChoice.objects.bulk_create(TemplateChoice(template=template, **asked) for asked in chosen)


_ANGIO_HEAD = "stroke*, schlaganfall*, angio* head, cta head, cta, perfusion, thrombectomy, lvo"
_EMBOLISM = "embol*, ctpa, lungenembolie, pulm* angio*, pe protocol, lae"
CHOICES: dict[str, tuple[dict[str, Any], ...]] = {
    "farview-ct-head": ({"modality": "CT", "body_part": "HEAD"},),
    "farview-ct-stroke": ({"modality": "CT", "body_part": "HEAD", "words": _ANGIO_HEAD},),
    "farview-ct-chest": ({"modality": "CT", "body_part": "CHEST"},),
    "farview-ct-pulmonary-embolism": ({"modality": "CT", "body_part": "CHEST", "words": _EMBOLISM},),
    "farview-ct-abdomen-pelvis": (
        {"modality": "CT", "body_part": "ABDOMEN"},
        {"modality": "CT", "body_part": "PELVIS"},
    ),
    "farview-mr-brain": ({"modality": "MR", "body_part": "HEAD"},),
    "farview-mr-lumbar-spine": (
        {"modality": "MR", "body_part": "SPINE", "words": "lumbar*, lws, lspine, l spine, lendenwirbel*, lumbosacr*"},
    ),
    "farview-mr-knee": ({"modality": "MR", "body_part": "KNEE"},),
    "farview-chest-radiograph": tuple({"modality": one, "body_part": "CHEST"} for one in ("CR", "DX", "RG")),
    "farview-bone-radiograph": tuple(
        {"modality": one, "body_part": part}
        for one in ("CR", "DX", "RG")
        for part in ("HAND", "ARM", "SHOULDER", "FOOT", "LEG", "KNEE", "HIP", "PELVIS", "SPINE")
    ),
    "farview-mammography": ({"modality": "MG"},),
    "farview-us-abdomen": ({"modality": "US", "body_part": "ABDOMEN"},),
    "farview-us-thyroid": (
        {"modality": "US", "body_part": "NECK"},
        {"modality": "US", "body_part": "NECK", "words": "thyr*, schilddruse*"},
    ),
    "farview-pet-ct": ({"modality": "PT"},),
}
"""Identifier -> for which examinations it is set, as fields of `TemplateChoice`."""
