"""Administration of deliveries: where reports go, which of them wait, who may send orders, and what came of their messages.

An administrator sees numbers, states and reasons; who the patients are only where they read in that organization, too.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html

from accounts import audit
from accounts.admin import OfOrganization, administered
from accounts.models import READING_ROLES, User
from reporting.delivery import claims, inbound, peers, to_mail
from reporting.delivery.kinds import KINDS, problems
from reporting.delivery.outcomes import NotSent, Outgoing
from reporting.models import Delivery, Destination, HL7Peer, InboundMessage
from viewer.admin import LookOnly, Written

TESTS_AT_ONCE = 5
APPLIED_AT_ONCE = 100


# --- destinations


class DestinationForm(forms.ModelForm):
    """What is wrong with an address or an option is said in a sentence."""

    kind = forms.ChoiceField(choices=[(name, kind.title) for name, kind in KINDS.items()])
    options = Written(6, required=False, initial=dict, help_text="{} or what the kind has: docs/delivery.md lists it.")

    class Meta:
        model = Destination
        fields = ("organization", "name", "kind", "address", "options", "preliminary", "active")
        help_texts = {
            "address": "FHIR: https://HOST/PATH. HL7: HOST:PORT. Mail: addresses parted by commas, or the word referrer. "
            "DICOM: an AE title. This archive: nothing.",
            "preliminary": "Preliminary reports go there, too.",
        }

    def clean_options(self) -> Any:
        return self.cleaned_data["options"] or {}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        organization = cleaned.get("organization") or getattr(self.instance, "organization", None)
        if organization is not None and {"kind", "options"} <= cleaned.keys():
            for said in problems(cleaned["kind"], cleaned.get("address", ""), cleaned["options"], organization.name):
                self.add_error(None, said)
        return cleaned


@admin.register(Destination)
class DestinationAdmin(OfOrganization):
    """Receivers of reports. Their secrets stand in the server's environment, never here."""

    form = DestinationForm
    change_form_template = "admin/reporting/destination/change_form.html"
    list_display = ("name", "organization", "kind", "address", "preliminary", "active", "waiting")
    list_filter = ("kind", "active")
    ordering = ("organization", "name")
    actions = ("send_test",)

    def get_readonly_fields(self, request: HttpRequest, obj: Destination | None = None) -> tuple[str, ...]:
        return ("organization",) if obj else ()

    @admin.display(description="waiting")
    def waiting(self, row: Destination) -> str:
        rows = row.deliveries.filter(state__in=(*claims.UNFINISHED, "given_up"))
        given_up = rows.filter(state="given_up").count()
        return f"{rows.count()}" + (f", {given_up} given up" if given_up else "")

    @admin.action(description="Send a test")
    def send_test(self, request: HttpRequest, queryset: QuerySet[Destination]) -> None:
        for row in queryset[:TESTS_AT_ONCE]:
            self._test(request, row)

    def response_change(self, request: HttpRequest, obj: Destination) -> HttpResponse:
        if "_test" in request.POST:
            request.afterwards = [partial(self._test, request, obj)]  # type: ignore[attr-defined]
            return redirect(request.get_full_path())
        return super().response_change(request, obj)

    def _test(self, request: HttpRequest, row: Destination) -> None:
        test = KINDS[row.kind].test
        if test is None:
            self.message_user(request, f"{row}: there is nothing to test.")
            return
        about: dict[str, Any] = {
            "actor": request.user,
            "request": request,
            "organization": row.organization.name,
            "detail": {"destination": row.name},
        }
        audit.record("destination.test.begun", **about)
        try:
            told, level = async_to_sync(test)(_test_of(row, request.user)), messages.SUCCESS
        except NotSent as problem:
            told, level = f"{problem}{'. ' if problem.answer else ''}{problem.answer[:500]}", messages.ERROR
        outcome = "success" if level == messages.SUCCESS else "failure"
        audit.record("destination.test", **about, outcome=outcome)
        self.message_user(request, f"{row}: {told}", level=level)


def _test_of(row: Destination, user: Any) -> Outgoing:
    """What a test is given: no report. A mail for referrers goes to whoever asks for the test."""
    own = (user.email,) if user.email else ()
    address = row.address.strip()
    recipients = own if address == to_mail.REFERRER else tuple(to_mail.addresses_in(address))
    return Outgoing("FVTEST", b"", address, dict(row.options), row.organization.name, recipients=recipients)


# --- deliveries


