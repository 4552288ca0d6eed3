"""What an administrator sees of the archive: how much there is and what was kept aside, by UID; never who the patients are.

Studies show only to an administrator who also reads in their organization; conflicts to whoever administers it.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.admin import administered
from accounts.policy import ADMIN
from viewer.models import Conflict, Study


class LookOnly(admin.ModelAdmin):
    """Nothing of the archive is changed by hand: stored objects stay as they came."""

    actions = None
    list_per_page = 50
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return ADMIN.allows(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return ADMIN.allows(request.user)

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


@admin.register(Conflict)
class ConflictAdmin(LookOnly):
    list_display = fields = (
        "received_at",
        "organization",
        "reason",
        "study_instance_uid",
        "series_instance_uid",
        "sop_instance_uid",
        "held_study",
    )
    list_display_links = None
    ordering = ("-id",)
    search_fields = ("=study_instance_uid", "=series_instance_uid", "=sop_instance_uid")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conflict]:
        rows: Any = super().get_queryset(request)
        return rows.filter(organization__in=administered(request)).select_related("organization", "study")

    @admin.display(description="held by study")
    def held_study(self, conflict: Conflict) -> str:
        return conflict.study.study_instance_uid
