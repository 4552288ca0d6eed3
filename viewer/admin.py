"""What an administrator sees of the archive: how much there is and what was kept aside, by UID; never who the patients are.

Studies show only to an administrator who also reads in their organization; conflicts to whoever administers it.
"""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from accounts import audit
from accounts.admin import Managed, administered
from accounts.policy import administers
from accounts.states import digest_of_row, told
from viewer import protocols
from viewer.hanging.preview import in_words
from viewer.models import Conflict, HangingProtocol, Study


class LookOnly(admin.ModelAdmin):
    """Nothing of the archive is changed by hand: stored objects stay as they came."""

    actions = None
    list_per_page = 50
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return administers(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return administers(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Study)
class StudyAdmin(LookOnly):
    list_display = fields = (
        "study_instance_uid",
        "organization",
        "modalities",
        "number_of_series",
        "number_of_instances",
        "created_at",
        "updated_at",
    )
    list_display_links = None
    ordering = ("-created_at", "-id")
    search_fields = ("=study_instance_uid",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Study]:
        visible = Study.objects.visible_to(request.user).filter(organization__in=administered(request))
        return super().get_queryset(request).filter(pk__in=visible.values("pk")).select_related("organization")


class ConflictForm(forms.ModelForm):
    class Meta:
        model = Conflict
        fields = ("resolution",)
        labels = {"resolution": "Why the first are kept"}
        help_texts = {"resolution": "What came first stays what is given out; what came later stays stored."}

    def clean_resolution(self) -> str:
        said = " ".join(str(self.cleaned_data["resolution"]).split())
        if not said:
            raise forms.ValidationError("Say why.")
        return said


@admin.register(Conflict)
class ConflictAdmin(LookOnly):
    """What was kept aside. An administrator decides that the first is kept; there is nothing else to decide."""

    form = ConflictForm
    shown = (
        "received_at",
        "organization",
        "reason",
        "study_instance_uid",
        "series_instance_uid",
        "sop_instance_uid",
        "held_study",
    )
    list_display = (*shown, "resolved_at", "resolved_by", "resolution")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter),)
    readonly_fields = shown
    fields = (*shown, "resolution")
    ordering = ("-id",)
    search_fields = ("=study_instance_uid", "=series_instance_uid", "=sop_instance_uid")

    def has_change_permission(self, request: HttpRequest, obj: Conflict | None = None) -> bool:  # type: ignore[override]
        """Once, and in the organizations that one administers."""
        if not administers(request) or (obj is not None and obj.resolved_at is not None):
            return False
        return obj is None or administered(request).filter(pk=obj.organization_id).exists()

    def save_model(self, request: HttpRequest, obj: Conflict, form: Any, change: bool) -> None:
        with transaction.atomic():
            held = Conflict.objects.open().select_for_update().filter(pk=obj.pk).first()
            if held is None:
                return  # somebody else was quicker: theirs stands
            before = digest_of_row(held)
            held.resolved_at, held.resolved_by, held.resolution = timezone.now(), request.user, obj.resolution
            held.save(update_fields=["resolved_at", "resolved_by", "resolution"])
            self._record(request, obj, told(before, digest_of_row(held)))

    def _record(self, request: HttpRequest, obj: Conflict, states: dict[str, str]) -> None:
        audit.record(
            "conflict.settle",
            actor=request.user,
            request=request,
            organization=obj.organization.name,
            study_instance_uid=obj.study.study_instance_uid,
            object_uid=obj.sop_instance_uid,
            purpose=obj.resolution[:64],
            detail={"kept": "first", "reason": obj.resolution, "conflict": obj.pk, **states},
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conflict]:
        rows: Any = super().get_queryset(request)
        return rows.filter(organization__in=administered(request)).select_related("organization", "study")

    @admin.display(description="held by study")
    def held_study(self, conflict: Conflict) -> str:
        return conflict.study.study_instance_uid


class Written(forms.JSONField):
    """JSON that a person can read: a line for each part."""

    def __init__(self, rows: int, **options: Any) -> None:
        super().__init__(widget=forms.Textarea({"rows": rows, "cols": 100, "spellcheck": "false"}), **options)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, indent=1, ensure_ascii=False)


class ProtocolForm(forms.ModelForm):
    """A hanging protocol as JSON; what is wrong with it is said in sentences at the field that it is about."""

    matches = Written(8, required=False, initial=dict, help_text="For which studies; {} is for every study.")
    stages = Written(
        32,
        initial=lambda: [{"name": "First view", "layout": "1x2", "viewports": [{}, {"study": "prior 1", "like": 1}]}],
        help_text="What lies where, stage by stage. Protocols that come with Farview show how; docs/hanging.md says all.",
    )

    class Meta:
        model = HangingProtocol
        fields = ("name", "organization", "active", "priority", "matches", "stages")

    def clean_matches(self) -> Any:
        return self.cleaned_data["matches"] or {}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "matches" in cleaned and "stages" in cleaned:
            for said in protocols.problems(cleaned["matches"], cleaned["stages"]):
                self.add_error("matches" if said.startswith("matches") else "stages", said)
        return cleaned


