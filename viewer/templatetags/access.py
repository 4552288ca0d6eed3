"""`{% unreviewed_emergencies %}`: how many emergency accesses nobody has looked at, for administration's front page."""

from __future__ import annotations

from typing import Any

from django import template

from accounts.admin import administered
from viewer.archive import emergency

register = template.Library()


@register.simple_tag(takes_context=True)
def unreviewed_emergencies(context: dict[str, Any]) -> int:
    return emergency.unreviewed(administered(context["request"]))
