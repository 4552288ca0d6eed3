"""The DICOM node in a process of its own, without the web: what DIMSE alone needs, started in seconds."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from tests.live import ROOT, LiveServer
from tests.viewer.dimse.caller import Caller

DATA = Path(os.environ.get("FARVIEW_TEST_DATA", ROOT.parent / "shared" / "data"))


class NodeAlone(LiveServer):
    """`manage.py dicom_node` on its own port and data folder; a context manager. `begun` is Python that runs before."""

    begun = ""

    def __init__(self, data: Path | None = None, **environment: str) -> None:
        super().__init__(data, dicom=True, **environment)

    def command(self) -> list[str]:
        return [sys.executable, "manage.py", "dicom_node"]

    def start(self, wait: bool = True) -> LiveServer:
        """One process makes the rows that a test begins with: starting Django is what takes time."""
        self.shell(
            f"from django.core.management import call_command\ncall_command('migrate', verbosity=0)\n{self.begun}"
        )
        return super().start(wait)

    def healthy(self) -> bool:
        try:
            socket.create_connection((self.host, self.dicom_port), timeout=2).close()
        except OSError:
            return False
        return True

    @property
    def dicom_port(self) -> int:
        return int(self.environment["FARVIEW_DICOM_PORT"])

    def write(self, statement: str, *values: object) -> None:
        with contextlib.closing(sqlite3.connect(self.data / "farview.sqlite3", timeout=30)) as database, database:
            database.execute(statement, values)

    def listener(self, ae_title: str, port: int, organization: str = "default") -> None:
        """A peer that may be called and may nothing itself."""
        self.write(
            "INSERT INTO viewer_dicompeer (ae_title, host, port, organization_id, tls, may_store, may_query, may_retrieve,"
            " may_commit, is_archive, retrieve_by, description, active, created_at)"
            " SELECT ?, '127.0.0.1', ?, id, 0, 0, 0, 0, 0, 0, 'get', '', 1, CURRENT_TIMESTAMP"
            " FROM accounts_organization WHERE name = ?",
            ae_title,
            port,
            organization,
        )

    def rows(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database says."""
        with contextlib.closing(sqlite3.connect(f"file:{self.data / 'farview.sqlite3'}?mode=ro", uri=True)) as database:
            return database.execute(question, values).fetchall()

    def audited(self, action: str, ae_title: str) -> list[tuple[Any, ...]]:
        """(organization, patient ID, outcome, detail) of what a peer did, the newest first."""
        found = self.rows(
            "SELECT organization, patient_id, outcome, detail FROM accounts_auditevent"
            " WHERE action = ? AND actor = ? ORDER BY sequence DESC",
            action,
            f"dicom:{ae_title}",
        )
        return [(*row[:3], json.loads(row[3])) for row in found]

    def shell(self, code: str) -> str:
        """What Python prints that runs beside the node, on its rows."""
        return str(self.manage("shell", "--verbosity", "0", "--command", code).stdout)

    def associate(self, ae_title: str, contexts: Iterable[PresentationContext], **options: Any) -> Association:
        """pynetdicom as the peer that calls."""
        entity = Caller(ae_title=ae_title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 60
        called = entity.associate(self.host, self.dicom_port, list(contexts), ae_title="FARVIEW", **options)
        assert called.is_established
        return called


def identifier(level: str = "", **keys: Any) -> Dataset:
    """Of a query or a retrieval, in UTF-8; also with values that are not allowed."""
    made = Dataset()
    given = {"SpecificCharacterSet": "ISO_IR 192", **({"QueryRetrieveLevel": level} if level else {}), **keys}
    for name, value in given.items():
        tag = tag_for_keyword(name)
        assert tag is not None, name
        made[tag] = DataElement(tag, dictionary_VR(tag), value, validation_mode=config.IGNORE)
    return made


def answers(found: Iterable[tuple[Dataset, Dataset | None]]) -> tuple[list[Dataset], Dataset]:
    """Of a C-FIND: what matched, and the last status."""
    pairs = list(found)
    return [one for _, one in pairs if one is not None], pairs[-1][0]


BEGUN = """
from pathlib import Path
from accounts.people import organization_named
from viewer.archive.ingest import ingest
from viewer.archive.rows import Sender
from viewer.archive.sources import walk
from viewer.models import DicomPeer
for organization, paths in {files!r}:
    sender = Sender(organization_named(organization), "test", "ingest")
    for told in ingest((one for path in paths for one in walk(Path(path))), sender):
        assert told.outcome == "stored", told
for title, organization, rights, port in {rows!r}:
    DicomPeer.objects.create(
        ae_title=title, host="127.0.0.1", port=port, organization=organization_named(organization),
        **{{f"may_{{right}}": True for right in rights.split()}},
    )
"""


@pytest.fixture(scope="session")
def node() -> Iterator[NodeAlone]:
    """Alice's hospital is `default` and holds a few real studies, Charlie's is `elsewhere` and holds one. ALICE may all, BOB
    of the same hospital may only store, CHARLIE may all elsewhere."""
    alone = NodeAlone()
    alone.begun = begun(
        [
            ("ALICE", "default", "store query retrieve commit", None),
            ("BOB", "default", "store", None),
            ("CHARLIE", "elsewhere", "store query retrieve commit", None),
            ("RENEE", "mended", "query retrieve", None),
            ("FORMER", "default", "query retrieve commit", None),
        ],
        [
            ("default", [DATA / name for name in HELD]),
            ("elsewhere", [DATA / CHARLIES]),
            ("mended", [DATA / MISSPELT]),
        ],
    )
    alone.begun += MANY.format(count=MANY_IMAGES) + ORDERS + MENDED
    with alone:
        yield alone


def begun(peers: Sequence[tuple[str, str, str, int | None]], files: Sequence[tuple[str, Sequence[Path]]]) -> str:
    """Peers (AE title, organization, rights, port) and, by organization, files, as Python that makes rows of them."""
    named = [(organization, [str(path) for path in paths]) for organization, paths in files]
    return BEGUN.format(rows=list(peers), files=named)


MANY = """
from django.db import connection
from viewer.models import Blob, Instance, Patient, Series, Study
here = organization_named("large")
patient = Patient.objects.create(organization=here, patient_id="MANY", name="Many^Images")
study = Study.objects.create(organization=here, patient=patient, study_instance_uid="1.2.900")
series = Series.objects.create(organization=here, study=study, series_instance_uid="1.2.900.1", modality="CT")
Blob.objects.create(sha256="0" * 64, size=1)
one = Instance.objects.create(
    organization=here, series=series, sop_instance_uid="1.2.900.1.0", sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
    transfer_syntax_uid="1.2.840.10008.1.2", blob_id="0" * 64, index={{}}, number_of_frames=1,
)
columns = [f.column for f in Instance._meta.concrete_fields if not f.primary_key]
chosen = ", ".join("'1.2.900.1.' || n" if c == "sop_instance_uid" else f'"{{c}}"' for c in columns)
named = ", ".join(f'"{{c}}"' for c in columns)
with connection.cursor() as cursor:
    cursor.execute(
        "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {count})"
        f" INSERT INTO viewer_instance ({{named}}) SELECT {{chosen}} FROM viewer_instance, counted WHERE id = %s",
        [one.pk],
    )
DicomPeer.objects.create(ae_title="LARGE", host="127.0.0.1", organization=here, may_query=True)
"""
ORDERS = """
from datetime import UTC, datetime
from accounts.models import Organization
from reporting.worklist import orders
from reporting.worklist.orders import OrderFacts, PatientFacts
Organization.objects.filter(name="default").update(time_zone="Europe/Berlin")
def ordered(number, name, modality, at, organization="default", **more):
    who = PatientFacts(f"PID-{number}", issuer_of_patient_id="HARBOUR", name=name, birth_date="19600101", sex="F")
    return orders.place(OrderFacts(
        organization=organization_named(organization), patient=who, accession_number=number, modality=modality,
        scheduled_at=datetime(*at, tzinfo=UTC), procedure_text=f"{modality} of the head", **more,
    ), "hl7", "test")
ordered("W-1", "Müller^Änne", "CT", (2026, 11, 23, 8, 30), procedure_code="CTHEAD", procedure_code_system="99HARBOUR",
    reason="Fell down the stairs", placer_order_number="P-1", referring_physician="Haus^Gregor")
ordered("W-2", "Sato^Yuki=佐藤^由紀", "MR", (2026, 11, 24, 23, 30), study_instance_uid="1.2.77.2")
orders.cancel(ordered("W-3", "Gone^Peter", "CT", (2026, 11, 23, 9, 0)), "test")
ordered("W-4", "Else^Where", "CT", (2026, 11, 23, 9, 0), "elsewhere")
ordered("W-5", "Step^Five", "US", (2026, 11, 25, 9, 0), study_instance_uid="1.2.77.5")
ordered("W-6", "Step^Six", "US", (2026, 11, 25, 10, 0), study_instance_uid="1.2.77.6")
"""
"""Of Alice's hospital W-1, W-2, W-5 and W-6 wait for their images."""
MANY_IMAGES = 20_000
"""Rows of one series of a third hospital, whose peer is LARGE."""
HELD = (
    "charset",
    "series/ct_head_gantry_tilt_ge_jpll",
    "syntax_ctimage/CTImage_LittleEndianImplicit_0.dcm",
    "syntax_other/US-RGB-8-epicard_bigendian.dcm",
    "syntax_other/deflated_mono.dcm",
    "syntax_nema/US1_RLE.dcm",
    "derived/sr_basic_text.dcm",
    "derived/encapsulated_pdf.dcm",
    "enhanced/EnhMR_BRTUM001_15f.dcm",
)
"""What Alice's hospital holds, by place in the test data."""
CHARLIES = "xray/DX_highdicom_mono1.dcm"
MISSPELT = "enhanced/EnhMR_BRMULTI_12f_3stacks.dcm"
MENDED = """
from viewer.archive.correcting import Who, update_patient
update_patient(
    Patient.objects.get(organization__name="mended"), {"PatientName": "Right^Renée"}, Who("test", reason="misspelt")
)
"""
"""The patient of MISSPELT, in a hospital whose peer is RENEE, was given another name."""


def files() -> list[Path]:
    """Of HELD, each file."""
    found = []
    for name in HELD:
        place = DATA / name
        found += sorted(place.glob("*.dcm")) if place.is_dir() else [place]
    return found
