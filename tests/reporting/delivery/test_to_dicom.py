"""A signed report's objects reach a DICOM node: the same UIDs and data sets that this archive files, each once, retried."""

from __future__ import annotations

import asyncio
import io

import pydicom
import pytest
from django.utils import timezone

from accounts.models import Organization
from reporting.delivery import to_dicom
from reporting.delivery.outcomes import NotSent, Outgoing
from reporting.delivery.sending import Sender
from reporting.delivery.to_archive import unpacked
from reporting.evidence.blobs import bytes_of
from reporting.models import Delivery
from tests.live import free_port
from tests.viewer.dimse.receiver import Receiver
from viewer.models import DicomPeer, Study

pytestmark = pytest.mark.django_db(transaction=True)
DOCUMENTS = [
    f"1.2.840.10008.5.1.4.1.1.{number}" for number in ("88.11", "88.22", "88.33", "88.59", "104.1", "11.1", "7", "7.4")
]


def settle() -> None:
    asyncio.run(Sender().settle())


def again() -> None:
    Delivery.objects.filter(state="failed").update(next_try_at=timezone.now())
    settle()


def data_sets(delivery: Delivery) -> dict[str, bytes]:
    """SOP Instance UID -> encoded data set, of what is kept as sent."""
    found = {}
    for _, data in unpacked(bytes_of(delivery.payload)):
        said = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
        found[str(said.SOPInstanceUID)] = data[144 + int.from_bytes(data[140:144], "little") :]
    return found


def test_structured_report_and_pdf_arrive_as_the_archive_files_them(sign, to, site: Organization, study: Study) -> None:
    with Receiver("PACS", classes=DOCUMENTS) as receiver:
        receiver.row(site)
        to("dicom", "PACS")
        sign()
        settle()
        delivery = Delivery.objects.get(destination__kind="dicom")
        assert (delivery.state, delivery.problem) == ("acknowledged", "")
        assert delivery.answer == "2 of 2 objects arrived at PACS"
        got = {uid: data for uid, _, data in receiver.got}
        assert len(receiver.got) == len(got) == 2
        assert got == data_sets(delivery) == data_sets(Delivery.objects.get(destination__kind="archive"))
        settle()
        assert len(receiver.got) == 2, "each once"


def test_a_node_that_is_away_gets_the_same_objects_when_it_is_back(sign, to, site: Organization) -> None:
    peer = DicomPeer.objects.create(organization=site, ae_title="PACS", host="127.0.0.1", port=free_port())
    to("dicom", "PACS")
    sign()
    settle()
    delivery = Delivery.objects.get(destination__kind="dicom")
    assert (delivery.state, delivery.tries) == ("failed", 1)
    assert delivery.problem.endswith("cannot be reached: connection refused")
    before = data_sets(delivery)
    with Receiver("PACS", classes=DOCUMENTS) as receiver:
        DicomPeer.objects.filter(pk=peer.pk).update(port=receiver.port)
        again()
        assert {uid: data for uid, _, data in receiver.got} == before
    assert Delivery.objects.get(destination__kind="dicom").state == "acknowledged"


def test_what_a_node_refuses_is_said_in_words(sign, to, site: Organization) -> None:
    with Receiver("PACS", classes=["1.2.840.10008.5.1.4.1.1.104.1"]) as receiver:
        receiver.row(site)
        to("dicom", "PACS")
        sign()
        settle()
    delivery = Delivery.objects.get(destination__kind="dicom")
    assert delivery.state == "failed"
    assert delivery.problem.startswith("1 of 2 objects did not arrive: the peer does not take ")


def test_nothing_goes_to_a_peer_of_another_organization(sign, to, site: Organization) -> None:
    elsewhere = Organization.objects.create(name="far-away")
    with Receiver("PACS", classes=DOCUMENTS) as receiver:
        receiver.row(elsewhere)
        to("dicom", "PACS")
        sign()
        settle()
        assert receiver.got == []
    delivery = Delivery.objects.get(destination__kind="dicom")
    assert delivery.problem == "no DICOM peer of this organization with the AE title PACS can be called"


def test_a_test_is_an_echo(site: Organization) -> None:
    outgoing = Outgoing("", b"", "PACS", organization=site.name)
    with Receiver("PACS") as receiver:
        receiver.row(site)
        assert asyncio.run(to_dicom.test(outgoing)).startswith("PACS answers (C-ECHO")
    with pytest.raises(NotSent, match="cannot be reached"):
        asyncio.run(to_dicom.test(outgoing))
