"""The record as DICOM audit messages by syslog: judged by the rules of PS3.15 A.5.1 and RFC 5424, written down here anew, and
taken by a collector that is sometimes away."""

from __future__ import annotations

import base64
import re
import socket
import ssl
import subprocess
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from accounts import audit, audit_sending
from accounts.audit_export import Source, counted, message, syslog_line
from accounts.audit_reading import first_since
from accounts.audit_sending import Collector, collector_of, move_place, place, send, waiting
from accounts.models import AuditEvent

HERE = Source("archive.example", 4711)
HOSTILE = "Łódź <b>&\"'\x00\x0b\x1b]]>\ud800"

CODE = ({"csd-code", "codeSystemName", "originalText"}, {"displayName"})
"""Attributes: required, optional."""
RULES: dict[str, tuple[tuple[set[str], set[str]], list[tuple[str, str]]]] = {
    "AuditMessage": (
        (set(), set()),
        [
            ("EventIdentification", "1"),
            ("ActiveParticipant", "+"),
            ("AuditSourceIdentification", "1"),
            ("ParticipantObjectIdentification", "*"),
        ],
    ),
    "EventIdentification": (
        ({"EventDateTime", "EventOutcomeIndicator"}, {"EventActionCode"}),
        [("EventID", "1"), ("EventTypeCode", "*"), ("EventOutcomeDescription", "?")],
    ),
    "EventID": (CODE, []),
    "EventTypeCode": (CODE, []),
    "EventOutcomeDescription": ((set(), set()), []),
    "ActiveParticipant": (
        (
            {"UserID", "UserIsRequestor"},
            {"AlternativeUserID", "UserName", "NetworkAccessPointID", "NetworkAccessPointTypeCode"},
        ),
        [("RoleIDCode", "*"), ("MediaIdentifier", "?")],
    ),
    "RoleIDCode": (CODE, []),
    "AuditSourceIdentification": (({"AuditSourceID"}, {"AuditEnterpriseSiteID"}), [("AuditSourceTypeCode", "*")]),
    "AuditSourceTypeCode": (({"csd-code"}, {"codeSystemName", "originalText", "displayName"}), []),
    "ParticipantObjectIdentification": (
        (
            {"ParticipantObjectID", "ParticipantObjectTypeCode"},
            {"ParticipantObjectTypeCodeRole", "ParticipantObjectDataLifeCycle", "ParticipantObjectSensitivity"},
        ),
        [
            ("ParticipantObjectIDTypeCode", "1"),
            ("ParticipantObjectName", "?"),
            ("ParticipantObjectQuery", "?"),
            ("ParticipantObjectDetail", "*"),
            ("ParticipantObjectDescription", "*"),
        ],
    ),
    "ParticipantObjectIDTypeCode": (CODE, []),
    "ParticipantObjectDetail": (({"type", "value"}, set()), []),
}
"""The schema of PS3.15 A.5.1: attributes, and children in their order."""
VALUES = {
    "EventActionCode": "[CRUDE]",
    "EventOutcomeIndicator": "0|4|8|12",
    "EventDateTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "UserIsRequestor": "true|false",
    "NetworkAccessPointTypeCode": "[1-5]",
    "ParticipantObjectTypeCode": "[1-4]",
    "ParticipantObjectTypeCodeRole": "[1-9]|1[0-9]|2[0-6]",
}


def judge(element: ET.Element) -> None:
    """An element and what is in it, by the rules."""
    (required, optional), children = RULES[element.tag]
    given = set(element.attrib)
    assert required <= given <= required | optional, (element.tag, given)
    for name, value in element.attrib.items():
        assert value.strip(), (element.tag, name)
        assert re.fullmatch(VALUES.get(name, "(?s).*"), value), (name, value)
    shape = "".join(f"(?:<{name}>){'' if how == '1' else how}" for name, how in children)
    assert re.fullmatch(shape, "".join(f"<{child.tag}>" for child in element)), element.tag
    for child in element:
        judge(child)


def read_line(line: bytes) -> tuple[re.Match[bytes], ET.Element]:
    """RFC 5424 6: header, no structured data, the message with the mark of UTF-8."""
    found = re.fullmatch(
        rb"<(\d{1,3})>1 (\S{20,32}) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) - \xef\xbb\xbf(.*)",
        line,
        re.DOTALL,
    )
    assert found is not None, line[:200]
    assert datetime.fromisoformat(found[2].decode())
    root = ET.fromstring(found[7].decode())
    judge(root)
    return found, root


