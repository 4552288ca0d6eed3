"""Which template a report begins with, and why this one."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import User
from reporting.models import Order, Template, TemplateVersion
from reporting.seeds import FREE_TEXT
from viewer.models import Study


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen version, why in words, and what else may be taken, the best first."""

    template_version: TemplateVersion
    why: str
    others: tuple[TemplateVersion, ...] = ()


def choose(user: User, study: Study, order: Order | None) -> Choice:
    """The template of a new report. There always is one: free text."""
    free_text = Template.objects.filter(organization=None, identifier=FREE_TEXT)
    version = TemplateVersion.objects.get(pk__in=free_text.values("active_version"))
    return Choice(version, "No template is set for this examination.")
