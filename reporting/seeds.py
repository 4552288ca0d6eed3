"""Templates that come with Farview. Brought up to date after every migration; what an administrator put in use stays so."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.utils import timezone

from reporting.models import Template, TemplateEvent, TemplateVersion

FREE_TEXT = "free-text"
"""Identifier of the template that always exists: findings and impression, nothing else required."""
FARVIEW = "Farview"
"""Author of what came with it."""


def _section(name: str, title: str, code: tuple[str, str], required: bool) -> dict[str, Any]:
    return {
        **{"id": name, "title": title, "level": 1, "required": required},
        "code": {"value": code[0], "scheme": "LN", "meaning": code[1]},
        "fields": [
            {
                **{"id": name, "type": "textarea", "label": title, "default": "", "required": required},
                **{"completion": "PROHIBIT" if required else "NONE", "units": "", "minimum": None, "maximum": None},
                **{"step": None, "multiple": False, "options": [], "suggestions": [], "merge": "", "show_if": None},
                **{"codes": [], "spoken": title.lower()},
            }
        ],
    }


FREE_TEXT_SCHEMA: dict[str, Any] = {
    "title": "Free text",
    "language": "en",
    "sections": [
        _section("clinical_information", "Clinical information", ("55752-0", "Clinical information"), False),
        _section("comparison", "Comparison", ("18834-2", "Comparison"), False),
        _section("findings", "Findings", ("59776-5", "Findings"), True),
        _section("impression", "Impression", ("19005-8", "Impression"), True),
    ],
}


def seed(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Make the built-in templates that are missing."""
    if TemplateEvent._meta.db_table not in connections[using].introspection.table_names():
        return  # a database on its way back to an older version
    if Template.objects.filter(organization=None, identifier=FREE_TEXT).exists():
        return
    html = "<!DOCTYPE html><html><head><title>Free text</title></head><body></body></html>"
    now = timezone.now()
    with transaction.atomic():
        template = Template.objects.create(identifier=FREE_TEXT, title="Free text", built_in=True)
        version = TemplateVersion.objects.create(
            template=template,
            number=1,
            title="Free text",
            html=html,
            schema=FREE_TEXT_SCHEMA,
            sha256=hashlib.sha256(html.encode()).hexdigest(),
            author_name=FARVIEW,
            created_at=now,
        )
        TemplateEvent.objects.create(template=template, version=version, kind="activated", at=now, actor_name=FARVIEW)
        template.active_version = version
        template.save(update_fields=["active_version"])
