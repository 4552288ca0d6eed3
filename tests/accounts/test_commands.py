"""The commands by which people are made and come in."""

from __future__ import annotations

import io
import sys

import pytest
from django.core.management import CommandError, call_command

from accounts import audit
from accounts.authentication import user_for_token
from accounts.models import ApiToken, AuditEvent, Membership, Organization, User
from tests.accounts.conftest import PASSWORD


def run(*args: str, typed: str | None = None) -> str:
    """What the command prints; `typed` is its standard input."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        if typed is not None:
            patch.setattr(sys, "stdin", io.StringIO(typed))
        call_command(*args, stdout=out, stderr=out)
    return out.getvalue()


def roles(name: str) -> set[tuple[str, str]]:
    return set(Membership.objects.filter(user__username=name).values_list("organization__name", "role"))


def test_a_person_is_made_with_a_role_in_the_default_organization(db):
    run("add_user", "reader", "--role", "radiologist", "--password-stdin", typed=PASSWORD + "\n")
    person = User.objects.get(username="reader")
    assert person.check_password(PASSWORD)
    assert roles("reader") == {("default", "radiologist")}
    assert not person.is_staff
    assert not person.is_superuser


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_the_line_ending_is_no_part_of_the_password(db, ending):
    run("add_user", "reader", "--role", "radiologist", "--password-stdin", typed=f" {PASSWORD} {ending}")
    assert User.objects.get().check_password(f" {PASSWORD} ")


def test_a_reader_of_several_organizations_which_are_made_when_first_named(db):
    places = ("--organization", "north", "--organization", "south")
    run("add_user", "reader", "--role", "resident", *places, "--password-stdin", typed=PASSWORD)
    assert roles("reader") == {("north", "resident"), ("south", "resident")}
    assert set(Organization.objects.values_list("name", flat=True)) == {"north", "south"}


def test_a_person_who_is_there_gets_one_more_role_and_the_new_password(db):
    run("add_user", "reader", "--role", "radiologist", "--password-stdin", typed=PASSWORD)
    run("add_user", "reader", "--role", "admin", "--password-stdin", typed="another lantern entirely")
    assert roles("reader") == {("default", "radiologist"), ("default", "admin")}
    assert User.objects.get().check_password("another lantern entirely")


def test_without_a_password_on_standard_input_the_old_one_stays(db):
    run("add_user", "reader", "--role", "radiologist", "--password-stdin", typed=PASSWORD)
    run("add_user", "reader", "--role", "radiologist", "--organization", "far")
    assert User.objects.get().check_password(PASSWORD)


def test_the_same_again_withdraws_nothing(db):
    for _ in range(2):
        run("add_user", "reader", "--role", "radiologist", "--password-stdin", typed=PASSWORD)
        epoch = User.objects.get().epoch
    run("add_user", "reader", "--role", "radiologist", "--password-stdin", typed=PASSWORD)
    assert User.objects.get().epoch == epoch


@pytest.mark.parametrize(
    ("args", "typed", "says"),
    [
        (("reader", "--role", "king"), None, "the roles are radiologist, resident, referrer, technologist, admin"),
        (("reader", "--role", "admin", "--organization", "St. Mary's"), None, "try 'st-marys'"),
        (("reader", "--role", "admin", "--organization", "../x"), None, "cannot name an organization"),
        (("reader", "--role", "admin", "--organization", "\udcff"), None, "cannot name an organization"),
        (("reader", "--role", "admin", "--password-stdin"), "\n", "no password"),
        (("rea der", "--role", "admin"), None, "valid username"),
        (("x" * 151, "--role", "admin"), None, "at most 150"),
    ],
)
def test_what_cannot_be_is_said_and_leaves_nothing_behind(db, args, typed, says):
    with pytest.raises(CommandError, match=says):
        run("add_user", *args, typed=typed)
    assert not User.objects.exists()
    assert not Organization.objects.exists()


def test_a_weak_password_is_taken_from_the_operator_with_a_warning(db):
    assert "weak password" in run("add_user", "reader", "--role", "admin", "--password-stdin", typed="short")
    assert User.objects.get().check_password("short")


def test_every_change_of_people_is_written_down_without_passwords(db):
    run("add_user", "reader", "--role", "radiologist", "--password-stdin", typed=PASSWORD)
    run("add_user", "reader", "--role", "radiologist", "--password-stdin", typed="another lantern entirely")
    run("issue_token", "reader")
    run("sign_in_link", "reader")
    events = list(AuditEvent.objects.order_by("sequence").values_list("action", flat=True))
    assert events == ["person.make", "membership.give", "password.change", "token.issue", "link.make"]
    assert "lantern" not in str(list(AuditEvent.objects.values()))
    assert audit.verify_chain() == []


def test_a_token_is_printed_alone_on_the_last_line(alice):
    out = run("issue_token", "alice", "--label", "a script")
    assert user_for_token(out.splitlines()[-1]) == alice
    assert len(out.split()) == 1
    assert ApiToken.objects.get().name == "a script"


def test_a_token_may_end(alice):
    run("issue_token", "alice", "--days", "1")
    assert ApiToken.objects.get().expires_at is not None
    with pytest.raises(CommandError, match="at least 1"):
        run("issue_token", "alice", "--days", "0")


def test_no_token_and_no_link_for_nobody_and_none_for_the_disabled(alice):
    alice.is_active = False
    alice.save()
    for command in ("issue_token", "sign_in_link"):
        for name in ("alice", "nobody"):
            with pytest.raises(CommandError, match=name):
                run(command, name)


def test_the_first_administrator_is_made_where_nobody_is(db, client, settings):
    settings.FARVIEW_PUBLIC_URL = "https://reading.example"
    link = run("first_admin").splitlines()[-1]
    assert link.startswith("https://reading.example/sign-in/link/")
    assert roles("admin") == {("default", "admin"), ("default", "radiologist")}
    assert not User.objects.get().has_usable_password()
    assert client.post(link.removeprefix("https://reading.example")).status_code == 302
    assert client.session["_auth_user_id"] == str(User.objects.get().pk)


def test_each_start_prints_a_fresh_link_and_the_old_one_is_worth_nothing(db, client):
    links = [run("first_admin").splitlines()[-1] for _ in range(2)]
    assert User.objects.count() == 1
    answers = [client.get("/" + link.split("/", 3)[3]).status_code for link in links]
    assert answers == [404, 200]


def test_where_others_are_no_administrator_is_made(alice, settings):
    assert run("first_admin").splitlines()[-1] == settings.FARVIEW_PUBLIC_URL + "/"
    assert User.objects.count() == 1


def test_a_link_for_whoever_lost_the_password(alice, client):
    link = run("sign_in_link", "alice").splitlines()[-1]
    assert client.post("/" + link.split("/", 3)[3]).status_code == 302
