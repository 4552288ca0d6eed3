"""Each way out against a real receiver on a real socket: what is sent, what counts as received, and what does not."""

from __future__ import annotations

import email
import ssl
import time
from email import policy
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from reporting.delivery import to_fhir, to_hl7, to_mail
from reporting.delivery.outcomes import NotReached, NotSent, Outgoing
from tests.live import free_port
from tests.reporting.delivery import receivers
from tests.reporting.delivery.receivers import HttpReceiver, MllpReceiver
from tests.reporting.delivery.test_listener import certificate

ORU = "MSH|^~\\&|FARVIEW|SITE|R|R|20260504||ORU^R01^ORU_R01|FV1|P|2.5.1||||||UNICODE UTF-8\rPID|||1||Müller^Zoë\r"


def message(address: str, control_id: str = "FV1", **options: object) -> Outgoing:
    return Outgoing(control_id, ORU.encode(), address, options, "default")


def bundle(address: str, **options: object) -> Outgoing:
    data = b'{"resourceType": "Bundle", "identifier": {"value": "urn:uuid:1"}}'
    return Outgoing("urn:uuid:1", data, address, options, "default")


@pytest.fixture
def tls(tmp_path: Path, settings) -> ssl.SSLContext:
    """A server's side of TLS, whose certificate the settings trust."""
    pem, key = certificate(tmp_path)
    settings.FARVIEW_DELIVERY_CA_FILE = str(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return context


# --- HL7


@pytest.mark.parametrize("code", ["AA", "CA"])
async def test_a_message_that_is_accepted_has_arrived_as_it_left(code: str) -> None:
    with MllpReceiver(code) as receiver:
        told = await to_hl7.send(message(receiver.address))
    assert receiver.raw == [ORU.encode()]
    assert f"MSA|{code}|FV1" in told


@pytest.mark.parametrize("code", ["AE", "AR", "CE", "CR"])
async def test_a_message_that_is_refused_has_not_and_the_reason_is_kept(code: str) -> None:
    wanted = pytest.raises(NotSent, match=f"answered {code}: unknown patient")
    with MllpReceiver(code, words="unknown patient") as receiver, wanted as problem:
        await to_hl7.send(message(receiver.address))
    assert not problem.value.unreachable  # other messages may be welcome
    assert "MSA" in problem.value.answer


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("other", "another message"),
        ("garbage", "no MLLP block"),
        ("close", "may have arrived"),
        ("silence", "no answer within"),
    ],
)
async def test_anything_but_its_own_answer_is_none(reply: str, words: str, monkeypatch) -> None:
    monkeypatch.setattr(to_hl7, "ANSWER_S", 0.5)
    with MllpReceiver(reply) as receiver, pytest.raises(NotSent, match=words):
        await to_hl7.send(message(receiver.address))


async def test_nobody_there_is_told_from_a_refusal() -> None:
    with pytest.raises(NotReached, match="cannot be reached"):
        await to_hl7.send(message(f"127.0.0.1:{free_port()}"))
    with pytest.raises(NotSent, match="HOST:PORT"):
        await to_hl7.send(message("nowhere"))


async def test_over_tls_the_receiver_shows_a_certificate_that_is_trusted(tls, settings) -> None:
    with MllpReceiver(tls=tls) as receiver:
        assert "MSA|AA" in await to_hl7.send(message(receiver.address, tls=True))
        settings.FARVIEW_DELIVERY_CA_FILE = ""
        with pytest.raises(NotReached, match="TLS"):
            await to_hl7.send(message(receiver.address, tls=True))
    assert len(receiver.received) == 1


# --- FHIR


async def test_a_transaction_goes_to_the_base_of_the_server() -> None:
    with HttpReceiver() as receiver:
        assert await to_fhir.send(bundle(receiver.url)) == "HTTP 201"
    ((path, headers, body),) = receiver.received
    assert path == "/fhir"
    assert headers["Content-Type"] == "application/fhir+json; charset=utf-8"
    assert not {"Authorization", "If-None-Exist"} & set(headers)
    assert body.startswith(b'{"resourceType": "Bundle"')


async def test_a_collection_is_made_where_it_is_not_there_yet() -> None:
    with HttpReceiver() as receiver:
        await to_fhir.send(bundle(receiver.url + "/", bundle="collection"))
    ((path, headers, _),) = receiver.received
    assert path == "/fhir/Bundle"
    assert headers["If-None-Exist"] == "identifier=urn%3Aietf%3Arfc%3A3986%7Curn%3Auuid%3A1"


async def test_a_secret_is_taken_from_the_environment_by_its_name(monkeypatch) -> None:
    monkeypatch.setenv("FARVIEW_DELIVERY_SECRET_DEFAULT__EHR", "open sesame")
    with HttpReceiver() as receiver:
        await to_fhir.send(bundle(receiver.url, token_env="FARVIEW_DELIVERY_SECRET_DEFAULT__EHR"))
        for name in (
            "FARVIEW_SECRET_KEY",
            "FARVIEW_DELIVERY_SECRET_ELSEWHERE__EHR",
            "FARVIEW_DELIVERY_SECRET_DEFAULT__NO",
        ):
            monkeypatch.setenv("FARVIEW_DELIVERY_SECRET_ELSEWHERE__EHR", "theirs")
            with pytest.raises(NotSent):
                await to_fhir.send(bundle(receiver.url, token_env=name))
    ((_, headers, _),) = receiver.received
    assert headers["Authorization"] == "Bearer open sesame"


