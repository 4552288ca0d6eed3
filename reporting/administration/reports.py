"""Reports for administrators: where they stand and who signed what, by number. What they say is for those who read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join

from accounts.admin import Managed, administered
from reporting.models import Report
from reporting.workflow import locking, moves
from reporting.workflow.naming import name_of
from reporting.workflow.refusals import Refused


class WithReason(ActionForm):
    """Cancelling asks why."""

    reason = forms.CharField(required=False, max_length=1000, label="Reason (to cancel)")


@admin.register(Report)
class ReportAdmin(Managed):
    """To look at, and to cancel what was begun by mistake."""

    list_display = ("id", "number", "state", "signed_version", "author", "updated_at")
    list_filter = ("state",)
    search_fields = ("=id", "=study__accession_number", "=order__accession_number", "=study__study_instance_uid")
    search_help_text = "Exact: a report's number, an accession number, a Study Instance UID"
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    fields = readonly_fields = (
        *("organization", "number", "study_instance_uid", "state", "version", "signed_version", "template"),
        *("author", "writer", "discrepancy", "created_at", "updated_at", "uid", "steps"),
    )
    action_form = WithReason
    actions = ("cancel",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        mine = super().get_queryset(request).filter(organization__in=administered(request))
        related = ("organization", "study__patient", "order__patient", "author", "locked_by", "template_version")
        return mine.select_related(*related)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    has_change_permission = has_add_permission

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    @admin.display(description="accession number")
    def number(self, report: Report) -> str:
        return report.study.accession_number or (report.order.accession_number if report.order else "")

    @admin.display(description="study instance UID")
    def study_instance_uid(self, report: Report) -> str:
        return report.study.study_instance_uid

    @admin.display(description="template")
    def template(self, report: Report) -> str:
        return str(report.template_version)

    @admin.display(description="written by")
    def writer(self, report: Report) -> str:
        return name_of(report.locked_by) if report.locked_by and locking.live(report) else ""

    @admin.display(description="steps")
    def steps(self, report: Report) -> str:
        """Who did what when, and its place in the chain. Saves are left out, and so are reasons: people write about patients
        there."""
        rows = report.versions.exclude(kind="save").order_by("number")
        told = (
            (
                one.number,
                one.kind.replace("_", " "),
                f"{one.author_name}{f', {one.author_role}' if one.author_role else ''}",
                f"{timezone.localtime(one.at):%Y-%m-%d %H:%M:%S %Z}",
                one.mac,
            )
            for one in rows
        )
        return format_html_join("", "<p>{}: {} by {}, {}<br><small>{}</small></p>", told) or "none yet"

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        reason, done = request.POST.get("reason", "").strip(), 0
        for report in queryset:
            try:
                moves.cancel(report, request.user, reason, request)
                done += 1
            except Refused as refused:
                self.message_user(request, f"{report.pk}: {refused.detail}", level=messages.ERROR)
        if done:
            self.message_user(request, f"{done} cancelled.")
