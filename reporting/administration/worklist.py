"""Orders, reading items, what a site decides, and referring physicians: for administrators, without a patient's name in sight.

Whoever also reads in an organization works in the worklist itself; here an item is known by its numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join

from accounts.admin import Managed, OfOrganization, administered
from accounts.models import REPORTING_ROLES, Organization, Role, User
from accounts.policy import administers
from reporting.models import Order, ReadingItem, ReferrerIdentity, ReportingSite
from reporting.worklist import acts, claiming, grants, orders
from reporting.worklist.classes import MOST_MINUTES, TARGETS
from reporting.worklist.events import shown
from reporting.worklist.refusals import BadOrder, Refused

READERS_OFFERED = 60
CATEGORIES = ("minutes", "hours", "days")
"""Of critical results."""


class WithReason(ActionForm):
    """Acts that have to be accounted for ask why."""

    reason = forms.CharField(required=False, max_length=1000, label="Reason (to cancel or to free)")


class Watched(Managed):
    """Rows that are changed by acts alone."""

    list_per_page = 50
    show_full_result_count = False
    action_form = WithReason

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    has_change_permission = has_add_permission

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(organization__in=administered(request))

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def each(self, request: HttpRequest, rows: QuerySet[Any], act: Callable[[Any], Any], done: str) -> None:
        """Do it to each row; what cannot be done is told beside what was."""
        count = 0
        for row in rows:
            try:
                act(row)
                count += 1
            except (Refused, BadOrder) as refused:
                self.message_user(request, f"{row.pk}: {refused}", level=messages.ERROR)
        if count:
            self.message_user(request, f"{count} {done}.")


@admin.register(Order)
class OrderAdmin(Watched):
    list_display = (*("id", "accession_number", "procedure_text", "reading_class", "status", "source", "created_at"),)
    list_filter = ("status", "source", "reading_class")
    search_fields = ("=accession_number", "=placer_order_number", "=filler_order_number", "=study_instance_uid")
    search_help_text = "Exact: an accession, placer or filler order number, a Study Instance UID"
    ordering = ("-id",)
    fields = (
        *("organization", *list_display[1:], "placer_order_number", "filler_order_number", "modality"),
        *("procedure_code", "procedure_code_system", "body_part", "laterality", "study_instance_uid"),
        *("referring_identifier", "referrer", "requested_at", "scheduled_at", "created_by", "updated_at"),
    )
    actions = ("cancel",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).select_related("organization", "patient")

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        reason = request.POST.get("reason", "").strip()

        def act(order: Order) -> None:
            if not reason:
                raise BadOrder("reason", "say why")
            orders.cancel(order, request.user, reason, request)

        self.each(request, queryset, act, "cancelled")


@admin.register(ReadingItem)
class ReadingItemAdmin(Watched):
    list_display = ("id", "number", "procedure", "reading_class", "status", "assigned_to", "reader", "ready_at")
    list_filter = ("status", "reading_class", "held_reason")
    search_fields = ("=order__accession_number", "=order__placer_order_number", "=study__study_instance_uid")
    search_help_text = "Exact: an accession or placer order number, a Study Instance UID"
    ordering = ("-id",)
    fields = (
        *("organization", *list_display[1:5], "held_reason", *list_display[5:]),
        *("ordered_at", "exam_ended_at", "last_image_at", "claimed_at", "preliminary_at", "final_at", "delivered_at"),
        *("critical_acknowledged_at", "what_happened"),
    )
    actions = ("to_nobody", "free", "cancel")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReadingItem]:
        related = ("organization", "order", "assigned_to", "claimed_by")
        return super().get_queryset(request).select_related(*related)

    def get_actions(self, request: HttpRequest) -> Any:
        """One for each reader of the organizations that whoever asks manages."""
        found = super().get_actions(request)
        for reader in readers(request)[:READERS_OFFERED]:
            name = f"to_{reader.pk}"
            words = f"Assign to {shown(reader)}".replace("%", "%%")  # Django fills in names by the % operator
            found[name] = (partial(_assign, to=reader), name, words)
        return found

    @admin.display(description="number", ordering="order__accession_number")
    def number(self, item: ReadingItem) -> str:
        return item.order.accession_number or item.order.placer_order_number

    @admin.display(description="procedure")
    def procedure(self, item: ReadingItem) -> str:
        return item.order.procedure_text or item.order.procedure_code

    @admin.display(description="read by")
    def reader(self, item: ReadingItem) -> str:
        holder = claiming.holder(item)
        return shown(holder) if holder else ""

    @admin.display(description="what happened")
    def what_happened(self, item: ReadingItem) -> str:
        """Without the notes: people write about patients there."""
        rows = item.events.order_by("at", "id").values_list("at", "kind", "actor_name")
        here = ((f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}", kind.replace("_", " "), by) for at, kind, by in rows)
        return format_html_join("", "<p>{} {} {}</p>", here)

    @admin.action(description="Assign to nobody")
    def to_nobody(self, request: HttpRequest, queryset: QuerySet[ReadingItem]) -> None:
        _assign(self, request, queryset, to=None)

    @admin.action(description="Free from whoever reads it")
    def free(self, request: HttpRequest, queryset: QuerySet[ReadingItem]) -> None:
        self._with_reason(request, queryset, claiming.free, "freed")

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, queryset: QuerySet[ReadingItem]) -> None:
        self._with_reason(request, queryset, acts.cancel, "cancelled")

    def _with_reason(
        self, request: HttpRequest, queryset: QuerySet[ReadingItem], act: Callable[..., ReadingItem], done: str
    ) -> None:
        reason = request.POST.get("reason", "").strip()

        def one(item: ReadingItem) -> None:
            if not reason:
                raise BadOrder("reason", "say why")
            act(item.pk, request.user, reason, request=request)

        self.each(request, queryset, one, done)


def _assign(page: ReadingItemAdmin, request: HttpRequest, queryset: QuerySet[ReadingItem], *, to: User | None) -> None:
    done = f"assigned to {shown(to)}" if to else "assigned to nobody"
    page.each(request, queryset, lambda item: acts.assign(item.pk, request.user, to, request=request), done)


def readers(request: HttpRequest) -> QuerySet[User]:
    """People who write reports in the organizations that whoever asks manages."""
    here = Q(memberships__organization__in=administered(request), memberships__role__in=REPORTING_ROLES)
    return User.objects.filter(here, is_active=True).distinct().order_by("last_name", "username")


# --- what a site decides


def _target(name: str) -> forms.IntegerField:
    said = f"Minutes from ready to report; left out: {TARGETS[name]}."
    return _minutes(f"Target of {name}", said)


def _escalation(name: str) -> forms.IntegerField:
    said = "Minutes until a critical result that nobody has read back is escalated; left out: as the category says."
    return _minutes(f"Escalate “{name}” after", said)


def _minutes(label: str, said: str) -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=1, max_value=MOST_MINUTES, label=label, help_text=said)


class SiteForm(forms.ModelForm):
    """Targets and escalation as numbers, one field for each class and category."""

    language = forms.ChoiceField(choices=settings.LANGUAGES, help_text="Of the fixed words on reports.")
    target_STROKE = _target("STROKE")
    target_TRAUMA = _target("TRAUMA")
    target_STAT = _target("STAT")
    target_URGENT = _target("URGENT")
    target_ROUTINE = _target("ROUTINE")
    escalate_minutes = _escalation("minutes")
    escalate_hours = _escalation("hours")
    escalate_days = _escalation("days")

    class Meta:
        model = ReportingSite
        exclude = ("targets", "escalation_minutes")  # noqa: DJ006 - all others, and those two as fields of their own
        help_texts = {
            "letterhead": "First line of every report that is printed or sent.",
            "show_preliminary": "Referrers see preliminary reports, marked as such.",
            "appended_as_correction": "HL7 receivers are sent a report with an addendum as C (OBR-25) in place of F.",
            "double_reading": "Examinations that two radiologists read apart before the report is written: one a line, a"
            " procedure code or words of the procedure or study description (screening mammography).",
            "quality_control": "A technologist or radiologist says that a study is ready before it is read.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in TARGETS:
            self.initial.setdefault(f"target_{name}", (self.instance.targets or {}).get(name))
        for name in CATEGORIES:
            self.initial.setdefault(f"escalate_{name}", (self.instance.escalation_minutes or {}).get(name))

    def save(self, commit: bool = True) -> Any:
        said = self.cleaned_data
        self.instance.targets = {name: said[f"target_{name}"] for name in TARGETS if said.get(f"target_{name}")}
        self.instance.escalation_minutes = {
            name: said[f"escalate_{name}"] for name in CATEGORIES if said.get(f"escalate_{name}")
        }
        return super().save(commit)


class OfSite(OfOrganization):
    """Rows that stay with their organization, and name people only as its referrers."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            roles = {"memberships__role": Role.REFERRER, "memberships__organization__in": administered(request)}
            kwargs["queryset"] = User.objects.filter(is_active=True, **roles).distinct().order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Without the links that would make or change what a row points to."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if hasattr(getattr(field, "widget", None), "can_add_related"):
            for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
                setattr(field.widget, name, False)
        return field

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("organization",) if obj else ()


