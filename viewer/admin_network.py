"""What an administrator sees of the DICOM network: peers, transfers, commitments, performed steps, the quarantine.

Numbers, UIDs and reasons; who the patients are is for those who read.
"""

from __future__ import annotations

import ipaddress
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from accounts import audit
from accounts.admin import OfOrganization, administered
from accounts.models import Organization
from accounts.policy import administers
from viewer.admin import LookOnly
from viewer.archive import transfers
from viewer.archive.ingest import ingest_file
from viewer.archive.rows import DatabaseBusy, patiently
from viewer.archive.storage import StorageFull, blob_store
from viewer.models import Commitment, DicomPeer, PerformedStep, Quarantined, Transfer

AT_ONCE = 100
TESTS_AT_ONCE = 5
QUARANTINE_DOOR = "quarantine"


class PeerForm(forms.ModelForm):
    """What is wrong with a peer is said in a sentence at the field that it is about."""

    class Meta:
        model = DicomPeer
        fields = (
            *("organization", "ae_title", "description", "host", "port", "tls"),
            *("may_store", "may_query", "may_retrieve", "may_commit", "is_archive", "retrieve_by", "active"),
        )
        labels = {
            "ae_title": "AE title",
            "tls": "TLS",
            "may_store": "may store here (C-STORE)",
            "may_query": "may ask (C-FIND, modality worklist)",
            "may_retrieve": "may retrieve (C-GET, C-MOVE)",
            "may_commit": "may ask for storage commitment and report performed steps",
            "is_archive": "is an archive",
        }
        help_texts = {
            "host": "Where it calls from and is called at: a name or an address; of one that only calls also a network, "
            "10.1.0.0/16.",
            "port": "Where it listens; empty: it only calls.",
            "tls": "It is called by TLS; its certificate is checked (FARVIEW_DICOM_CA_FILE).",
            "is_archive": "Earlier studies are looked for there when an order or a study arrives.",
            "retrieve_by": "How studies are fetched from it. For C-MOVE it must know our AE title, host and port, "
            "and may store here.",
        }

    def clean_ae_title(self) -> str:
        title = str(self.cleaned_data["ae_title"]).strip()
        if not (title and title.isascii() and title.isprintable() and "\\" not in title):
            raise forms.ValidationError("An AE title is 1 to 16 ASCII characters, without a backslash.")
        return title

    def clean_host(self) -> str:
        host = str(self.cleaned_data["host"]).strip()
        if not host or any(letter.isspace() for letter in host) or ("/" in host and _network(host) is None):
            raise forms.ValidationError("A host is a name, an address, or a network as 10.1.0.0/16.")
        return host

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        port = cleaned.get("port")
        if port is not None and not 0 < port < 65536:
            self.add_error("port", "A port is 1 to 65535.")
        if "/" in cleaned.get("host", "") and port is not None:
            self.add_error("port", "A network only calls: it has no port to be called at.")
        if cleaned.get("is_archive") and port is None:
            self.add_error("port", "An archive is asked, and has a port.")
        if cleaned.get("is_archive") and cleaned.get("retrieve_by") == "move" and not cleaned.get("may_store"):
            self.add_error("may_store", "What comes by C-MOVE comes as C-STORE: it has to be allowed to store here.")
        organization = cleaned.get("organization") or getattr(self.instance, "organization", None)
        if organization and {"ae_title", "host"} <= cleaned.keys() and in_the_way(organization, cleaned):
            self.add_error("ae_title", "From there, this AE title is a peer of another organization.")
        return cleaned


def in_the_way(organization: Organization, said: dict[str, Any]) -> bool:
    """Whether calls that this row would take are another organization's already: nobody draws those to themselves."""
    others = DicomPeer.objects.filter(ae_title=said["ae_title"]).exclude(organization=organization)
    return any(_meet(said["host"], host) for host in others.values_list("host", flat=True))


