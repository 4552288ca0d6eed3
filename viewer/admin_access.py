"""What an administrator decides about single studies: grants to people of the organization, and emergency accesses to look at.

By UID and by person; who the patients are is for those who read.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit
from accounts.admin import Managed, administered
from accounts.models import Role, User
from accounts.policy import administers
from accounts.states import digest_of_row, told
from viewer.archive import emergency
from viewer.models import EmergencyAccess, Grant, Study

GRANTED, ENDED = "grant.make", "grant.end"
REVIEWED = "emergency.review"


class GrantForm(forms.ModelForm):
    """A grant that an administrator gives. The study is named by its UID: nobody has to see a list of patients for it."""

    study_instance_uid = forms.CharField(
        label="Study Instance UID", max_length=64, widget=forms.TextInput({"size": 66, "spellcheck": "false"})
    )
    until = forms.SplitDateTimeField(
        label="Until",
        widget=AdminSplitDateTime(),
        help_text="UTC. After this moment the study is closed to them again.",
    )

    class Meta:
        model = Grant
        fields = ("user",)
        labels = {"user": "Person"}

    request: HttpRequest
    """Set by the page that makes the form."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        people = self.fields.get("user")
        if isinstance(people, forms.ModelChoiceField):  # a grant that stands is looked at, without a field to choose in
            people.queryset = self._people()

    def _people(self) -> QuerySet[User]:
        held = User.objects.filter(memberships__organization__in=administered(self.request), is_active=True)
        return held.exclude(memberships__role=Role.GUEST).distinct().order_by("username")

    def clean_until(self) -> Any:
        until = self.cleaned_data["until"]
        if until <= timezone.now():
            raise forms.ValidationError("This moment is over.")
        return until

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        user, uid = cleaned.get("user"), str(cleaned.get("study_instance_uid", "")).strip()
        if user is None or not uid:
            return cleaned
        theirs = administered(self.request).filter(memberships__user=user)
        studies = list(Study.objects.filter(study_instance_uid=uid, organization__in=theirs)[:2])
        if not studies:
            self.add_error("study_instance_uid", "No study has this UID where you administer and this person belongs.")
        elif len(studies) > 1:
            self.add_error("study_instance_uid", "Several organizations that you both belong to hold this study.")
        else:
            self.instance.study = studies[0]
        return cleaned


@admin.register(Grant)
class GrantAdmin(Managed):
    """Studies opened one by one. Those of orders and links come and go with these; they are shown, and can be ended."""

    form = GrantForm
    list_display = ("study_uid", "user", "reason", "organization", "until", "in_force")
    list_filter = ("reason",)
    search_fields = ("=study__study_instance_uid", "=user__username")
    search_help_text = "Exact: a Study Instance UID or a person's name"
    list_display_links = None
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-id",)
    actions = ("end",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grant]:
        rows: Any = super().get_queryset(request)
        return rows.filter(study__organization__in=administered(request)).select_related("study__organization", "user")

    def get_form(self, request: HttpRequest, obj: Grant | None = None, change: bool = False, **named: Any) -> Any:
        made = super().get_form(request, obj, change, **named)
        return type("GrantFormOfRequest", (made,), {"request": request})

    def get_fields(self, request: HttpRequest, obj: Grant | None = None) -> tuple[str, ...]:
        return self.list_display if obj else ("study_instance_uid", "user", "until")

    def get_readonly_fields(self, request: HttpRequest, obj: Grant | None = None) -> tuple[str, ...]:
        return self.list_display if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def save_model(self, request: HttpRequest, obj: Grant, form: Any, change: bool) -> None:
        """One grant of an administrator for a person and a study: a second one moves its end."""
        one = {"study": obj.study, "user": obj.user, "reason": Grant.Reason.ADMINISTRATOR}
        with transaction.atomic():
            held = Grant.objects.select_for_update().filter(**one).first()
            before = digest_of_row(held) if held else ""
            made, _ = Grant.objects.update_or_create(**one, defaults={"until": form.cleaned_data["until"]})
            obj.pk, obj.reason, obj.until = made.pk, made.reason, made.until
            self._record(GRANTED, request, made, before)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return admin.ModelAdmin.log_addition(self, request, obj, message)  # the record has it, with study and patient

    @admin.action(description="End now", permissions=["view"])
    def end(self, request: HttpRequest, queryset: QuerySet[Grant]) -> None:
        for grant in queryset:
            with transaction.atomic():
                held, before = grant.until is None or grant.until > timezone.now(), digest_of_row(grant)
                if held and grant.reason == Grant.Reason.EMERGENCY:
                    for access in emergency.held_by(grant.user).filter(study=grant.study)[:1]:
                        emergency.end(access)
                elif held:
                    grant.end()
                if held:
                    grant.refresh_from_db(fields=["until"])
                    self._record(ENDED, request, grant, before)
            self.message_user(request, f"{grant.user} no longer sees this study by this grant ({grant.reason}).")

    def _record(self, action: str, request: HttpRequest, grant: Grant, before: str) -> None:
        said = {"person": grant.user.get_username(), "reason": grant.reason, "until": str(grant.until or "")}
        audit.record(
            action,
            actor=request.user,
            request=request,
            organization=grant.study.organization.name,
            patient_id=grant.study.patient.patient_id,
            study_instance_uid=grant.study.study_instance_uid,
            detail={**said, **told(before, digest_of_row(grant))},
        )

    @admin.display(description="study", ordering="study__study_instance_uid")
    def study_uid(self, grant: Grant) -> str:
        return grant.study.study_instance_uid

    @admin.display(description="organization")
    def organization(self, grant: Grant) -> str:
        return str(grant.study.organization)

    @admin.display(description="in force", boolean=True)
    def in_force(self, grant: Grant) -> bool:
        return grant.until is None or grant.until > timezone.now()


