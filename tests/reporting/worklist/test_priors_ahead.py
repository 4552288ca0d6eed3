"""An order has the patient's earlier studies looked for before any image comes."""

from __future__ import annotations

import pytest

from accounts.models import Organization
from reporting.worklist import orders
from reporting.worklist.priors_ahead import OrdersHeard
from viewer.models import DicomPeer, Transfer


@pytest.fixture
def archive(site: Organization) -> DicomPeer:
    given = {"ae_title": "ARCHIVE", "host": "10.0.0.1", "port": 104, "is_archive": True}
    return DicomPeer.objects.create(organization=site, **given)


def test_a_new_order_has_priors_looked_for_once(archive: DicomPeer, ordered) -> None:
    heard = OrdersHeard()
    heard.look()
    order = ordered(modality="CT", body_part="CHEST")
    assert heard.look() == 1
    search = Transfer.objects.get()
    assert (search.kind, search.reason, search.peer) == ("priors", "prefetch", archive)
    assert search.options == {
        **{"patient": order.patient_id},
        "current": {"modality": "CT", "body_part": "CHEST", "description": "CT chest"},
    }
    ordered(accession_number="A-101", placer_order_number="P-2")
    assert heard.look() == 0


def test_an_order_that_is_cancelled_before_anybody_looked_asks_for_nothing(archive: DicomPeer, ordered) -> None:
    heard = OrdersHeard()
    heard.look()
    orders.cancel(ordered(), "hl7")
    assert heard.look() == 0


def test_an_order_for_images_that_are_here_asks_for_nothing_more(archive: DicomPeer, ordered, scan) -> None:
    scan()
    heard = OrdersHeard()
    heard.look()
    ordered()
    assert heard.look() == 0


def test_orders_that_came_while_no_server_ran_are_looked_at_when_one_does(archive: DicomPeer, ordered) -> None:
    ordered()
    assert OrdersHeard().look() == 1
    assert OrdersHeard().look() == 0
