"""Rules of retention, holds and what was deleted: for administrators, of their own organizations.

By UID; who the patients are is for those who read.
"""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core.exceptions import ReauthenticationRequired
from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from accounts import audit
from accounts.admin import OfOrganization, administered
from accounts.policy import administers
from accounts.reauthentication import stale
from accounts.states import digest_of_row, told
from viewer.admin import LookOnly
from viewer.archive import retention_plan
from viewer.archive.retention_plan import LISTED, Told, Underway
from viewer.models import Deletion, Hold, RetentionAction, RetentionRule, Study
from viewer.system_disk import in_words

AGAIN_SECONDS = 3
FRESH_SECONDS = 300.0
"""Whoever turns a rule on has proved within this time who they are."""


def must_be_fresh(request: HttpRequest) -> None:
    """Raises what has allauth ask again, and go on with the form."""
    if stale(request, FRESH_SECONDS) and get_reauthentication_flows(request.user):
        raise ReauthenticationRequired


class RuleForm(forms.ModelForm):
    class Meta:
        model = RetentionRule
        fields = ("organization", "modality", "description", "patients", "days", "counted_from", "action")
        help_texts = {
            "modality": "As CT or MG; empty: any.",
            "description": "Words in the study's description; empty: any.",
            "patients": "Adults were 18 or older on the day of the study. Everybody whose age is not known counts as a child.",
            "days": "Ten years are 3,653 days. What the law demands is for the hospital to say.",
        }

    def clean_modality(self) -> str:
        return str(self.cleaned_data["modality"]).strip().upper()