def lines_of(stream: bytes) -> list[bytes]:
    """Octet counting: RFC 5425 4.3."""
    found = []
    while stream:
        length, _, stream = stream.partition(b" ")
        assert len(stream) >= int(length)
        found.append(stream[: int(length)])
        stream = stream[int(length) :]
    return found


def sequences(lines: list[bytes]) -> list[int]:
    """Which events they tell of."""
    found = []
    for line in lines:
        _, root = read_line(line)
        details = {one.get("type"): one.get("value") for one in root.iter("ParticipantObjectDetail")}
        found.append(int(base64.b64decode(details["sequence"])))
    return found


def write(count: int) -> None:
    for number in range(count):
        audit.record("study.view", actor="alice", patient_id="P-1", study_instance_uid=f"1.2.{number}")


# --- the message


@pytest.mark.parametrize(
    "action", ["sign-in", "study.view", "export.study", "report.sign_final", "fhir.search", "x", ""]
)
@pytest.mark.parametrize("outcome", ["success", "denied", "failure", "other"])
def test_every_sort_of_event_is_sound(alice, action, outcome):
    detail = {"door": "page", "list": [1, 2], "reason": "", "": "nameless"}
    event = audit.record(action, actor=alice, organization="default", outcome=outcome, origin="::1", detail=detail)
    found, root = read_line(syslog_line(event, HERE))
    assert (found[1], found[3], found[4], found[6]) == (b"85", b"archive.example", b"farview", b"DICOM+RFC3881")
    assert root.find("EventIdentification/EventTypeCode[last()]") is not None or not action


def test_hostile_text_stays_text(db):
    event = audit.record(
        HOSTILE, actor=HOSTILE, organization=HOSTILE, patient_id=HOSTILE, origin=HOSTILE, detail={HOSTILE: HOSTILE}
    )
    _, root = read_line(syslog_line(event, HERE))
    person = root.find("ActiveParticipant")
    assert person.get("UserID").startswith("Łódź <b>&\"'")
    assert not list(root.iter("b"))


def test_a_viewing_names_patient_study_person_and_place(alice):
    event = audit.record(
        "study.view",
        actor=alice,
        organization="default",
        patient_id="P-1",
        study_instance_uid="1.2.3",
        origin="10.0.0.9",
    )
    root = ET.fromstring(message(event, HERE))
    assert root.find("EventIdentification/EventID").attrib == {
        "csd-code": "110103",
        "codeSystemName": "DCM",
        "originalText": "DICOM Instances Accessed",
    }
    person = root.find("ActiveParticipant[@UserIsRequestor='true']")
    assert (person.get("UserID"), person.get("NetworkAccessPointID")) == ("alice", "10.0.0.9")
    assert person.get("NetworkAccessPointTypeCode") == "2"
    assert person.find("RoleIDCode").get("csd-code") == "radiologist"
    objects = {
        (one.find("ParticipantObjectIDTypeCode").get("csd-code"), one.get("ParticipantObjectTypeCodeRole")): one
        for one in root.iter("ParticipantObjectIdentification")
    }
    assert objects["110180", "3"].get("ParticipantObjectID") == "1.2.3"
    assert objects["2", "1"].get("ParticipantObjectID") == "P-1"
    assert objects["2", "1"].get("ParticipantObjectTypeCode") == "1"
    assert root.find("AuditSourceIdentification").attrib == {
        "AuditSourceID": "archive.example",
        "AuditEnterpriseSiteID": "default",
    }


def test_signing_in_is_told_as_such(alice):
    root = ET.fromstring(message(audit.record("sign-in", actor=alice, outcome="failure"), HERE))
    assert root.find("EventIdentification").get("EventOutcomeIndicator") == "4"
    codes = [one.get("csd-code") for one in root.find("EventIdentification")]
    assert codes[:2] == ["110114", "110122"]


def test_a_length_counts_bytes_not_letters():
    assert counted("ß".encode()) == b"2 \xc3\x9f"


# --- where to


@pytest.mark.parametrize(
    ("address", "to"),
    [
        ("", None),
        ("tls://log.example", Collector("tls", "log.example", 6514)),
        ("tcp://log.example:1468", Collector("tcp", "log.example", 1468)),
        ("udp://[::1]", Collector("udp", "::1", 514)),
    ],
)
def test_a_collector_has_an_address(address, to):
    assert collector_of(address) == to