class ReviewForm(forms.ModelForm):
    class Meta:
        model = EmergencyAccess
        fields = ("review",)
        labels = {"review": "What you found"}
        help_texts = {"review": "Was it an emergency? With this the access counts as looked at."}

    def clean_review(self) -> str:
        said = " ".join(str(self.cleaned_data["review"]).split())
        if not said:
            raise forms.ValidationError("Say what you found.")
        return said


@admin.register(EmergencyAccess)
class EmergencyAccessAdmin(Managed):
    """Who opened what, why, and what an administrator made of it."""

    form = ReviewForm
    list_display = ("created_at", "user", "organization", "study_uid", "reason", "until", "looked_at")
    list_filter = (("reviewed_at", admin.EmptyFieldListFilter),)
    search_fields = ("=user__username", "=study__study_instance_uid")
    ordering = ("-created_at", "-id")
    list_per_page = 50
    show_full_result_count = False
    actions = ("end_now",)
    _told = ("user", "organization", "study_uid", "reason", "created_at", "until", "reviewed_by", "reviewed_at")
    readonly_fields = _told
    fields = (*_told, "review")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EmergencyAccess]:
        rows: Any = super().get_queryset(request)
        return rows.filter(organization__in=administered(request)).select_related(
            "organization", "study__patient", "user"
        )

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody looks at their own, and what was looked at stays as it was said."""
        if obj is not None and (obj.reviewed_at is not None or obj.user_id == request.user.pk):
            return False
        return administers(request)

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def save_model(self, request: HttpRequest, obj: EmergencyAccess, form: Any, change: bool) -> None:
        with transaction.atomic():
            obj.reviewed_by, obj.reviewed_at = request.user, timezone.now()
            obj.save(update_fields=["review", "reviewed_by", "reviewed_at"])
            self._record(REVIEWED, request, obj, getattr(obj, "state_before", ""), review=obj.review)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return admin.ModelAdmin.log_change(self, request, obj, message)  # the record has it, with study and patient

    @admin.action(description="End now")
    def end_now(self, request: HttpRequest, queryset: QuerySet[EmergencyAccess]) -> None:
        for access in queryset.filter(until__gt=timezone.now()):
            before = digest_of_row(access)
            with transaction.atomic():
                emergency.end(access)
                self._record("emergency.end", request, access, before)
            self.message_user(request, f"{access.user} no longer sees this study by emergency access.")

    def _record(self, action: str, request: HttpRequest, access: EmergencyAccess, before: str, **detail: str) -> None:
        states = told(before, digest_of_row(access))
        audit.record(
            action,
            actor=request.user,
            request=request,
            organization=access.organization.name,
            patient_id=access.study.patient.patient_id,
            study_instance_uid=access.study.study_instance_uid,
            purpose=emergency.PURPOSE,
            detail={"person": access.user.get_username(), "access": access.pk, **detail, **states},
        )

    @admin.display(description="study", ordering="study__study_instance_uid")
    def study_uid(self, access: EmergencyAccess) -> str:
        return access.study.study_instance_uid

    @admin.display(description="looked at", boolean=True)
    def looked_at(self, access: EmergencyAccess) -> bool:
        return access.reviewed_at is not None
