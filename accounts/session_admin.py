"""Sessions in the administration: of people whom whoever asks manages wholly, to see and to end."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import sessions
from accounts.admin import Managed, administered
from accounts.models import Membership, User


class SessionAdmin(Managed):
    list_display = ("user", "browser", "ip", "created_at", "last_seen_at")
    search_fields = ("=user__username",)
    search_help_text = "Exact: a person's name"
    ordering = ("-last_seen_at",)
    fields = readonly_fields = list_display
    actions = ("sign_out_there",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[UserSession]:
        rows: QuerySet[UserSession] = super().get_queryset(request).select_related("user")
        if request.user.is_superuser:
            return rows
        elsewhere = Membership.objects.exclude(organization__in=administered(request))
        people = User.objects.filter(memberships__organization__in=administered(request), is_superuser=False)
        return rows.filter(user__in=people.exclude(pk__in=elsewhere.values("user")))

    def get_actions(self, request: HttpRequest) -> dict[str, object]:
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def has_add_permission(self, request: HttpRequest, obj: UserSession | None = None) -> bool:
        return False

    @admin.display(description="browser")
    def browser(self, row: UserSession) -> str:
        return sessions.described(row.user_agent)

    @admin.action(description="Sign out there")
    def sign_out_there(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        for row in queryset:
            sessions.end(row, why="ended by an administrator", actor=request.user, request=request)
            self.message_user(request, f"{row.user} is signed out there.")


# The library's own page shows every organization's people; the site may have refused it already (`accounts.administration`).
if admin.site.is_registered(UserSession):
    admin.site.unregister(UserSession)
admin.AdminSite.register(admin.site, UserSession, SessionAdmin)
