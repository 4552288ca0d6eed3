"""What every answer tells a browser, and the door at which browsers tell of breaches."""

from __future__ import annotations

import json
import logging

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts import content_security
from accounts.content_security import HEADERS, allow_forms_to, content_security_policy, directives_of
from tests.accounts.test_every_door import REAL, address, doors

OLD = {
    "csp-report": {
        "document-uri": "https://here/studies/1.2.3/",
        "effective-directive": "script-src-elem",
        "script-sample": "alert('Geheim^Anna')",
    }
}
NEW = [
    {
        "type": "csp-violation",
        "url": "https://here/",
        "body": {"effectiveDirective": "style-src-attr", "sample": "Geheim"},
    }
]


@pytest.fixture(autouse=True)
def nothing_reported_yet(monkeypatch):
    content_security.reported.clear()
    monkeypatch.setattr(content_security, "_window", content_security._Window())


def sent(body: object, media_type: str = "application/csp-report", **headers: str) -> int:
    client = Client(enforce_csrf_checks=True)
    return client.post("/csp-report/", json.dumps(body), content_type=media_type, headers=headers).status_code


def test_every_door_answers_with_every_header(boss, client):
    """By whom it lets in and by whom it does not: refusals and errors carry the same headers."""
    client.force_login(boss)
    for browser in (client, Client()):
        for route, name in doors():
            answer = browser.get(address(route, REAL), HTTP_ACCEPT="text/html")
            told = {header: answer.headers.get(header) for header in HEADERS}
            assert told == HEADERS, name
            assert answer["X-Frame-Options"] in ("DENY", "SAMEORIGIN"), name
            policy = answer["Content-Security-Policy"]
            assert "unsafe" not in policy, name
            for words in ("default-src 'self'", "script-src 'self';", "object-src 'none'", "frame-ancestors 'none'"):
                assert words in policy, (name, words)


def test_no_list_of_the_administration_holds_a_style_or_a_script_in_its_text(boss, client):
    client.force_login(boss)
    seen = 0
    for model in admin.site._registry:
        answer = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        if answer.status_code == 200:
            seen += 1
            assert b"<style" not in answer.content, model
            assert b"<script>" not in answer.content, model
            assert b" style=" not in answer.content, model
    assert seen > 5


def test_breaches_are_counted_by_directive_and_told_in_the_metrics(client, boss, caplog):
    with caplog.at_level(logging.WARNING):
        assert sent(OLD) == 204
        assert sent(NEW, "application/reports+json") == 204
        assert sent({"csp-report": {"violated-directive": "img-src https://elsewhere"}}) == 204
    assert content_security.reported == {"script-src-elem": 1, "style-src-attr": 1, "img-src": 1}
    assert "Geheim" not in caplog.text
    assert "1.2.3" not in caplog.text
    client.force_login(boss)
    assert 'farview_csp_reports_total{directive="script-src-elem"} 1' in client.get("/metrics").content.decode()


def test_a_directive_of_the_senders_own_making_becomes_no_label(db):
    sent({"csp-report": {"effective-directive": 'x"} 1\nfarview_gpu 7'}})
    sent({"csp-report": "Geheim^Anna"})
    assert content_security.reported == {"other": 2}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"7", b"[[]]", b"[" * 5000, b"\xff", b'[{"type":"deprecation","body":{}}]']
)
def test_what_is_no_report_counts_nothing(body):
    assert directives_of(body) == []


def test_reports_are_refused_by_kind_size_and_number(db):
    assert sent(OLD, "text/plain") == 415
    assert sent({"csp-report": "x" * 20_000}) == 413
    answers = [sent(OLD) for _ in range(content_security.REPORTS_A_MINUTE)]
    assert answers[0] == 204
    assert answers[-1] == 429


def test_a_page_may_name_where_its_form_ends(rf):
    request = rf.get("/")
    allow_forms_to(request, "https://identity.example")
    assert "form-action 'self' https://identity.example;" in content_security_policy(request)
    assert "identity" not in content_security_policy(rf.get("/"))


def test_strict_transport_is_asked_for_under_tls_alone(client, db, settings):
    assert "Strict-Transport-Security" not in client.get("/accounts/sign-in/")
    settings.SECURE_HSTS_SECONDS = 31_536_000
    assert client.get("/accounts/sign-in/")["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
