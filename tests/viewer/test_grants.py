"""Who does not see all studies sees those that were granted to them, for as long as that lasts, and no others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import READING_ROLES, Membership, Organization, Role, User
from viewer.models import Grant, Patient, Study


@pytest.fixture
def site(db: None) -> Organization:
    return Organization.objects.create(name="site")


@pytest.fixture
def bob(site: Organization) -> User:
    user = User.objects.create_user("bob")
    Membership.objects.create(user=user, organization=site, role=Role.REFERRER)
    return user


def study(organization: Organization, uid: str) -> Study:
    patient = Patient.objects.create(organization=organization, patient_id=f"P{uid}")
    return Study.objects.create(organization=organization, patient=patient, study_instance_uid=uid)


def test_what_was_granted_and_nothing_else(site: Organization, bob: User) -> None:
    mine, _ = study(site, "1.1"), study(site, "1.2")
    assert not Study.objects.visible_to(bob).exists()
    Grant.objects.create(study=mine, user=bob, reason="order")
    Grant.objects.create(study=mine, user=bob, reason="administrator")
    assert list(Study.objects.visible_to(bob)) == [mine]


def test_a_grant_ends(site: Organization, bob: User) -> None:
    mine = study(site, "1.1")
    grant = Grant.objects.create(study=mine, user=bob, reason="order", until=timezone.now() + timedelta(hours=1))
    assert list(Study.objects.visible_to(bob)) == [mine]
    Grant.objects.filter(pk=grant.pk).update(until=timezone.now())
    assert not Study.objects.visible_to(bob).exists()


@pytest.mark.parametrize("role", [role for role in Role.values if role not in READING_ROLES])
@pytest.mark.parametrize("reason", Grant.Reason.values)
def test_every_grant_counts_for_whoever_holds_any_role_there(site: Organization, role: str, reason: str) -> None:
    mine, _ = study(site, "1.1"), study(site, "1.2")
    user = User.objects.create_user("somebody")
    Membership.objects.create(user=user, organization=site, role=role)
    Grant.objects.create(study=mine, user=user, reason=reason, until=timezone.now() + timedelta(hours=1))
    assert list(Study.objects.visible_to(user)) == [mine]


def test_a_grant_without_a_role_there_opens_nothing(site: Organization, bob: User) -> None:
    elsewhere = Organization.objects.create(name="elsewhere")
    Grant.objects.create(study=study(elsewhere, "1.3"), user=bob, reason="order")
    assert not Study.objects.visible_to(bob).exists()
    Grant.objects.create(study=study(site, "1.1"), user=bob, reason="order")
    bob.memberships.all().delete()
    assert not Study.objects.visible_to(bob).exists()