@pytest.mark.parametrize(
    ("status", "elsewhere_too"), [(400, False), (404, False), (422, False), (429, True), (503, True)]
)
async def test_a_refusal_is_kept_in_the_words_of_the_server(status: int, elsewhere_too: bool) -> None:
    said = b'{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x", "diagnostics": "no Patient"}]}'
    wanted = pytest.raises(NotSent, match=f"HTTP {status}")
    with HttpReceiver(lambda handler: receivers.answer(handler, status, said)) as receiver, wanted as problem:
        await to_fhir.send(bundle(receiver.url))
    assert problem.value.answer == "no Patient"
    assert problem.value.unreachable is elsewhere_too


async def test_a_redirect_leads_nowhere() -> None:
    with (
        HttpReceiver() as elsewhere,
        HttpReceiver(lambda handler: receivers.answer(handler, 307, Location=elsewhere.url)) as receiver,
        pytest.raises(NotSent, match="elsewhere"),
    ):
        await to_fhir.send(bundle(receiver.url))
    assert elsewhere.received == []


async def test_what_a_server_answers_is_read_so_far_and_no_longer(monkeypatch) -> None:
    monkeypatch.setattr(to_fhir, "ANSWER_BYTES", 1000)
    with HttpReceiver(lambda handler: receivers.answer(handler, 200, b"x" * 5_000_000)) as receiver:
        assert await to_fhir.send(bundle(receiver.url)) == "HTTP 200"


async def test_a_server_that_dribbles_or_says_nothing_is_not_waited_for(monkeypatch) -> None:
    monkeypatch.setattr(to_fhir, "ANSWER_S", 0.5)

    def dribble(handler: object) -> None:
        handler.send_response(200)  # type: ignore[attr-defined]
        handler.send_header("Content-Length", "1000")  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]
        for _ in range(100):
            handler.wfile.write(b"x")  # type: ignore[attr-defined]
            time.sleep(0.05)

    started = time.monotonic()
    for reply in (dribble, lambda handler: time.sleep(5)):
        with HttpReceiver(reply) as receiver, pytest.raises(NotSent):
            await to_fhir.send(bundle(receiver.url))
    assert time.monotonic() - started < 9


async def test_https_wants_a_certificate_that_is_trusted_and_http_a_word(tls, settings) -> None:
    with HttpReceiver(tls=tls) as receiver:
        assert await to_fhir.send(bundle(receiver.url)) == "HTTP 201"
        settings.FARVIEW_DELIVERY_CA_FILE = ""
        with pytest.raises(NotReached, match="TLS"):
            await to_fhir.send(bundle(receiver.url))
    assert to_fhir.problems("http://ehr.example/fhir", {}) != []
    assert to_fhir.problems("http://ehr.example/fhir", {"allow_http": True}) == []
    with pytest.raises(NotReached):
        await to_fhir.send(bundle(f"http://127.0.0.1:{free_port()}/"))


@pytest.mark.parametrize(
    "address",
    [
        "ftp://ehr/",
        "https:///x",
        "https://a:b@ehr/",
        "https://ehr/?token=1",
        "ehr",
        "https://ehr:99999/",
        "https://[::1",
    ],
)
def test_an_address_that_is_none_of_a_server_is_said(address: str) -> None:
    assert to_fhir.problems(address, {}) != []


# --- mail


class Box:
    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []
        self.reply = "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        if self.reply.startswith("250"):
            self.mails.append((envelope.rcpt_tos, envelope.content))
        return self.reply


@pytest.fixture
def box(settings):
    box = Box()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield box
    controller.stop()


def mail(**options: object) -> Outgoing:
    return Outgoing("FV1", b"", "x@example.org", options, "default", 17, ("bob@example.org",))


async def test_a_mail_is_a_link_and_an_identifier(box: Box, settings) -> None:
    settings.FARVIEW_PUBLIC_URL = "https://farview.example"
    await to_mail.send(mail(signed_as="Harbour Hospital"))
    ((to, raw),) = box.mails
    read = email.message_from_bytes(raw, policy=policy.default)
    assert to == ["bob@example.org"]
    assert read["Message-ID"] == "<FV1@farview.example>"
    assert "https://farview.example/reports/17/" in read.get_content()
    assert "Harbour Hospital" in read.get_content()


async def test_a_mail_server_that_refuses_or_is_not_there_is_told_apart(box: Box, settings) -> None:
    box.reply = "554 no"
    with pytest.raises(NotSent, match="answered 554") as refused:
        await to_mail.send(mail())
    assert not refused.value.unreachable
    settings.EMAIL_PORT = free_port()
    with pytest.raises(NotReached):
        await to_mail.send(mail())
    settings.EMAIL_HOST = ""
    with pytest.raises(NotReached, match="FARVIEW_SMTP_HOST"):
        await to_mail.send(mail())


@pytest.mark.parametrize(
    ("address", "good"), [("a@b.org", True), ("a@b.org, c@d.org", True), ("referrer", True), ("a b", False)]
)
def test_addresses_of_mail_are_looked_at(address: str, good: bool) -> None:
    assert (to_mail.problems(address, {}) == []) is good
