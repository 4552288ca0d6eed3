"""The administration pages: acts on items and orders by their numbers, no patient in sight, and only of one's own house."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import AuditEvent, Organization, Role, User
from reporting.models import ItemEvent, Order, ReadingItem, ReferrerIdentity, ReportingSite
from reporting.worklist import acts, claiming
from tests.reporting.conftest import person, signed_in
from tests.reporting.worklist.conftest import Ordered
from viewer.models import Study

pytestmark = pytest.mark.django_db

ITEMS, ORDERS = "/admin/reporting/readingitem/", "/admin/reporting/order/"
SITES, IDENTITIES = "/admin/reporting/reportingsite/", "/admin/reporting/referreridentity/"
PAGES = (ITEMS, ORDERS, SITES, IDENTITIES)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def do(client: Client, address: str, action: str, key: int, **said: str) -> str:
    body = {"action": action, "_selected_action": [key], **said}
    answer = client.post(address, body, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def stranger(charlie: User) -> Client:
    """Administers another organization."""
    return signed_in(person("other_boss", Organization.objects.get(name="elsewhere"), Role.ADMIN))


def test_items_and_orders_are_shown_by_number_and_no_patient_is(boss: User, tess: User, ordered: Ordered) -> None:
    order = ordered(placer_order_number="P-1", reason="secret reason")
    ReadingItem.objects.update(note="about Erika")
    client = signed_in(boss)
    for address in (ITEMS, f"{ITEMS}{order.item.pk}/change/", ORDERS, f"{ORDERS}{order.pk}/change/"):
        found = page(client, address)
        assert "A-100" in found
        for hidden in ("Muster", "Erika", "PID-1", "19600101", "secret reason"):
            assert hidden not in found, (address, hidden)


def test_what_happened_is_told_without_the_notes(boss: User, tess: User, item: ReadingItem) -> None:
    acts.hold(item.pk, tess, "other", "Erika said so")
    found = page(signed_in(boss), f"{ITEMS}{item.pk}/change/")
    assert "held" in found
    assert "tess" in found
    assert "Erika" not in found


def test_an_item_is_assigned_to_a_reader_of_the_house(boss: User, rita: User, charlie: User, item: ReadingItem) -> None:
    client = signed_in(boss)
    listed = page(client, ITEMS)
    assert "Assign to Rita Rossi" in listed
    assert "Charlie" not in listed
    assert "assigned to Rita Rossi" in do(client, ITEMS, f"to_{rita.pk}", item.pk)
    assert ReadingItem.objects.get().assigned_to == rita
    do(client, ITEMS, f"to_{charlie.pk}", item.pk)
    assert ReadingItem.objects.get().assigned_to == rita
    do(client, ITEMS, "to_nobody", item.pk)
    assert ReadingItem.objects.get().status == "ready"
    assert AuditEvent.objects.filter(action="worklist.assigned", actor="boss").count() == 1


def test_a_reader_with_a_percent_sign_in_the_name_is_offered_too(boss: User, rita: User, item: ReadingItem) -> None:
    User.objects.filter(pk=rita.pk).update(first_name="100 %d", last_name="Rossi %(verbose_name)s")
    assert "Assign to 100 %d Rossi %(verbose_name)s" in page(signed_in(boss), ITEMS)


def test_freeing_and_cancelling_ask_for_a_reason(boss: User, alice: User, item: ReadingItem) -> None:
    client = signed_in(boss)
    claiming.claim(item.pk, alice)
    assert "say why" in do(client, ITEMS, "free", item.pk)
    assert "1 freed" in do(client, ITEMS, "free", item.pk, reason="went home")
    assert ItemEvent.objects.get(kind="freed").detail["reason"] == "went home"
    assert "Nobody is reading this" in do(client, ITEMS, "free", item.pk, reason="again")
    assert "1 cancelled" in do(client, ITEMS, "cancel", item.pk, reason="a phantom")
    assert ReadingItem.objects.get().status == "cancelled"


def test_an_order_is_cancelled_with_its_item(boss: User, ordered: Ordered) -> None:
    order = ordered()
    client = signed_in(boss)
    assert "say why" in do(client, ORDERS, "cancel", order.pk)
    do(client, ORDERS, "cancel", order.pk, reason="doubled")
    order = Order.objects.get()
    assert (order.status, order.item.status) == ("cancelled", "cancelled")


def test_nothing_is_changed_by_hand(boss: User, item: ReadingItem) -> None:
    client = signed_in(boss)
    for address, key in ((ITEMS, item.pk), (ORDERS, item.order_id)):
        for where in (f"{address}add/", f"{address}{key}/delete/", f"{address}{key}/change/"):
            assert client.post(where, {"status": "final"}).status_code == 403
    assert ReadingItem.objects.get().status == "ready"


# --- what a site decides


def site_form(**said: str) -> dict[str, str]:
    return {"letterhead": "", "address": "", "footer": "", "language": "en", **said}


def test_a_sites_targets_are_numbers_in_fields_and_what_is_left_out_is_the_default(
    boss: User, site: Organization
) -> None:
    client = signed_in(boss)
    answer = client.post(f"{SITES}add/", site_form(organization=str(site.pk), target_STAT="45", quality_control="on"))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    made = ReportingSite.objects.get()
    assert (made.targets, made.quality_control, made.escalation_minutes) == ({"STAT": 45}, True, {})
    assert "STAT 45, URGENT 240" in page(client, SITES)
    assert 'value="45"' in page(client, f"{SITES}{made.pk}/change/")
    client.post(f"{SITES}{made.pk}/change/", site_form(escalate_hours="90"))
    made.refresh_from_db()
    assert (made.targets, made.escalation_minutes, made.quality_control) == ({}, {"hours": 90}, False)
    assert client.post(f"{SITES}{made.pk}/change/", site_form(target_STAT="0")).status_code == 200
    assert AuditEvent.objects.filter(action="reportingsite.change", actor="boss").count() == 1


def test_nobody_decides_for_another_house(boss: User, charlie: User) -> None:
    elsewhere = Organization.objects.get(name="elsewhere")
    answer = signed_in(boss).post(f"{SITES}add/", site_form(organization=str(elsewhere.pk)))
    assert answer.status_code == 200
    assert not ReportingSite.objects.exists()


# --- referring physicians


def test_a_number_given_to_a_referrer_opens_what_was_ordered_under_it(
    boss: User, bob: User, site: Organization, item: ReadingItem
) -> None:
    client = signed_in(boss)
    assert not Study.objects.visible_to(bob).exists()
    said = {"organization": str(site.pk), "user": str(bob.pk), "identifier": "R-77"}
    assert client.post(f"{IDENTITIES}add/", said).status_code == 302
    assert Study.objects.visible_to(bob).exists()
    made = ReferrerIdentity.objects.get()
    client.post(f"{IDENTITIES}{made.pk}/change/", {"user": str(bob.pk), "identifier": "R-78"})
    assert not Study.objects.visible_to(bob).exists()
    client.post(f"{IDENTITIES}{made.pk}/change/", {"user": str(bob.pk), "identifier": "R-77"})
    assert Study.objects.visible_to(bob).exists()
    client.post(f"{IDENTITIES}{made.pk}/delete/", {"post": "yes"})
    assert not ReferrerIdentity.objects.exists()
    assert not Study.objects.visible_to(bob).exists()
    assert AuditEvent.objects.filter(action="referreridentity.delete", actor="boss").count() == 1


def test_only_a_referrer_of_the_house_can_have_one(boss: User, alice: User, charlie: User, site: Organization) -> None:
    for user in (alice, charlie):
        said = {"organization": str(site.pk), "user": str(user.pk), "identifier": "R-1"}
        assert signed_in(boss).post(f"{IDENTITIES}add/", said).status_code == 200
    assert not ReferrerIdentity.objects.exists()


# --- who


@pytest.mark.parametrize("address", PAGES)
def test_who_is_no_administrator_finds_no_such_page(
    alice: User, bob: User, rita: User, tess: User, charlie: User, address: str
) -> None:
    for user in (alice, bob, rita, tess, charlie):
        assert signed_in(user).get(address).status_code == 404


def test_an_administrator_of_another_house_finds_and_changes_nothing(
    stranger: Client, bob: User, site: Organization, item: ReadingItem
) -> None:
    made = ReportingSite.objects.create(organization=site)
    identity = ReferrerIdentity.objects.create(organization=site, user=bob, identifier="R-77")
    rows = {ITEMS: item.pk, ORDERS: item.order_id, SITES: made.pk, IDENTITIES: identity.pk}
    for address, key in rows.items():
        assert (item.order.accession_number or "A-1") not in page(stranger, address)
        assert stranger.get(f"{address}{key}/change/").status_code == 302
    do(stranger, ITEMS, "cancel", item.pk, reason="x")
    do(stranger, ORDERS, "cancel", item.order_id, reason="x")
    assert ReadingItem.objects.get().status == "ready"
    assert Order.objects.get().status == "ordered"
