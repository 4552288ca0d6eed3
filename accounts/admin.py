"""Who administers what: an administrator of an organization manages its people, never those of another.

What belongs to the person as a whole (name, password, whether they may come in at all) is changed only by somebody who
administers every organization that person belongs to; else an administrator of one site could become a reader of another.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html

from accounts import audit
from accounts.links import make_link
from accounts.models import GIVEN_ROLES, ApiToken, Membership, Organization, User
from accounts.policy import ADMIN, administers, organizations_for
from accounts.second_factor import FACTORS, remove_factors
from accounts.states import digest_of_row, told


def administered(request: HttpRequest) -> QuerySet[Organization]:
    """Organizations that whoever asks manages: those of their ADMIN roles; all of them for the operator."""
    if not administers(request):
        return Organization.objects.none()
    return Organization.objects.all() if request.user.is_superuser else organizations_for(request.user, ADMIN)


def people_of(request: HttpRequest) -> QuerySet[User]:
    """People who hold a role in an organization that whoever asks manages; guests of share links are looked after there."""
    people = User.objects.filter(share_link=None)
    if request.user.is_superuser:
        return people
    return people.filter(memberships__organization__in=administered(request)).distinct()


def manages_wholly(request: HttpRequest, person: User) -> bool:
    """True when every organization of `person` is managed by whoever asks, and `person` is not above them."""
    if request.user.is_superuser:
        return True
    elsewhere = person.memberships.exclude(organization__in=administered(request))
    return not person.is_superuser and not elsewhere.exists()


class Managed(admin.ModelAdmin):
    """Rights come from `accounts.policy`, not from Django's permission rows; every change is written down."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return administers(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return administers(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return administers(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return administers(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Kept with the row: what it was, for the event of what becomes of it."""
        obj: Any = super().get_object(request, object_id, from_field)
        if obj is not None:
            obj.state_before = self.state_of(obj)
        return obj

    def state_of(self, obj: Model) -> str:
        """A digest of what this page changes of the row."""
        return digest_of_row(obj)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """`request.afterwards`: what is done when the form is stored. No transaction waits for another machine's answer, and
        what is on the record before it is asked stays there whatever becomes of the asking."""
        answer = super().changeform_view(request, *args, **kwargs)
        for act in getattr(request, "afterwards", ()):
            act()
        return answer

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._write(request, obj, "make", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._write(request, obj, "change", message)
        return super().log_change(request, obj, message)

    def _write(self, request: HttpRequest, obj: Any, act: str, message: Any) -> None:
        after = "" if act == "delete" else self.state_of(obj)
        audit.record(
            f"{obj._meta.model_name}.{act}",
            actor=request.user,
            request=request,
            detail={"object": str(obj), "what": message, **told(getattr(obj, "state_before", ""), after)},
        )


class OfOrganization(Managed):
    """Rows of the organizations that whoever asks manages."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.filter(organization__in=administered(request)).select_related("organization")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "organization":
            kwargs["queryset"] = administered(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found


class MembershipForm(forms.ModelForm):
    class Meta:
        model = Membership
        fields = ("organization", "role")


class MembershipInline(admin.TabularInline):
    """Roles in the organizations that whoever asks manages; those elsewhere are neither shown nor touched."""

    model = Membership
    form = MembershipForm
    extra = 1

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).filter(organization__in=administered(request))

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "role":
            kwargs["choices"] = [("", "---------"), *((role.value, role.label) for role in GIVEN_ROLES)]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "organization":
            kwargs["queryset"] = administered(request)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
                setattr(field.widget, name, False)
        return field

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return administers(request)

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission


@admin.register(User)
class PersonAdmin(Managed, UserAdmin):
    inlines = (MembershipInline,)
    list_display = ("username", "first_name", "last_name", "email", "is_active", "second_factor", "last_login")
    list_filter = ("is_active", "memberships__role")
    search_fields = ("username", "first_name", "last_name", "email")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("State", {"fields": ("is_active", "last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "usable_password", "password1", "password2")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
    )
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    actions = ("sign_out_everywhere", "new_sign_in_link", "remove_second_factors")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        people = super().get_queryset(request).filter(pk__in=people_of(request).values("pk"))
        return people.annotate(protected=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)))

    def state_of(self, obj: Model) -> str:
        """With the roles, which stand on the same page."""
        return digest_of_row(obj, Membership.objects.filter(user=obj.pk))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if obj is None or manages_wholly(request, obj):
            return self.readonly_fields
        return ("username", "first_name", "last_name", "email", "is_active", *self.readonly_fields)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Where the password is not theirs to change it is left out: a read-only field would show its hash."""
        rows = super().get_fieldsets(request, obj)
        if obj is None or manages_wholly(request, obj):
            return rows
        return [
            (title, {**shown, "fields": [name for name in shown["fields"] if name != "password"]})
            for title, shown in rows
        ]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        person = self.get_object(request, id)
        if person is None or not manages_wholly(request, person):
            raise PermissionDenied
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return not lookup.startswith("password") and lookup in {"is_active__exact", "memberships__role__exact"}

    @admin.action(description="Sign out everywhere")
    def sign_out_everywhere(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            if manages_wholly(request, person):
                with transaction.atomic():
                    person.end_sessions()
                    audit.record(
                        "sessions.end", actor=request.user, request=request, detail={"person": person.username}
                    )
                self.message_user(request, f"{person} is signed out everywhere.")
            else:
                self._not_yours(request, person)

    @admin.action(description="Make a sign-in link (works once, 24 hours)")
    def new_sign_in_link(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            if manages_wholly(request, person) and person.is_active:
                with transaction.atomic():
                    audit.record("link.make", actor=request.user, request=request, detail={"person": person.username})
                    link = make_link(person)
                self.message_user(request, format_html("Give this to {} alone: {}", person.username, link))
            else:
                self._not_yours(request, person)

    @admin.display(description="second factor", boolean=True)
    def second_factor(self, person: User) -> bool:
        return bool(person.protected)  # type: ignore[attr-defined]

    @admin.action(description="Remove the second factors (a telephone was lost)")
    def remove_second_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            if not manages_wholly(request, person):
                self._not_yours(request, person)
            elif remove_factors(person):
                self.message_user(request, f"{person} comes in without a second factor, and is signed out everywhere.")
            else:
                self.message_user(request, f"{person} has no second factor.", level=messages.WARNING)

    def _not_yours(self, request: HttpRequest, person: User) -> None:
        text = f"{person} is disabled, or belongs to an organization that you do not manage: nothing was done."
        self.message_user(request, text, level=messages.ERROR)


@admin.register(Organization)
class OrganizationAdmin(Managed):
    list_display = ("name", "title", "time_zone", "mfa_required")
    search_fields = ("name", "title")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        return super().get_queryset(request).filter(pk__in=administered(request).values("pk"))

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return administers(request) and request.user.is_superuser

    def get_readonly_fields(self, request: HttpRequest, obj: Organization | None = None) -> tuple[str, ...]:
        return ("name",) if obj else ()


@admin.register(ApiToken)
class ApiTokenAdmin(Managed):
    """Tokens are made by `manage.py issue_token` and by people on their own page; here they are seen and revoked."""

    list_display = ("user", "name", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at")
    list_filter = ("revoked_at",)
    search_fields = ("user__username", "name")
    fields = readonly_fields = list_display
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        return super().get_queryset(request).filter(user__in=people_of(request)).select_related("user")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset.filter(revoked_at=None):
            if not manages_wholly(request, token.user):
                self.message_user(request, f"The token of {token.user} is not yours to revoke.", level=messages.ERROR)
                continue
            with transaction.atomic():
                token.revoked_at = timezone.now()
                token.save(update_fields=["revoked_at"])
                detail = {"person": token.user.username}
                audit.record("token.revoke", actor=request.user, request=request, detail=detail)
            self.message_user(request, f"The token {token.name!r} of {token.user} is revoked.")


from accounts import admin_audit  # noqa: E402, F401 - the page of the record registers itself
