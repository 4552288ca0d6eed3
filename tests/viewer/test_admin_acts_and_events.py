"""The administration while the record takes nothing: each page that changes, each action, is asked, and changes no row.

Forms are filled as a browser fills them: with what the page shows, and with what the table says instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.authentication import issue
from accounts.models import AuditEvent, Membership, Organization, Role, User
from reporting.models import Report
from tests.accounts.matrix.administered import names_of, rows_of
from tests.accounts.matrix.world import PATIENT_ID, World, build, in_a_folder_of_its_own, one_connection
from tests.viewer.test_acts_and_events import RECORD, Shut, rows_of_all, taken_back
from viewer.api import auditing
from viewer.serving.runtime import runtime

OPERATOR = "operator"
PASSWORD = "a lantern over the harbour"
UNCOUNTED = {RECORD, "sqlite_sequence", "accounts_failedsignin"}
"""Who asks has a token, so that sessions are rows like others."""


@dataclass(frozen=True)
class Turn:
    """One way to change something at one model's pages. `act`: "add", "change", "delete", the end of another page's
    address, or the name of an action."""

    model: str
    act: str
    says: dict[str, Any] = field(default_factory=dict, hash=False)
    """Fields that are filled in otherwise than the page shows them."""
    rows: dict[str, Any] = field(default_factory=dict, hash=False)
    """Columns that the row has to have first."""
    first: Callable[[], object] | None = field(default=None, hash=False)
    """What else has to be so first."""

    def __str__(self) -> str:
        return f"{self.act} {self.model}"


LATER = {"until_0": "2099-01-01", "until_1": "10:00"}
REASON = {"reason": "because of the test"}
CLAIMED = {"status": "claimed", "claimed_by_id": "{reader}", "claim_token": "x", "claim_seen_at": timezone.now()}
TURNS = (
    Turn("accounts_user", "add", {"username": "new", "usable_password": "false", "email": ""}),
    Turn("accounts_user", "change", {"first_name": "Other"}),
    Turn("accounts_user", "password/", {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}),
    Turn("accounts_user", "sign_out_everywhere"),
    Turn("accounts_user", "new_sign_in_link"),
    Turn("accounts_user", "remove_second_factors"),
    Turn("accounts_organization", "add", {"name": "new", "title": "New"}),
    Turn("accounts_organization", "change", {"title": "Other"}),
    Turn("accounts_apitoken", "revoke"),
    Turn("usersessions_usersession", "sign_out_there"),
    Turn("viewer_conflict", "change", {"resolution": "looked at"}),
    Turn("viewer_hangingprotocol", "add", {"name": "new", "organization": "{organization}"}),
    Turn("viewer_hangingprotocol", "change", {"priority": "7"}),
    Turn("viewer_hangingprotocol", "delete"),
    Turn("viewer_hangingprotocol", "copy"),
    Turn("viewer_hangingprotocol", "activate", rows={"active": False}),
    Turn("viewer_hangingprotocol", "deactivate"),
    Turn("viewer_grant", "add", {"study_instance_uid": "{study}", "user": "{user}", **LATER}),
    Turn("viewer_grant", "end"),
    Turn("viewer_emergencyaccess", "change", {"review": "looked at"}),
    Turn("viewer_emergencyaccess", "end_now", rows={"until": timezone.now() + timezone.timedelta(hours=1)}),
    Turn("viewer_dicompeer", "add", {"organization": "{organization}", "ae_title": "NEW", "host": "10.1.1.1"}),
    Turn("viewer_dicompeer", "change", {"description": "other", "port": "104"}),
    Turn("viewer_transfer", "retry", rows={"state": "given_up"}),
    Turn("viewer_transfer", "cancel"),
    Turn("viewer_quarantined", "change", {"resolution": "not needed"}),
    Turn("viewer_quarantined", "try_again"),
    Turn("viewer_retentionrule", "add", {"organization": "{organization}", "days": "10", "counted_from": "study"}),
    Turn("viewer_retentionrule", "change", {"days": "20"}),
    Turn("viewer_retentionrule", "delete"),
    Turn("viewer_hold", "add", {"organization": "{organization}", "study_instance_uid": "{study}", **REASON}),
    Turn("viewer_hold", "lift"),
    Turn(
        "reporting_destination",
        "add",
        {"organization": "{organization}", "name": "new", "kind": "archive", "address": ""},
    ),
    Turn("reporting_destination", "change", {"name": "other", "kind": "archive", "address": ""}),
    Turn("reporting_delivery", "try_again"),
    Turn("reporting_delivery", "give_up"),
    Turn("reporting_hl7peer", "add", {"organization": "{organization}", "name": "new", "address": "10.9.9.9"}),
    Turn("reporting_hl7peer", "change", {"name": "other"}),
    Turn("reporting_inboundmessage", "apply_again"),
    Turn("reporting_template", "act/", {"retire": "1"}),
    Turn("reporting_report", "cancel", REASON, {"state": "draft", "signed_version": 0}),
    Turn(
        "reporting_templatechoice",
        "add",
        {"template": "{template}", "organization": "{organization}", "modality": "MR"},
    ),
    Turn("reporting_templatechoice", "change", {"words": "other"}),
    Turn("reporting_templatechoice", "delete"),
    Turn("reporting_macro", "add", {"organization": "{organization}", "shortcut": "new", "text": "New."}),
    Turn("reporting_macro", "change", {"text": "Other."}),
    Turn("reporting_macro", "delete"),
    Turn("reporting_order", "cancel", REASON),
    Turn("reporting_readingitem", "free", REASON, CLAIMED),
    Turn("reporting_readingitem", "cancel", REASON, first=lambda: Report.objects.update(item=None)),
    Turn("reporting_readingitem", "to_nobody"),
    Turn("reporting_reportingsite", "change", {"footer": "other"}),
    Turn(
        "reporting_referreridentity", "add", {"organization": "{organization}", "user": "{user}", "identifier": "R-9"}
    ),
    Turn("reporting_referreridentity", "change", {"identifier": "R-8"}),
    Turn("reporting_referreridentity", "delete"),
)
ELSEWHERE = {
    "viewer_dicompeer test_connection": "asks another machine; written down before and after: test_admin_network",
    "reporting_destination send_test": "sends to another machine; written down before and after: reporting/delivery/test_admin",
    "reporting_template export": "changes nothing",
    "reporting_template change": "shows; its forms go to act/",
    "reporting_reportingsite add": "there is one row for each organization",
}
"""Why not asked here."""


@dataclass
class House:
    world: World
    rows: dict[type[Model], int]


@pytest.fixture(scope="module")
def house(
    django_db_setup: None, django_db_blocker: Any, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        in_a_folder_of_its_own(patch, tmp_path_factory.mktemp("administered"))
        one_connection(patch)
        audit._kept_key.cache_clear()
        with taken_back():
            world = build(shared_data)
            yield House(world, rows_of(world))
        audit._kept_key.cache_clear()
    runtime().stop_private()


@pytest.fixture
def asked(house: House, caplog: pytest.LogCaptureFixture, django_db_blocker: Any) -> Iterator[House]:
    caplog.set_level("CRITICAL")
    with django_db_blocker.unblock():
        yield house


def model_named(name: str) -> type[Model]:
    return next(model for model in admin.site._registry if names_of(model) == name)


def form_of(answer: Any) -> dict[str, Any]:
    """What a browser would send back of the page, unchanged."""
    found: dict[str, Any] = {}
    forms = [answer.context["adminform"].form]
    for inline in answer.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if hasattr(bound.field, "widget") and hasattr(bound.field.widget, "widgets"):
                parts = bound.field.widget.decompress(value) if value else [None] * len(bound.field.widget.widgets)
                found |= {f"{bound.html_name}_{n}": str(part) for n, part in enumerate(parts) if part is not None}
            elif value is True:
                found[bound.html_name] = "on"
            elif value is not None and value is not False:
                found[bound.html_name] = value
    return found


def taken(house: House, turn: Turn, patch: pytest.MonkeyPatch, *, shut: bool) -> tuple[int, list[str], str]:
    """Status, tables whose rows are others than before, and what came back."""
    model = model_named(turn.model)
    names = {
        "{organization}": house.rows[model_named("accounts_organization")],
        "{reader}": house.world.users["radiologist"].pk,
        "{user}": house.world.users["of_home"].pk,
        "{study}": house.world.real["study_instance_uid"],
        "{template}": house.rows[model_named("reporting_template")],
    }
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    says = {name: names.get(value, value) for name, value in turn.says.items()}
    with taken_back():
        token = issue(house.world.users[OPERATOR])
        client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})
        row = house.rows[model]
        if turn.first:
            turn.first()
        if turn.rows:
            model._base_manager.filter(pk=row).update(**{name: names.get(str(v), v) for name, v in turn.rows.items()})
        if turn.act in ("add", "change"):
            path = f"{base}add/" if turn.act == "add" else f"{base}{row}/change/"
            shown = client.get(path)
            assert shown.status_code == 200, (path, shown.content[:500])
            sent = form_of(shown) | says
        elif turn.act == "delete":
            path, sent = f"{base}{row}/delete/", {"post": "yes"}
        elif turn.act.endswith("/"):
            path, sent = f"{base}{row}/{turn.act}", says
        else:
            path, sent = base, {"action": turn.act, "_selected_action": [row], **says}
        before, events = rows_of_all(UNCOUNTED), AuditEvent.objects.count()
        auditing.LATELY.forget()
        with pytest.MonkeyPatch.context() as patched:
            if shut:
                patched.setattr(audit, "_ROWS", Shut())
            answer = client.post(path, sent)
        after = rows_of_all(UNCOUNTED)
        changed = [table for table, held in after.items() if held != before[table]]
        made = list(AuditEvent.objects.order_by("-sequence")[: AuditEvent.objects.count() - events])
        if made:
            changed.append(RECORD)
            assert PATIENT_ID not in str([one.detail for one in made])
        return answer.status_code, changed, answer.content.decode(errors="replace")


def test_a_change_leaves_the_digests_of_before_and_after(db: None) -> None:
    """It asks for `db`, so that the tests' database is made; the others use it without a transaction."""
    home = Organization.objects.create(name="home")
    boss, person = User.objects.create_user("boss", is_superuser=True), User.objects.create_user("person")
    for user in (boss, person):
        Membership.objects.create(user=user, organization=home, role=Role.ADMIN)
    client = Client(headers={"Authorization": f"Bearer {issue(boss)}"})
    page = f"/admin/accounts/user/{person.pk}/change/"
    shown = form_of(client.get(page))
    assert client.post(page, shown | {"memberships-0-role": "resident"}).status_code == 302
    first = AuditEvent.objects.get(action="user.change").detail
    assert client.post(page, form_of(client.get(page)) | {"memberships-0-role": "admin"}).status_code == 302
    second = AuditEvent.objects.filter(action="user.change").order_by("sequence")[1].detail
    assert len(first["before"]) == 64
    assert (first["before"], first["after"]) == (second["after"], second["before"]), (
        "a role given back, all is as it was"
    )
    assert first["before"] != first["after"]


