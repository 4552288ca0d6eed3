"""An administrator adds a person with names and roles in several organizations at once, and disables them again."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Membership, Organization, Role, User

pytestmark = pytest.mark.django_db
ADD = "/admin/accounts/user/add/"


def form(*roles: tuple[Organization, str], **said: str) -> dict[str, str]:
    """What the browser sends: a person, and a row for each role."""
    given = {
        "username": "nora",
        "first_name": "Nora",
        "last_name": "Nurse",
        "email": "nora@example.org",
        "usable_password": "false",
        "memberships-TOTAL_FORMS": str(len(roles)),
        "memberships-INITIAL_FORMS": "0",
        **said,
    }
    for number, (organization, role) in enumerate(roles):
        given[f"memberships-{number}-organization"] = str(organization.pk)
        given[f"memberships-{number}-role"] = role
    return given


@pytest.fixture
def two() -> list[Organization]:
    return [Organization.objects.create(name=name) for name in ("north", "south")]


def administrator(*homes: Organization) -> Client:
    user = User.objects.create_user(username="admin", is_staff=True)
    for home in homes:
        Membership.objects.create(user=user, organization=home, role=Role.ADMIN)
    client = Client()
    client.force_login(user)
    return client


def test_a_person_is_added_with_names_and_two_roles_in_one_form(two: list[Organization]) -> None:
    answer = administrator(*two).post(ADD, form((two[0], Role.RADIOLOGIST), (two[1], Role.TECHNOLOGIST)))
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    nora = User.objects.get(username="nora")
    assert (nora.first_name, nora.last_name, nora.email) == ("Nora", "Nurse", "nora@example.org")
    held = set(nora.memberships.values_list("organization__name", "role"))
    assert held == {("north", "radiologist"), ("south", "technologist")}
    assert not nora.has_usable_password()  # a sign-in link lets her choose one


def test_nobody_gives_a_role_in_an_organization_that_they_do_not_manage(two: list[Organization]) -> None:
    answer = administrator(two[0]).post(ADD, form((two[1], Role.RADIOLOGIST)))
    assert answer.status_code == 200
    assert not User.objects.filter(username="nora").exists()