@pytest.mark.parametrize("address", ["log.example", "http://log.example", "tls://", "tls://h/path", "tls://h:99999"])
def test_what_is_none_is_refused(address):
    with pytest.raises(ValueError, match=r"expected|Port"):
        collector_of(address)


# --- a collector


class Listener:
    """Takes one stream after another, whole, until it is closed."""

    def __init__(self, context: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.taken: list[bytes] = []
        self._context = context
        self._line = socket.create_server(("127.0.0.1", port))
        self.port = self._line.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._line.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(caller, server_side=True) if self._context else caller as line:
                    content = b""
                    while piece := line.recv(65536):
                        content += piece
                    self.taken += lines_of(content)
                    if self._context:
                        line.unwrap()
            except OSError:
                continue

    def close(self) -> None:
        self._line.shutdown(socket.SHUT_RDWR)
        self._line.close()
        self._thread.join(5)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def test_over_tcp_everything_arrives_in_order(db, listener):
    write(3)
    send(waiting(), Collector("tcp", "127.0.0.1", listener.port))
    assert sequences(listener.taken) == [1, 2, 3]


def test_over_udp_one_message_is_one_datagram(db):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        line.settimeout(5)
        write(2)
        send(waiting(), Collector("udp", "127.0.0.1", line.getsockname()[1]))
        assert sequences([line.recv(65536), line.recv(65536)]) == [1, 2]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Certificate and key in one file."""
    path = tmp_path / "collector.pem"
    make = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=collector")
    named = ("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert"))
    subprocess.run([*make, *named], check=True, capture_output=True)
    path.write_text((tmp_path / "cert").read_text() + (tmp_path / "key").read_text())
    return path


def test_over_tls_only_to_a_collector_that_is_trusted(db, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = Listener(context)
    write(2)
    with pytest.raises(ssl.SSLCertVerificationError):
        send(waiting(), Collector("tls", "127.0.0.1", listener.port))
    send(waiting(), Collector("tls", "127.0.0.1", listener.port, str(certificate)))
    listener.close()
    assert sequences(listener.taken) == [1, 2]


# --- the place


def test_the_place_is_kept_and_nothing_is_lost_while_nobody_listens(db, listener):
    to = Collector("tcp", "127.0.0.1", listener.port)
    assert place() == 0
    write(3)
    batch = waiting(2)
    send(batch, to)
    move_place(batch[-1].sequence)
    with socket.create_server(("127.0.0.1", 0)) as idle:
        away = Collector("tcp", "127.0.0.1", idle.getsockname()[1])
    write(2)
    with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the machine says it
        send(waiting(), away)
    assert place() == 2
    send(waiting(), to)
    assert sequences(listener.taken) == [1, 2, 3, 4, 5]
    assert audit_sending.place_path().stat().st_mode & 0o777 == 0o600


def test_a_line_torn_in_the_middle_is_no_success(db):
    """A collector that hangs up without reading: the system says so, and the events wait."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        write(200)

        def tear() -> None:
            caller, _ = server.accept()
            caller.recv(10)
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            caller.close()

        thread = threading.Thread(target=tear)
        thread.start()
        with pytest.raises(OSError):  # noqa: PT011
            send(waiting(), Collector("tcp", "127.0.0.1", server.getsockname()[1]))
        thread.join(5)


@pytest.mark.parametrize("text", ["", "abc", "12"])
def test_a_place_that_cannot_be_read_begins_anew(db, text):
    audit_sending.place_path().write_text(text)
    assert place() == (12 if text == "12" else 0)


# --- finding by time


def test_the_first_event_since_a_moment(db):
    write(9)
    events = list(AuditEvent.objects.order_by("sequence"))
    for event in events:
        assert first_since(event.at) <= event.sequence
        assert AuditEvent.objects.filter(at__gte=event.at).order_by("sequence")[0].sequence == first_since(event.at)
    assert first_since(datetime.fromisoformat("2001-01-01T00:00:00Z")) == 1
    assert first_since(datetime.fromisoformat("2999-01-01T00:00:00Z")) == 10


def test_in_an_empty_record_the_first_would_be_the_first(db):
    assert first_since(datetime.fromisoformat("2001-01-01T00:00:00Z")) == 1
