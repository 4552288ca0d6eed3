"""The administration site: who manages whom."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.authentication import issue, user_for_token
from accounts.models import AuditEvent, Organization, Role, User
from tests.accounts.conftest import PASSWORD, person

PAGES = ("/admin/", "/admin/accounts/user/", "/admin/accounts/organization/", "/admin/accounts/apitoken/")


@pytest.fixture
def signed_in_boss(client: Client, boss: User) -> Client:
    client.force_login(boss)
    return client


@pytest.fixture
def dora(db) -> User:
    """Works in both houses, so that no administrator of one house rules over her."""
    return person("dora", ("default", Role.RADIOLOGIST), ("elsewhere", Role.RADIOLOGIST))


def form_of(user: User, **changes: str) -> dict[str, str]:
    """The change form of a person as the page would send it, without any change of roles."""
    rows = user.memberships.filter(organization__name="default")
    data = {
        "username": user.username,
        "is_active": "on" if user.is_active else "",
        "memberships-TOTAL_FORMS": str(len(rows)),
        "memberships-INITIAL_FORMS": str(len(rows)),
    }
    for number, row in enumerate(rows):
        data |= {
            f"memberships-{number}-id": str(row.pk),
            f"memberships-{number}-user": str(user.pk),
            f"memberships-{number}-organization": str(row.organization_id),
            f"memberships-{number}-role": row.role,
        }
    return data | changes


@pytest.mark.parametrize("page", [*PAGES, "/admin/accounts/auditevent/", "/admin/login/", "/admin/nothing/there"])
def test_nobody_signs_in_first_and_whoever_is_no_administrator_finds_nothing(client, alice, bob, page):
    assert client.get(page).status_code == 302
    assert client.get(page)["Location"].startswith("/accounts/sign-in/?next=/admin/")
    for user in (alice, bob):
        client.force_login(user)
        assert client.get(page).status_code == 404


def test_being_staff_or_operator_without_the_role_opens_nothing(client, alice):
    alice.is_staff = alice.is_superuser = True
    alice.save()
    client.force_login(alice)
    assert client.get("/admin/").status_code == 404


@pytest.mark.parametrize("page", [*PAGES, "/admin/accounts/auditevent/"])
def test_an_administrator_comes_in(signed_in_boss, page):
    audit.record("x", actor="boss", organization="default")
    assert signed_in_boss.get(page).status_code == 200


def test_an_administrator_sees_the_people_of_their_own_houses_alone(signed_in_boss, alice, charlie, dora):
    text = signed_in_boss.get("/admin/accounts/user/").content.decode()
    assert "alice" in text
    assert "dora" in text
    assert "charlie" not in text
    assert signed_in_boss.get(f"/admin/accounts/user/{charlie.pk}/change/").status_code == 302
    assert signed_in_boss.post(f"/admin/accounts/user/{charlie.pk}/change/", form_of(charlie)).status_code == 302
    assert signed_in_boss.get(f"/admin/accounts/user/{charlie.pk}/password/").status_code in (403, 404)


def test_an_administrator_gives_and_takes_roles(signed_in_boss, alice, boss):
    home = Organization.objects.get(name="default")
    data = form_of(alice) | {
        "memberships-TOTAL_FORMS": "2",
        "memberships-1-organization": str(home.pk),
        "memberships-1-role": "technologist",
        "memberships-1-user": str(alice.pk),
        "memberships-0-DELETE": "on",
    }
    epoch = alice.epoch
    assert signed_in_boss.post(f"/admin/accounts/user/{alice.pk}/change/", data).status_code == 302
    assert [one.role for one in alice.memberships.all()] == ["technologist"]
    alice.refresh_from_db()
    assert alice.epoch > epoch
    event = AuditEvent.objects.get(action="user.change")
    assert event.actor == "boss"
    assert "technologist" in str(event.detail).lower()


def test_an_administrator_of_one_house_gives_no_role_in_another(signed_in_boss, alice, charlie):
    far = Organization.objects.get(name="elsewhere")
    data = form_of(alice) | {
        "memberships-TOTAL_FORMS": "2",
        "memberships-1-organization": str(far.pk),
        "memberships-1-role": "admin",
        "memberships-1-user": str(alice.pk),
    }
    response = signed_in_boss.post(f"/admin/accounts/user/{alice.pk}/change/", data)
    assert response.status_code == 200
    assert not alice.memberships.filter(organization=far).exists()
    assert "elsewhere" not in signed_in_boss.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()


def test_roles_in_another_house_are_neither_shown_nor_lost(signed_in_boss, dora):
    page = f"/admin/accounts/user/{dora.pk}/change/"
    assert "elsewhere" not in signed_in_boss.get(page).content.decode()
    assert signed_in_boss.post(page, form_of(dora)).status_code == 302
    assert dora.memberships.count() == 2


def test_an_administrator_of_one_house_takes_over_nobody_of_two(signed_in_boss, dora):
    page = f"/admin/accounts/user/{dora.pk}"
    signed_in_boss.post(f"{page}/change/", form_of(dora, username="mine", is_active="", email="boss@default.example"))
    new = {"password1": "mine now, all of it", "password2": "mine now, all of it", "usable_password": "true"}
    assert signed_in_boss.post(f"{page}/password/", new).status_code == 403
    for action in ("new_sign_in_link", "sign_out_everywhere"):
        answer = signed_in_boss.post(
            "/admin/accounts/user/", {"action": action, "_selected_action": [dora.pk]}, follow=True
        )
        assert "nothing was done" in answer.content.decode()
    after = User.objects.get(pk=dora.pk)
    assert (after.username, after.is_active, after.email, after.session_generation) == ("dora", True, "", 0)
    assert after.check_password(PASSWORD)
    assert not after.sign_in_links.exists()


def test_the_hash_of_a_password_is_on_no_page(signed_in_boss, alice, dora):
    for user in (alice, dora):
        text = signed_in_boss.get(f"/admin/accounts/user/{user.pk}/change/").content.decode()
        assert user.password not in text
        assert user.password.rsplit("$", 1)[1] not in text


def test_an_administrator_takes_over_no_operator(signed_in_boss, alice):
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    page = f"/admin/accounts/user/{alice.pk}/password/"
    assert signed_in_boss.get(page).status_code == 403


def test_an_administrator_disables_one_of_their_own_and_they_are_out(signed_in_boss, alice):
    reader = Client()
    reader.force_login(alice)
    assert (
        signed_in_boss.post(f"/admin/accounts/user/{alice.pk}/change/", form_of(alice, is_active="")).status_code == 302
    )
    assert reader.get("/accounts/password/").status_code == 302


def test_a_new_person_is_made_by_form(signed_in_boss):
    home = Organization.objects.get(name="default")
    data = {
        "username": "erin",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-organization": str(home.pk),
        "memberships-0-role": "resident",
    }
    assert signed_in_boss.get("/admin/accounts/user/add/").status_code == 200
    assert signed_in_boss.post("/admin/accounts/user/add/", data).status_code == 302
    assert User.objects.get(username="erin").memberships.get().role == "resident"


def test_a_token_is_revoked_by_its_administrator_alone(signed_in_boss, alice, charlie):
    raw, far = issue(alice, "script"), issue(charlie, "far script")
    text = signed_in_boss.get("/admin/accounts/apitoken/").content.decode()
    assert "script" in text
    assert "far script" not in text
    every = [str(token.pk) for token in (*alice.api_tokens.all(), *charlie.api_tokens.all())]
    signed_in_boss.post("/admin/accounts/apitoken/", {"action": "revoke", "_selected_action": every})
    assert user_for_token(raw) is None
    assert user_for_token(far) == charlie
    assert AuditEvent.objects.get(action="token.revoke").detail == {"person": "alice"}


def test_the_record_is_read_and_searched_and_never_changed(signed_in_boss, alice, charlie):
    ours = audit.record("study.view", actor=alice, organization="default", study_instance_uid="1.2.3")
    theirs = audit.record("study.view", actor=charlie, organization="elsewhere", study_instance_uid="1.2.4")
    audit.record("sign-in", actor=charlie)
    page = "/admin/accounts/auditevent/"
    text = signed_in_boss.get(page).content.decode()
    assert "alice" in text
    assert "charlie" not in text
    assert "alice" in signed_in_boss.get(page + "?q=1.2.3").content.decode()
    assert "alice" not in signed_in_boss.get(page + "?q=1.2.9").content.decode()
    assert signed_in_boss.get(f"{page}{ours.pk}/change/").status_code == 200
    assert signed_in_boss.post(f"{page}{ours.pk}/change/", {"actor": "bob"}).status_code == 403
    assert signed_in_boss.get(f"{page}{theirs.pk}/change/").status_code == 302
    for shut in (f"{page}add/", f"{page}{ours.pk}/delete/"):
        assert signed_in_boss.get(shut).status_code == 403
    assert audit.verify_chain() == []


def test_an_operator_manages_every_house_and_makes_new_ones(client, boss, charlie):
    client.force_login(boss)
    assert client.get("/admin/accounts/organization/add/").status_code == 403
    User.objects.filter(pk=boss.pk).update(is_superuser=True)
    assert "charlie" in client.get("/admin/accounts/user/").content.decode()
    data = {"name": "third", "title": "Third House", "time_zone": "Europe/Berlin"}
    assert client.post("/admin/accounts/organization/add/", data).status_code == 302
    assert AuditEvent.objects.get(action="organization.make").detail["object"] == "Third House"


def test_a_sign_in_link_is_made_for_one_of_their_own(signed_in_boss, alice):
    data = {"action": "new_sign_in_link", "_selected_action": [alice.pk]}
    text = signed_in_boss.post("/admin/accounts/user/", data, follow=True).content.decode()
    assert "/sign-in/link/" in text
    assert alice.sign_in_links.get().expires_at > timezone.now()


def test_a_search_by_the_hash_of_a_password_is_not_answered(signed_in_boss, alice):
    assert signed_in_boss.get("/admin/accounts/user/?password__startswith=m").status_code in (302, 400)


def test_signing_out_of_the_site_is_signing_out(signed_in_boss):
    assert signed_in_boss.post("/admin/logout/").status_code == 302
    assert "_auth_user_id" not in signed_in_boss.session
