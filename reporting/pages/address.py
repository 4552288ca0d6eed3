"""Where the report of a study is read or written, for whoever asks."""

from __future__ import annotations

from django.urls import reverse

from accounts.models import User
from reporting.models import Report
from reporting.visibility import may_write, visible_reports
from viewer.models import Study


def address_of(user: User, study: Study) -> str:
    """Of the newest report that they may see; empty where there is none."""
    found: Report | None = visible_reports(user).filter(study=study).order_by("-pk").first()
    if found is None:
        return ""
    return reverse("report" if may_write(user, found) else "result", args=[found.pk])