def _meet(one: str, other: str) -> bool:
    ours, theirs = _network(one), _network(other)
    if ours is None or theirs is None:
        return True  # a name may be any address
    return ours.version == theirs.version and ours.overlaps(theirs)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


class NetworkRows(OfOrganization):
    """Many rows."""

    list_per_page = 50
    show_full_result_count = False


@admin.register(DicomPeer)
class DicomPeerAdmin(NetworkRows):
    """Who may call, and whom we call. One that is not wanted any more is switched off."""

    form = PeerForm
    change_form_template = "admin/viewer/dicompeer/change_form.html"
    list_display = (
        "ae_title",
        "organization",
        "description",
        "host",
        "port",
        "rights",
        "is_archive",
        "active",
        "last_seen_at",
    )
    list_filter = ("active", "is_archive")
    search_fields = ("ae_title", "host", "description")
    ordering = ("organization", "ae_title")
    actions = ("test_connection",)

    def get_readonly_fields(self, request: HttpRequest, obj: DicomPeer | None = None) -> tuple[str, ...]:
        return ("organization",) if obj else ()

    @admin.display(description="may")
    def rights(self, peer: DicomPeer) -> str:
        named = ("store", "query", "retrieve", "commit")
        return ", ".join(name for name in named if getattr(peer, f"may_{name}")) or "nothing but C-ECHO"

    @admin.action(description="Test the connection (C-ECHO)")
    def test_connection(self, request: HttpRequest, queryset: QuerySet[DicomPeer]) -> None:
        for peer in queryset[:TESTS_AT_ONCE]:
            self._test(request, peer)

    def response_change(self, request: HttpRequest, obj: DicomPeer) -> HttpResponse:
        if "_test" in request.POST:
            request.afterwards = [partial(self._test, request, obj)]  # type: ignore[attr-defined]
            return redirect(request.get_full_path())
        return super().response_change(request, obj)

    def _test(self, request: HttpRequest, peer: DicomPeer) -> None:
        from viewer.dimse.calling import NotReached, echo

        about: dict[str, Any] = {
            "actor": request.user,
            "request": request,
            "organization": peer.organization.name,
        }
        audit.record("peer.test.begun", **about, detail={"peer": peer.ae_title})
        try:
            words, level = echo(peer), messages.SUCCESS
        except NotReached as problem:
            words, level = f"{str(problem)[:1].upper()}{str(problem)[1:]}.", messages.ERROR
        audit.record(
            "peer.test",
            **about,
            outcome="success" if level == messages.SUCCESS else "failure",
            detail={"peer": peer.ae_title, "answer": words},
        )
        self.message_user(request, words, level)


class Looked(LookOnly):
    """Rows of the organizations that whoever asks manages, to look at."""

    list_display_links = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.filter(organization__in=administered(request)).select_related("organization", *self.beside)

    beside: tuple[str, ...] = ("peer",)


@admin.register(Transfer)
class TransferAdmin(NetworkRows):
    list_display = (
        *(
            "created_at",
            "organization",
            "kind",
            "peer",
            "state",
            "study_instance_uid",
            "done",
            "total",
            "failed",
            "tries",
        ),
        *("next_try_at", "problem", "reason"),
    )
    list_filter = ("state", "kind", "reason")
    search_fields = ("=study_instance_uid", "=peer__ae_title")
    list_display_links = None
    list_select_related = ("peer",)
    ordering = ("-id",)
    actions = ("retry", "cancel")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Try again now")
    def retry(self, request: HttpRequest, queryset: QuerySet[Transfer]) -> None:
        self._each(request, queryset, transfers.retry, "begin again", "are on their way, or done")

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Transfer]) -> None:
        self._each(request, queryset, transfers.cancel, "are cancelled", "had ended already")

    def _each(self, request: HttpRequest, queryset: QuerySet[Transfer], act: Any, done: str, left: str) -> None:
        told = [patiently(partial(act, row, request.user, request)) for row in queryset[:AT_ONCE]]
        if sum(told):
            self.message_user(request, f"{sum(told)} {done}.")
        if told.count(False):
            self.message_user(request, f"{told.count(False)} {left}: nothing was done.", messages.WARNING)


