"""A forgotten password: a link by mail, or the word that the administrator makes one."""

from __future__ import annotations

import re
import threading
import time
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as django_settings
from django.contrib.auth import tokens
from django.core import mail
from django.test import Client

from accounts.models import AuditEvent, FailedSignIn, User
from tests.accounts.conftest import PASSWORD
from tests.accounts.test_second_factor import ASKED
from tests.accounts.test_sign_in import signed_in, try_in

FORGOTTEN = "/accounts/forgotten/"
NEW = "three ships at anchor"


@pytest.fixture(autouse=True)
def mail_server(settings) -> None:
    settings.EMAIL_HOST = "mail.example"


@pytest.fixture
def alice(alice: User) -> User:
    alice.email = "alice@example.org"
    alice.first_name, alice.last_name = "Alice", "Moreau"
    alice.save()
    return alice


def sent(number: int = 1) -> list[mail.EmailMessage]:
    """The mails, when their threads are through."""
    end = time.monotonic() + 5
    while any("_send" in thread.name for thread in threading.enumerate()) and time.monotonic() < end:
        time.sleep(0.005)
    assert len(mail.outbox) == number
    return mail.outbox


def link_of(message: mail.EmailMessage) -> str:
    return re.search(r"^(http\S+)$", message.body, re.MULTILINE)[1].removeprefix(django_settings.FARVIEW_PUBLIC_URL)


def ask(client: Client, name: str, **more) -> str:
    text = client.post(FORGOTTEN, {"name": name}, **more).content.decode()
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


def set_new(client: Client, link: str, password: str = NEW):
    page = client.get(link, follow=True)
    here = page.redirect_chain[-1][0] if page.redirect_chain else link
    return client.post(here, {"new_password1": password, "new_password2": password})


@pytest.mark.parametrize("name", ["alice", "alice@example.org", "Alice@Example.org"])
def test_a_link_comes_by_mail_and_sets_a_new_password_once(client, alice, name):
    other = Client()
    try_in(other, "alice", PASSWORD)
    ask(client, name)
    (message,) = sent()
    assert message.to == ["alice@example.org"]
    link = link_of(message)
    assert set_new(client, link)["Location"] == "/accounts/sign-in/"
    assert not signed_in(client)
    assert try_in(client, "alice", PASSWORD).status_code == 200
    assert try_in(client, "alice", NEW).status_code == 302
    assert other.get("/accounts/password/").status_code == 302
    assert Client().get(link).status_code == 404
    assert [event.actor for event in AuditEvent.objects.filter(action__startswith="password.")] == ["alice", "alice"]
    assert AuditEvent.objects.filter(action="password.reset").count() == 1


def test_the_mail_names_nothing_but_the_name_one_signs_in_by(client, alice):
    ask(client, "alice")
    (message,) = sent()
    assert "alice" in message.body
    assert "Moreau" not in message.subject + message.body


@pytest.mark.parametrize("who", ["nobody", "disabled", "no address", "no password", "two of one address"])
def test_the_answer_is_the_same_for_everybody_and_no_mail_leaves(client, alice, charlie, who):
    expected = ask(Client(), "alice")
    sent()
    mail.outbox.clear()
    name = "nobody" if who == "nobody" else "alice@example.org"
    if who == "disabled":
        User.objects.filter(pk=alice.pk).update(is_active=False)
    elif who == "no address":
        User.objects.filter(pk=alice.pk).update(email="")
        name = "alice"
    elif who == "no password":
        alice.set_unusable_password()
        alice.save()
    elif who == "two of one address":
        User.objects.filter(pk=charlie.pk).update(email="alice@example.org")
    assert ask(client, name) == expected
    sent(0)


def test_the_answer_does_not_wait_for_the_mail(client, alice, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr("django.core.mail.EmailMessage.send", lambda self: gate.wait(20))
    began = time.monotonic()
    ask(client, "alice")
    assert time.monotonic() - began < 10
    gate.set()


def test_the_sixth_request_for_one_name_sends_nothing(client, alice):
    texts = {ask(client, "alice") for _ in range(7)}
    assert len(texts) == 1
    sent(5)
    assert FailedSignIn.objects.exists()


def test_a_link_is_good_for_an_hour(client, alice, monkeypatch):
    ask(client, "alice")
    link = link_of(sent()[0])
    real = tokens.default_token_generator._now
    monkeypatch.setattr(tokens.default_token_generator, "_now", lambda: real() + timedelta(minutes=59))
    assert client.get(link).status_code == 302
    monkeypatch.setattr(tokens.default_token_generator, "_now", lambda: real() + timedelta(minutes=61))
    assert Client().get(link).status_code == 404


def test_signing_in_meanwhile_ends_the_link(client, alice):
    ask(client, "alice")
    link = link_of(sent()[0])
    try_in(Client(), "alice", PASSWORD)
    assert client.get(link).status_code == 404


@pytest.mark.parametrize(
    "link", [f"{FORGOTTEN}MQ/x-y/", f"{FORGOTTEN}!!/x/", f"{FORGOTTEN}OTk5OTk/c8kz-0/", f"{FORGOTTEN}MQ/new/"]
)
def test_made_up_links_open_nothing(client, alice, link):
    answer = client.get(link)
    assert answer.status_code == 404
    assert "used or has expired" in answer.content.decode()
    assert client.post(link, {"new_password1": NEW, "new_password2": NEW}).status_code == 404


def test_a_weak_new_password_is_refused_with_the_reason(client, alice):
    ask(client, "alice")
    answer = set_new(client, link_of(sent()[0]), "password")
    assert answer.status_code == 200
    assert "too short" in answer.content.decode()


def test_a_new_password_does_not_take_the_place_of_the_second_factor(client, alice):
    Authenticator.objects.create(user=alice, type="totp", data={"secret": "x"})
    ask(client, "alice")
    set_new(client, link_of(sent()[0]))
    assert try_in(client, "alice", NEW)["Location"] == ASKED
    assert not signed_in(client)


def test_without_a_mail_server_the_page_names_the_administrator(client, alice, settings):
    settings.EMAIL_HOST = ""
    text = client.get(FORGOTTEN).content.decode()
    assert "administrator" in text
    assert 'name="name"' not in text
    assert client.post(FORGOTTEN, {"name": "alice"}).status_code == 200
    sent(0)


def test_whose_second_factors_were_removed_is_told(client, alice, boss):
    Authenticator.objects.create(user=alice, type="totp", data={"secret": "x"})
    client.force_login(boss)
    client.post("/admin/accounts/user/", {"action": "remove_second_factors", "_selected_action": [alice.pk]})
    (message,) = sent()
    assert message.to == ["alice@example.org"]
    assert "second factors" in message.body


def test_a_mail_server_that_is_away_breaks_nothing_and_no_address_is_logged(client, alice, monkeypatch, caplog):
    def away(self):
        raise ConnectionRefusedError("alice@example.org")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", away)
    ask(client, "alice")
    sent(0)
    assert "could not be sent" in caplog.text
    assert "alice" not in caplog.text
