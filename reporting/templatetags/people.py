"""Names, days and sexes of patients in Django templates, written as static/text.js writes them."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext

from reporting.exports.written import day, person_name

register = template.Library()


@register.filter
def as_name(name: str) -> str:
    """A DICOM name as it is read."""
    return person_name(name or "", gettext("No name"))


@register.filter
def as_day(date: str) -> str:
    """20240131 as 2024-01-31."""
    return day(date or "")


@register.filter
def as_sex(sex: str) -> str:
    """Patient's Sex as a word."""
    return {"M": gettext("male"), "F": gettext("female"), "O": gettext("other")}.get((sex or "").strip(), "")