@admin.register(HangingProtocol)
class HangingProtocolAdmin(Managed):
    """Protocols of the organizations that one manages. Those of all organizations are the operator's to change; everybody else
    copies them."""

    form = ProtocolForm
    list_display = ("name", "organization", "active", "priority", "suits", "number_of_stages", "came_with_farview")
    list_filter = ("active",)
    search_fields = ("name",)
    ordering = ("organization", "name")
    readonly_fields = ("preview", "came_with_farview")
    fields = ("name", "organization", "active", "priority", "preview", "matches", "stages", "came_with_farview")
    actions = ("copy", "activate", "deactivate")

    def get_fields(self, request: HttpRequest, obj: HangingProtocol | None = None) -> tuple[str, ...]:
        """There is nothing to preview before it is saved."""
        return self.fields if obj else tuple(name for name in self.fields if name not in self.readonly_fields)

    def get_queryset(self, request: HttpRequest) -> QuerySet[HangingProtocol]:
        ours = Q(organization__in=administered(request)) | Q(organization=None)
        return super().get_queryset(request).filter(ours).select_related("organization")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "organization":
            kwargs["queryset"] = administered(request)
            kwargs["required"] = not request.user.is_superuser
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: HangingProtocol | None = None) -> bool:  # type: ignore[override]
        return administers(request) and (obj is None or _is_theirs(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: HangingProtocol | None = None) -> bool:  # type: ignore[override]
        """One that came with Farview is switched off instead: deleted, it would come back."""
        return administers(request) and (obj is None or (not obj.slug and _is_theirs(request, obj)))

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def save_model(self, request: HttpRequest, obj: HangingProtocol, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[HangingProtocol]) -> Any:
        for row in queryset:
            self._write(request, row, "delete", row.pk)
        return super().log_deletions(request, queryset)

    @admin.display(description="for")
    def suits(self, row: HangingProtocol) -> str:
        return _text_of(row).partition("\n")[0].removeprefix("For ")

    @admin.display(description="stages")
    def number_of_stages(self, row: HangingProtocol) -> int:
        return len(row.stages)

    @admin.display(description="in words")
    def preview(self, row: HangingProtocol) -> str:
        return format_html('<pre class="readonly">{}</pre>', _text_of(row))

    @admin.display(description="origin")
    def came_with_farview(self, row: HangingProtocol) -> str:
        if not row.slug:
            return "made here"
        return "came with Farview" if protocols.is_untouched(row) else "came with Farview, changed here"

    @admin.action(description="Copy for my organization")
    def copy(self, request: HttpRequest, queryset: QuerySet[HangingProtocol]) -> None:
        ours = list(administered(request)[:2])
        if len(ours) != 1 and queryset.filter(organization=None).exists():
            text = "You manage several organizations: open the protocol, copy its text and add a new one."
            self.message_user(request, text, level=messages.ERROR)
            return
        for row in queryset:
            with transaction.atomic():
                made = HangingProtocol.objects.create(
                    organization=row.organization or ours[0],
                    name=f"{row.name} (copy)"[:200],
                    matches=row.matches,
                    stages=row.stages,
                    priority=row.priority + 1,
                    active=False,
                    created_by=request.user,
                )
                self.log_addition(request, made, f"copied from {row.pk}")
            self.message_user(request, f"{made} is made, and not active yet.")

    @admin.action(description="Activate")
    def activate(self, request: HttpRequest, queryset: QuerySet[HangingProtocol]) -> None:
        self._switch(request, queryset, True)

    @admin.action(description="Deactivate")
    def deactivate(self, request: HttpRequest, queryset: QuerySet[HangingProtocol]) -> None:
        self._switch(request, queryset, False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[HangingProtocol], active: bool) -> None:
        for row in queryset:
            if not _is_theirs(request, row):
                text = f"{row} belongs to all organizations and is not yours to change; copy it."
                self.message_user(request, text, level=messages.ERROR)
                continue
            with transaction.atomic():
                row.state_before = self.state_of(row)  # type: ignore[attr-defined]
                row.active = active
                row.save(update_fields=["active", "updated_at"])
                self.log_change(request, row, "activated" if active else "deactivated")


def _is_theirs(request: HttpRequest, row: HangingProtocol) -> bool:
    """May whoever asks change it?"""
    if request.user.is_superuser:
        return True
    return row.organization_id is not None and administered(request).filter(pk=row.organization_id).exists()


def _text_of(row: HangingProtocol) -> str:
    wrong = protocols.problems(row.matches, row.stages)
    return "\n".join(wrong) if wrong else in_words(row.matches, row.stages)


from viewer import admin_access, admin_network, admin_retention, admin_system  # noqa: E402, F401 - made of the ones above
