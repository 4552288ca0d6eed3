"""People and reports by the names that are printed."""

from __future__ import annotations

from accounts.models import User
from reporting.models import Report, TemplateVersion
from reporting.seeds import FREE_TEXT

ROLES = ("radiologist", "resident", "admin", "technologist", "referrer")


def name_of(user: User) -> str:
    return str(user.get_full_name() or user.get_username())


def roles_in(user: User, report: Report) -> set[str]:
    """The roles that `user` holds in the report's organization."""
    return set(user.roles().get(report.organization_id, ()))


def role_of(user: User, report: Report) -> str:
    """The role under a signature: of several the one that reads with most right."""
    held = roles_in(user, report)
    return next((role for role in ROLES if role in held), "")


def title_of(report: Report, version: TemplateVersion, examined: str = "") -> str:
    """What a report is called: by its template, or by what was examined where the template suits everything. `examined`: as a
    signature states it; empty: as it is called today."""
    if version.template.identifier != FREE_TEXT:
        return version.title
    ordered = report.order.procedure_text if report.order else ""
    return " ".join((examined or ordered or report.study.description).split()) or version.title


def person_name(text: str) -> str:
    """A name of DICOM (PS3.5 6.2.1.2) as people read it: prefix, given, middle, family, suffix of its first group."""
    group = next((part for part in text.split("=") if part.strip("^ ")), "")
    parts = [" ".join(part.split()) for part in (*group.split("^"), "", "", "", "", "")][:5]
    family, given, middle, prefix, suffix = parts
    read = " ".join(part for part in (prefix, given, middle, family) if part)
    return f"{read}, {suffix}" if suffix else read