@admin.register(Delivery)
class DeliveryAdmin(LookOnly):
    """Each signed version on its way to each destination."""

    list_display = ("created_at", "state", "problem", "destination", "report_number", "version", "tries", "next_try_at")
    list_filter = ("state", "destination__kind")
    fields = readonly_fields = (
        *("destination", "report_number", "version", "state", "tries", "control_id", "problem", "answer"),
        *("created_at", "sent_at", "acknowledged_at", "next_try_at"),
    )
    ordering = ("-id",)
    actions = ("try_again", "give_up")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows: Any = super().get_queryset(request)
        rows = rows.filter(destination__organization__in=administered(request))
        return rows.select_related("destination", "report_version")

    @admin.display(description="report", ordering="report")
    def report_number(self, row: Delivery) -> int:
        return row.report_id

    @admin.display(description="version")
    def version(self, row: Delivery) -> str:
        return f"{row.report_version.number} ({row.report_version.state})"

    @admin.action(description="Try again now")
    def try_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self._done(request, queryset, "retry", claims.try_again, "will be sent now")

    @admin.action(description="Give up: send no more by itself")
    def give_up(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self._done(request, queryset, "give_up", claims.give_up, "given up")

    def _done(self, request: HttpRequest, queryset: QuerySet[Delivery], act: str, do: Any, words: str) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        with transaction.atomic():
            changed = do(Delivery.objects.filter(pk__in=chosen))
            detail = {"deliveries": chosen, "changed": changed}
            audit.record(f"delivery.{act}", actor=request.user, request=request, detail=detail)
        rest = len(chosen) - changed
        self.message_user(request, f"{changed} {words}." + (f" {rest} stay as they are." if rest else ""))


# --- who sends, and what came


class PeerForm(forms.ModelForm):
    mapping = Written(
        8,
        required=False,
        initial=dict,
        help_text="Where this sender puts things, if elsewhere: docs/delivery.md lists it.",
    )

    class Meta:
        model = HL7Peer
        fields = (
            *("organization", "name", "address", "sending_application", "sending_facility", "character_set", "mapping"),
            "active",
        )
        help_texts = {
            "address": "An IP address, or a network as 10.1.0.0/16.",
            "sending_application": "MSH-3 of its messages; empty: any.",
            "sending_facility": "MSH-4 of its messages; empty: any.",
            "character_set": "What it means where MSH-18 names none: 8859/1, ... Empty: UTF-8.",
        }

    def clean_mapping(self) -> Any:
        return self.cleaned_data["mapping"] or {}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if {"address", "mapping"} <= cleaned.keys():
            for said in peers.problems(cleaned["address"], cleaned.get("character_set", ""), cleaned["mapping"]):
                self.add_error(None, said)
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.errors and self.instance.active and peers.in_the_way(self.instance):
            self.add_error(None, "Some of these messages are another organization's: name application and facility.")


@admin.register(HL7Peer)
class HL7PeerAdmin(OfOrganization):
    """Systems that may send orders and patients. One that is switched off is refused."""

    form = PeerForm
    list_display = ("name", "organization", "address", "sending_application", "sending_facility", "active")
    list_filter = ("active",)
    ordering = ("organization", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: HL7Peer | None = None) -> tuple[str, ...]:
        return ("organization",) if obj else ()


@admin.register(InboundMessage)
class InboundMessageAdmin(LookOnly):
    """Messages as they came, and what was made of them."""

    list_display = ("received_at", "kind", "state", "problem", "sender", "control_id", "organization")
    list_filter = ("state", "kind")
    search_fields = ("=control_id", "sender")
    fields = readonly_fields = (
        *("received_at", "organization", "peer", "kind", "sender", "control_id", "sha256", "state", "problem"),
        *("answer", "text"),
    )
    ordering = ("-id",)
    actions = ("apply_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundMessage]:
        rows: Any = super().get_queryset(request)
        return rows.filter(organization__in=administered(request)).select_related("organization", "peer__organization")

    def get_fields(self, request: HttpRequest, obj: InboundMessage | None = None) -> tuple[str, ...]:
        """The text names the patient: it is for those who read in that organization."""
        if obj is not None and _reads(request.user, obj):
            return self.fields
        return tuple(name for name in self.fields if name != "text")

    @admin.display(description="text")
    def text(self, row: InboundMessage) -> str:
        return format_html('<pre class="readonly">{}</pre>', row.body.replace("\r", "\n"))

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is not None and _reads(request.user, row):
            audit.record(
                "hl7.view",
                actor=request.user,
                request=request,
                organization=row.organization.name,
                object_uid=f"message {row.pk}",
            )
        return super().change_view(request, object_id, *args, **kwargs)

    @admin.action(description="Apply again")
    def apply_again(self, request: HttpRequest, queryset: QuerySet[InboundMessage]) -> None:
        for row in queryset.order_by("id")[:APPLIED_AT_ONCE]:
            if row.state == inbound.APPLIED:
                self.message_user(request, f"{row.control_id} is applied already.", level=messages.WARNING)
                continue
            audit.record(
                "hl7.apply",
                actor=request.user,
                request=request,
                organization=row.organization.name,
                object_uid=f"message {row.pk}",
            )
            outcome = inbound.apply(row)
            good = outcome.code == "AA"
            told = "applied" if good else outcome.words
            level = messages.SUCCESS if good else messages.ERROR
            self.message_user(request, f"{row.control_id}: {told}", level=level)


def _reads(user: Any, row: InboundMessage) -> bool:
    if not isinstance(user, User) or row.organization_id is None:
        return False
    return user.organizations_as(READING_ROLES).filter(pk=row.organization_id).exists()
