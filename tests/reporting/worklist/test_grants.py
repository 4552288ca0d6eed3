"""Who asked for an examination sees its images, by the number that orders carry; nobody else, and not for longer."""

from __future__ import annotations

import pytest

from accounts.models import Organization, Role, User
from reporting.models import Order, ReferrerIdentity
from reporting.worklist import acts, grants, items, orders
from tests.reporting.conftest import person
from tests.reporting.worklist.conftest import Ordered, Scan, facts
from viewer.models import Grant, Study

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(site: Organization, bob: User) -> User:
    ReferrerIdentity.objects.create(organization=site, user=bob, identifier="R-77")
    return bob


def sees(user: User) -> bool:
    return Study.objects.visible_to(user).exists()


def epoch(user: User) -> int:
    return User.objects.get(pk=user.pk).epoch


def test_the_referrer_of_the_order_sees_its_images(known: User, ordered: Ordered, scan: Scan) -> None:
    order = ordered(referring_identifier="R-77", referring_physician="Somebody^Else")
    assert order.referrer == known
    assert not sees(known)
    items.images_came(scan())
    assert sees(known)
    assert Grant.objects.get().reason == "order"


def test_a_name_is_never_taken_for_a_number(known: User, ordered: Ordered, scan: Scan) -> None:
    ordered(referring_physician="Brandt^Bob")
    items.images_came(scan())
    assert not sees(known)


def test_also_when_the_order_comes_late(known: User, ordered: Ordered, scan: Scan) -> None:
    items.images_came(scan())
    ordered(referring_identifier="R-77")
    assert sees(known)


def test_a_cancelled_order_ends_it_and_whoever_is_connected_is_asked_again(
    known: User, ordered: Ordered, scan: Scan
) -> None:
    order = ordered(referring_identifier="R-77")
    items.images_came(scan())
    before = epoch(known)
    orders.cancel(order, "hl7")
    assert not sees(known)
    assert epoch(known) == before + 1


def test_another_referrer_takes_the_place(known: User, ordered: Ordered, scan: Scan, site: Organization) -> None:
    other = person("berta", site, Role.REFERRER)
    ReferrerIdentity.objects.create(organization=site, user=other, identifier="R-78")
    order = ordered(referring_identifier="R-77")
    items.images_came(scan())
    orders.change(order, facts(site, referring_identifier="R-78"), "hl7")
    assert (sees(known), sees(other)) == (False, True)


def test_moved_images_are_no_longer_the_former_referrers(known: User, ordered: Ordered, scan: Scan, tess: User) -> None:
    first = ordered(referring_identifier="R-77", placer_order_number="P-1")
    second = ordered(placer_order_number="P-2", accession_number="")
    items.images_came(scan())
    acts.link(first.item.pk, tess, order=second)
    assert not sees(known)


def test_a_doubt_about_the_patient_closes_it_until_it_is_settled(
    known: User, ordered: Ordered, scan: Scan, tess: User
) -> None:
    order = ordered(referring_identifier="R-77")
    items.images_came(scan())
    acts.hold(order.item.pk, tess, "wrong_patient")
    assert not sees(known)
    acts.ready(order.item.pk, tess, "it is her")
    assert sees(known)
    acts.hold(order.item.pk, tess, "wrong_side")
    assert sees(known)


def test_a_disputed_match_grants_nothing(known: User, ordered: Ordered, scan: Scan) -> None:
    ordered(referring_identifier="R-77")
    items.images_came(scan(PatientID="PID-2"))
    assert not sees(known)


def test_two_orders_of_one_referrer_are_one_grant_until_both_end(known: User, ordered: Ordered, scan: Scan) -> None:
    both = [ordered(referring_identifier="R-77", placer_order_number=number) for number in ("P-1", "P-2")]
    items.images_came(scan())
    assert Grant.objects.count() == 1
    orders.cancel(both[0], "hl7")
    assert sees(known)
    orders.cancel(both[1], "hl7")
    assert not sees(known)


def test_grants_of_an_administrator_are_left_alone(known: User, ordered: Ordered, scan: Scan) -> None:
    study = scan()
    Grant.objects.create(study=study, user=known, reason="administrator")
    items.images_came(study)
    orders.cancel(ordered(referring_identifier="R-77"), "hl7")
    assert Grant.objects.get().reason == "administrator"


def test_an_identity_that_is_made_later_counts_for_orders_that_came_before(
    ordered: Ordered, scan: Scan, bob: User, site: Organization
) -> None:
    order = ordered(referring_identifier="R-77")
    items.images_came(scan())
    identity = ReferrerIdentity.objects.create(organization=site, user=bob, identifier="R-77")
    grants.identity_changed(site, "R-77")
    assert sees(bob)
    identity.delete()
    grants.identity_changed(site, "R-77")
    assert not sees(bob)
    assert Order.objects.get(pk=order.pk).referrer is None


def test_numbers_of_another_organization_mean_nothing_here(known: User, charlie: User, ordered: Ordered) -> None:
    elsewhere = Organization.objects.get(name="elsewhere")
    assert grants.referrer_of(elsewhere, "R-77") is None
    assert ordered(referring_identifier="R-78").referrer is None