def test_every_page_and_action_that_changes_is_asked_or_says_why_not(asked: House) -> None:
    request: Any = SimpleNamespace(user=asked.world.users[OPERATOR], GET={}, POST={}, method="GET")
    can = set()
    for model, page in admin.site._registry.items():
        row = model._base_manager.get(pk=asked.rows[model])
        if names_of(model) == "viewer_conflict":
            row.resolved_at = None
        name = names_of(model)
        can |= {f"{name} add"} if page.has_add_permission(request) else set()
        writes = page.has_change_permission(request, row) and set(page.get_fields(request, row)) - set(
            page.get_readonly_fields(request, row)
        )
        can |= {f"{name} change"} if writes else set()
        can |= {f"{name} delete"} if page.has_delete_permission(request, row) else set()
        can |= {f"{name} {one}" for one in page.get_actions(request) if not one.startswith("to_") or one == "to_nobody"}
    named = {f"{turn.model} {turn.act}" for turn in TURNS}
    assert can - named - ELSEWHERE.keys() == set()


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_an_act_that_cannot_be_written_down_does_not_happen(
    asked: House, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, changed, said = taken(asked, turn, monkeypatch, shut=False)
    assert status == 302, re.findall(r'class="errorlist[^>]*>(.*?)</ul>', said, re.DOTALL) or said[:1000]
    assert RECORD in changed, "it was written down"
    assert len(changed) > 1, "it was to act, so that something could be seen to be left undone"
    status, changed, said = taken(asked, turn, monkeypatch, shut=True)
    assert status >= 500, (status, said)
    assert changed == []