@admin.register(RetentionRule)
class RetentionRuleAdmin(OfOrganization):
    """A rule that is changed is off again: what it does is to be looked at first."""

    form = RuleForm
    list_display = ("words", "organization", "active", "turned_on_by", "turned_on_at", "plan_link")
    list_filter = ("active", "action")
    ordering = ("organization", "-active", "id")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return administers(request)

    def save_model(self, request: HttpRequest, obj: RetentionRule, form: Any, change: bool) -> None:
        obj.active, obj.turned_on_by, obj.turned_on_at = False, None, None
        super().save_model(request, obj, form, change)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[RetentionRule]) -> Any:
        for row in queryset:
            self._write(request, row, "delete", row.pk)
        return super().log_deletions(request, queryset)

    def response_add(
        self, request: HttpRequest, obj: RetentionRule, post_url_continue: str | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(_plan_of(obj))

    def response_change(self, request: HttpRequest, obj: RetentionRule) -> HttpResponse:
        return HttpResponseRedirect(_plan_of(obj))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.plan)
        return [path("<int:pk>/plan/", view, name="viewer_retentionrule_plan"), *super().get_urls()]

    def plan(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the rule would do today; and the switch."""
        rule = self.get_queryset(request).filter(pk=pk).first() if pk < 2**63 else None
        if rule is None:
            raise Http404
        if request.method == "POST" and "off" in request.POST:
            self._switch(request, rule, False)
            return HttpResponseRedirect(_plan_of(rule))
        found = retention_plan.told_or_underway(rule)
        if isinstance(found, Underway):
            return self._waiting(request, rule, found)
        if request.method == "POST":
            must_be_fresh(request)
            if request.POST.get("seen") == found.mark:
                self._switch(request, rule, True, studies=found.studies, instances=found.instances, bytes=found.size)
                return HttpResponseRedirect(_plan_of(rule))
            messages.error(request, "This has changed since you looked: look again.")
        return render(request, "admin/viewer/retentionrule/plan.html", self._shown(request, rule, found))

    def _waiting(self, request: HttpRequest, rule: RetentionRule, found: Underway) -> HttpResponse:
        """There is much to look through: how far that is, again every few seconds until it is done."""
        shown = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": str(rule),
            "rule": rule,
            "underway": found,
        }
        answer = render(request, "admin/viewer/retentionrule/plan.html", shown)
        if not found.problem:
            answer["Refresh"] = str(AGAIN_SECONDS)
        return answer

    def _shown(self, request: HttpRequest, rule: RetentionRule, found: Told) -> dict[str, Any]:
        facts = [
            ("Studies", f"{found.studies:,}"),
            ("Objects", f"{found.instances:,}"),
            ("Size", in_words(found.size)),
            *((f"Kept: {why}", f"{count:,}") for why, count in found.kept.most_common()),
        ]
        return {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": str(rule),
            "rule": rule,
            "does": rule.action != RetentionAction.NOTHING,
            "facts": facts,
            "rows": [(uid, f"{count:,}", in_words(size), kept or "-") for uid, count, size, kept in found.rows],
            "more": max(0, found.studies + sum(found.kept.values()) - LISTED),
            "seen": found.mark,
        }

    def _switch(self, request: HttpRequest, rule: RetentionRule, on: bool, **seen: int) -> None:
        before = digest_of_row(rule)
        with transaction.atomic():
            rule.active = on
            rule.turned_on_by, rule.turned_on_at = (request.user, timezone.now()) if on else (None, None)
            rule.save()
            audit.record(
                f"retentionrule.{'on' if on else 'off'}",
                actor=request.user,
                request=request,
                organization=rule.organization.name,
                object_uid=f"rule {rule.pk}",
                detail={"rule": str(rule), **seen, **told(before, digest_of_row(rule))},
            )

    @admin.display(description="rule")
    def words(self, rule: RetentionRule) -> str:
        return str(rule)

    @admin.display(description="today")
    def plan_link(self, rule: RetentionRule) -> str:
        return format_html('<a href="{}">What it would do</a>', _plan_of(rule))


def _plan_of(rule: RetentionRule) -> str:
    return reverse("admin:viewer_retentionrule_plan", args=[rule.pk])


# --- holds


class HoldForm(forms.ModelForm):
    """The study is named by its UID: nobody has to see a list of patients for it."""

    study_instance_uid = forms.CharField(
        label="Study Instance UID", max_length=64, widget=forms.TextInput({"size": 66, "spellcheck": "false"})
    )
    whole_patient = forms.BooleanField(label="All studies of its patient, also those to come", required=False)

    class Meta:
        model = Hold
        fields = ("organization", "reason")

    def clean_reason(self) -> str:
        said = " ".join(str(self.cleaned_data["reason"]).split())
        if not said:
            raise forms.ValidationError("Say why.")
        return said

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        organization, uid = cleaned.get("organization"), str(cleaned.get("study_instance_uid", "")).strip()
        if organization is None or not uid:
            return cleaned
        study = Study.objects.filter(organization=organization, study_instance_uid=uid).first()
        if study is None:
            self.add_error("study_instance_uid", "This organization holds no study of this UID.")
        elif cleaned.get("whole_patient"):
            self.instance.patient = study.patient
        else:
            self.instance.study = study
        return cleaned


@admin.register(Hold)
class HoldAdmin(OfOrganization):
    """Placed with a reason, and lifted; never changed or deleted."""

    form = HoldForm
    fields = ("organization", "study_instance_uid", "whole_patient", "reason")
    list_display = ("placed_at", "organization", "held", "reason", "placed_by", "lifted_at", "lifted_by")
    list_filter = (("lifted_at", admin.EmptyFieldListFilter),)
    list_display_links = None
    search_fields = ("=study__study_instance_uid", "=patient__studies__study_instance_uid")
    ordering = ("-id",)
    actions = ("lift",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        rows = super().get_queryset(request)
        return rows.select_related("organization", "study__patient", "patient", "placed_by", "lifted_by")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Hold | None = None) -> tuple[str, ...]:
        return self.list_display if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Hold | None = None) -> tuple[str, ...]:
        return self.list_display if obj else ()

    def save_model(self, request: HttpRequest, obj: Hold, form: Any, change: bool) -> None:
        with transaction.atomic():
            obj.placed_by = request.user
            obj.save()
            self._record("hold.place", request, obj, before="")

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return admin.ModelAdmin.log_addition(self, request, obj, message)  # the record has it, with study and patient

    @admin.action(description="Lift", permissions=["view"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Hold]) -> None:
        for hold in queryset.filter(lifted_at=None):
            before = digest_of_row(hold)
            with transaction.atomic():
                hold.lifted_by, hold.lifted_at = request.user, timezone.now()
                hold.save(update_fields=["lifted_by", "lifted_at"])
                self._record("hold.lift", request, hold, before)
            self.message_user(request, f"{hold} is lifted.")

    def _record(self, action: str, request: HttpRequest, hold: Hold, before: str) -> None:
        patient = hold.patient or hold.study.patient
        audit.record(
            action,
            actor=request.user,
            request=request,
            organization=hold.organization.name,
            patient_id=patient.patient_id,
            study_instance_uid=hold.study.study_instance_uid if hold.study else "",
            object_uid=f"hold {hold.pk}",
            purpose=hold.reason[:64],
            detail={
                "of": "study" if hold.study else "patient",
                "reason": hold.reason,
                **told(before, digest_of_row(hold)),
            },
        )

    @admin.display(description="held")
    def held(self, hold: Hold) -> str:
        if hold.study is not None:
            return hold.study.study_instance_uid
        first = hold.patient.studies.order_by("id").values_list("study_instance_uid", flat=True).first()
        return f"everything of the patient of {first}"


@admin.register(Deletion)
class DeletionAdmin(LookOnly):
    """What rules have deleted."""

    list_display = fields = (
        *("at", "organization", "study_uid", "rule_words", "instances", "size", "freed", "finished_at"),
    )
    list_display_links = None
    ordering = ("-id",)
    search_fields = ("=study__study_instance_uid",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Deletion]:
        rows: Any = super().get_queryset(request)
        return rows.filter(organization__in=administered(request)).select_related("organization", "study")

    @admin.display(description="study")
    def study_uid(self, deletion: Deletion) -> str:
        return deletion.study.study_instance_uid