@admin.register(ReportingSite)
class ReportingSiteAdmin(OfSite):
    form = SiteForm
    list_display = ("organization", "language", "quality_control", "show_preliminary", "targets_in_words")
    ordering = ("organization__name",)

    @admin.display(description="targets")
    def targets_in_words(self, site: ReportingSite) -> str:
        return ", ".join(f"{name} {(site.targets or {}).get(name, default)}" for name, default in TARGETS.items())


class IdentityForm(forms.ModelForm):
    class Meta:
        model = ReferrerIdentity
        fields = ("organization", "user", "identifier")

    def clean(self) -> dict[str, Any]:
        """A number opens studies of an organization only to people who are referrers there."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        organization: Organization | None = said.get("organization") or getattr(self.instance, "organization", None)
        user: User | None = said.get("user")
        if organization and user and not user.organizations_as((Role.REFERRER,)).filter(pk=organization.pk).exists():
            self.add_error("user", f"{shown(user)} is no referrer of {organization}.")
        return said


@admin.register(ReferrerIdentity)
class ReferrerIdentityAdmin(OfSite):
    """Orders that came before are looked at again with every change."""

    form = IdentityForm
    list_display = ("identifier", "user", "organization")
    search_fields = ("=identifier", "=user__username")
    ordering = ("organization__name", "identifier")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReferrerIdentity]:
        return super().get_queryset(request).select_related("user")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return administers(request)

    def save_model(self, request: HttpRequest, obj: ReferrerIdentity, form: Any, change: bool) -> None:
        former = form.initial.get("identifier", "") if change else ""
        super().save_model(request, obj, form, change)
        for identifier in {obj.identifier, former} - {""}:
            grants.identity_changed(obj.organization, identifier)

    def delete_model(self, request: HttpRequest, obj: ReferrerIdentity) -> None:
        organization, identifier = obj.organization, obj.identifier
        super().delete_model(request, obj)
        grants.identity_changed(organization, identifier)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[ReferrerIdentity]) -> Any:
        for row in queryset:
            self._write(request, row, "delete", f"{row.identifier} was {row.user.get_username()}")
        return super().log_deletions(request, queryset)
