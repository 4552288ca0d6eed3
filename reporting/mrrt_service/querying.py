"""RAD-105: templates by what their heads say."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from accounts.models import User
from reporting.models import TemplateVersion
from reporting.mrrt import Unusable, read
from reporting.mrrt.document import Document
from reporting.templating.rights import may_manage, templates_for
from reporting.templating.storing import identifier_of, status_of

logger = logging.getLogger(__name__)

PARAMETERS = (
    *("title", "identifier", "type", "language", "status", "description", "publisher", "creator", "contributor"),
    *("rights", "license", "date", "subject", "modality", "body_part", "code", "top_level", "organization"),
)
LIMIT, MOST = 100, 1000
TYPE = "IMAGE_REPORT_TEMPLATE"


class BadQuestion(ValueError):
    """A parameter that means nothing, or not this."""


@dataclass(frozen=True, slots=True)
class Question:
    """Parameters by name, in small letters, and which part of the answers is wanted."""

    asked: Mapping[str, str]
    limit: int = LIMIT
    offset: int = 0


def question_of(parameters: Mapping[str, str]) -> Question:
    """Names may be written with "dcterms." before them and in any letters. Raises BadQuestion."""
    asked: dict[str, str] = {}
    for name, value in parameters.items():
        plain = name.lower().removeprefix("dcterms.").replace("-", "_")
        if plain in ("limit", "offset", "format"):
            continue
        if plain not in PARAMETERS:
            raise BadQuestion(f"{name[:40]}: one of {', '.join(PARAMETERS)}, limit, offset is expected")
        if value.strip():
            asked[plain] = value.strip()[:300]
    return Question(asked, _number(parameters, "limit", LIMIT, MOST), _number(parameters, "offset", 0, 10**6))


def _number(parameters: Mapping[str, str], name: str, default: int, most: int) -> int:
    said = parameters.get(name, "")
    if not said:
        return default
    if not (said.isascii() and said.isdigit() and len(said) < 8):
        raise BadQuestion(f"{name}: a whole number is expected")
    return min(int(said), most)


def visible_versions(user: User) -> list[TemplateVersion]:
    """Versions in use; who manages a template sees its drafts and earlier versions too."""
    found: list[TemplateVersion] = []
    for template in templates_for(user).select_related("organization", "active_version").order_by("title", "pk"):
        if may_manage(user, template.organization):
            held = list(template.versions.order_by("number"))
        else:
            held = [template.active_version] if template.active_version is not None else []
        for version in held:
            version.template = template
        found += held
    return found


def answers(user: User, question: Question) -> tuple[list[dict[str, Any]], int]:
    """(what is told of the templates that suit, how many suit in all). One that cannot be read suits no question."""
    rows = (row for version in visible_versions(user) if (row := _told_if_usable(version)) is not None)
    suited = [row for row in rows if _suits(row, question.asked)]
    return suited[question.offset : question.offset + question.limit], len(suited)


def _told_if_usable(version: TemplateVersion) -> dict[str, Any] | None:
    try:
        return told(version)
    except Unusable as problem:
        logger.error("version %s of template %s is left out: %s", version.number, version.template_id, problem)
        return None


def told(version: TemplateVersion) -> dict[str, Any]:
    """What a list says of one version."""
    document = document_of(version.html)
    head = dict(reversed(document.metadata))
    organization = version.template.organization
    return {
        "identifier": identifier_of(version),
        "title": version.title,
        "type": TYPE,
        "language": version.language,
        "status": status_of(version),
        "version": version.number,
        "organization": organization.name if organization else None,
        "sha256": version.sha256,
        "top_level": document.top_level,
        **{name: head.get(name, "") for name in ("description", "publisher", "creator", "rights", "license", "date")},
        **{name: [value for key, value in document.metadata if key == name] for name in ("contributor", "subject")},
        "terms": [
            {"type": term.type, "value": term.code.value, "scheme": term.code.scheme, "meaning": term.code.meaning}
            for term in document.terms
        ],
    }


@lru_cache(maxsize=512)
def document_of(html: str) -> Document:
    """What the HTML of a version means; versions never change."""
    return read(html).document


def _suits(row: Mapping[str, Any], asked: Mapping[str, str]) -> bool:
    return all(_answers_to(row, name, wanted.casefold()) for name, wanted in asked.items())


EXACT = frozenset({"identifier", "type", "status", "organization"})


def _answers_to(row: Mapping[str, Any], name: str, wanted: str) -> bool:
    if name in ("modality", "body_part", "code"):
        return any(wanted in (one["value"].casefold(), one["meaning"].casefold()) for one in _terms(row, name))
    if name == "top_level":
        return str(row[name]).casefold() == wanted
    if name == "language":
        said = row[name].casefold()
        return bool(said == wanted or said.startswith(f"{wanted}-"))
    values = row[name] if isinstance(row[name], list) else [row[name] or ""]
    return any(wanted == one.casefold() if name in EXACT else wanted in one.casefold() for one in values)


def _terms(row: Mapping[str, Any], name: str) -> Iterable[Mapping[str, str]]:
    kinds = {"modality": ("modality",), "body_part": ("body part", "body-part", "bodypart", "anatomy")}
    return [one for one in row["terms"] if name not in kinds or one["type"] in kinds[name]]