@admin.register(Commitment)
class CommitmentAdmin(Looked):
    list_display = fields = (
        *("created_at", "organization", "peer", "transaction_uid", "state", "asked", "not_kept", "tries", "problem"),
    )
    list_filter = ("state",)
    search_fields = ("=transaction_uid",)
    ordering = ("-id",)

    @admin.display(description="objects asked for")
    def asked(self, row: Commitment) -> int:
        return len(row.references)

    @admin.display(description="not committed")
    def not_kept(self, row: Commitment) -> int:
        return len(row.failures)


@admin.register(PerformedStep)
class PerformedStepAdmin(Looked):
    list_display = fields = (
        *("created_at", "updated_at", "organization", "peer", "status", "study_instance_uid", "accession_number"),
        "sop_instance_uid",
    )
    list_filter = ("status",)
    search_fields = ("=study_instance_uid", "=accession_number")
    ordering = ("-id",)


class QuarantinedForm(forms.ModelForm):
    class Meta:
        model = Quarantined
        fields = ("resolution",)
        labels = {"resolution": "Why it is not needed"}

    def clean_resolution(self) -> str:
        said = str(self.cleaned_data["resolution"]).strip()
        if not said:
            raise forms.ValidationError("Say why.")
        return said


@admin.register(Quarantined)
class QuarantinedAdmin(NetworkRows):
    """Objects that a door refused. Their bytes are given to nobody; they are tried again, or done with for a reason."""

    form = QuarantinedForm
    shown = (
        "received_at",
        "organization",
        "door",
        "sender",
        "reason",
        "study_instance_uid",
        "sop_instance_uid",
        "size",
    )
    list_display = (*shown, "resolved_at", "resolution")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "door")
    search_fields = ("=study_instance_uid", "=sop_instance_uid", "sender")
    ordering = ("-id",)
    readonly_fields = shown
    fields = (*shown, "resolution")
    actions = ("try_again",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administers(request) and (obj is None or obj.resolved_at is None)

    @admin.display(description="bytes")
    def size(self, row: Quarantined) -> int:
        return int(row.blob.size)

    def save_model(self, request: HttpRequest, obj: Quarantined, form: Any, change: bool) -> None:
        obj.resolved_at = timezone.now()
        super().save_model(request, obj, form, change)

    @admin.action(description="Try to take it in again")
    def try_again(self, request: HttpRequest, queryset: QuerySet[Quarantined]) -> None:
        for row in queryset.filter(resolved_at=None).select_related("organization", "blob")[:AT_ONCE]:
            self._take(request, row)

    def _take(self, request: HttpRequest, row: Quarantined) -> None:
        path = blob_store().path(row.blob_id)
        try:
            told = ingest_file(path, row.organization, QUARANTINE_DOOR, request.user)
        except (StorageFull, DatabaseBusy, OSError) as problem:
            self.message_user(request, f"{row.pk}: {problem}", messages.ERROR)
            return
        if told.outcome not in ("stored", "duplicate", "conflict"):
            self.message_user(request, f"{row.pk}: it is refused again: {told.reason or row.reason}", messages.ERROR)
            return

        def resolve() -> None:
            Quarantined.objects.filter(pk=row.pk).update(
                resolved_at=timezone.now(), resolution=f"taken in: {told.outcome}"
            )
            audit.record(
                "quarantined.release",
                actor=request.user,
                request=request,
                organization=row.organization.name,
                study_instance_uid=told.study_instance_uid,
                object_uid=told.sop_instance_uid,
                detail={"outcome": told.outcome},
            )

        patiently(resolve)
        self.message_user(request, f"{row.pk}: {told.outcome}.")
