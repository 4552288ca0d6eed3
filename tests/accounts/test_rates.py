"""One account cannot ask for more than its share of what is dear, and everybody else goes on."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.authentication import issue
from accounts.models import User
from accounts.policy import RULES
from accounts.rates import PACES, Buckets, Pace

PACE = Pace("test", 3, 60)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_is_emptied_and_refills_by_the_minute() -> None:
    clock = Clock()
    buckets = Buckets(clock=clock)
    assert [buckets.take(PACE, 1) for _ in range(3)] == [0, 0, 0]
    assert buckets.take(PACE, 1) == pytest.approx(1.0)
    assert buckets.take(PACE, 2) == 0, "another person has a bucket of their own"
    clock.now = 0.5
    assert buckets.take(PACE, 1) == pytest.approx(0.5), "asking in vain costs nothing more"
    clock.now = 1.0
    assert buckets.take(PACE, 1) == 0
    clock.now = 1000.0
    assert [buckets.take(PACE, 1) > 0 for _ in range(4)] == [False, False, False, True], (
        "it never holds more than a burst"
    )


def test_memory_is_bounded_whoever_comes() -> None:
    buckets = Buckets(most=10)
    for who in range(1000):
        buckets.take(PACE, who)
    assert len(buckets._held) == 10


def test_every_paced_door_is_a_door() -> None:
    assert set(PACES) <= set(RULES)


@pytest.mark.django_db
def test_who_asks_too_often_is_told_when_to_come_again_and_nobody_else_notices(
    alice: User, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PACES, "api-studies", Pace("few", 2, 6))
    client, headers = Client(), {"Authorization": f"Bearer {issue(alice)}"}
    assert [client.get("/api/studies/", headers=headers).status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get("/api/studies/", headers=headers)
    assert 9 <= int(refused["Retry-After"]) <= 10
    assert refused.json() == {"detail": f"Too many requests; try again in {refused['Retry-After']} s."}
    assert client.get("/api/me/", headers=headers).status_code == 200, "other doors stay open"
    assert client.get("/api/studies/", headers={"Authorization": f"Bearer {issue(boss)}"}).status_code == 200
    assert Client().get("/api/studies/").status_code == 401, "who is nobody learns nothing of it"


@pytest.mark.django_db
def test_a_person_at_a_page_reads_a_sentence(alice: User, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACES, "study-list", Pace("few pages", 1, 6))
    client.force_login(alice)
    assert [client.get("/", headers={"Accept": "text/html"}).status_code for _ in range(2)] == [200, 429]
    assert client.get("/", headers={"Accept": "text/html"}).content.startswith(b"Too many requests; try again in")
