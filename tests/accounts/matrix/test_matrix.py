"""Every URL by every method, asked by everybody who may not: what is there answers as what is not there, and tells nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from accounts import audit, policy
from tests.accounts.matrix.doors import BY_KIND, FIXED, FREE, METHODS, OWN_ROOM, PARAMETER, Door, doors
from tests.accounts.matrix.world import (
    GHOST_NUMBER,
    NUMBER,
    OWNER,
    PEOPLE,
    READERS,
    World,
    build,
    in_a_folder_of_its_own,
    one_connection,
)
from viewer.serving.runtime import runtime

ADMINISTERS = {
    # by number, within their organization, without seeing its images
    **dict.fromkeys(("api-report-cancel", "api-report-entered-in-error"), METHODS),
    **dict.fromkeys(("api-worklist-assign", "api-worklist-free", "api-worklist-cancel"), ("post",)),
    **dict.fromkeys(("api-templates", "mrrt-templates", "mrrt-template", "api-macros", "api-macro"), METHODS),
    **dict.fromkeys(("shares", "api-share-link"), METHODS),
    **dict.fromkeys(("fhir-audit-search", "fhir-audit-read"), METHODS),
    **dict.fromkeys(("dicomweb-study", "dicomweb-series", "dicomweb-instance"), ("delete",)),
}
BREAKS_GLASS = dict.fromkeys(("api-emergency", "api-study-emergency"), ("post",))
BY_ROLE: dict[str, dict[str, tuple[str, ...]]] = {
    "admin": {**ADMINISTERS, **BREAKS_GLASS},
    "referrer": BREAKS_GLASS,
}
"""What the study's own people do with it though they do not see it: by door, the methods."""


FIGURES = ("metrics",)
"""They change from one asking to the next; that they hold no secret is asked all the same."""


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: Any, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Made once; every request is taken back."""
    folder = tmp_path_factory.mktemp("matrix")
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        in_a_folder_of_its_own(patch, folder)
        one_connection(patch)
        audit._kept_key.cache_clear()
        with taken_back():
            yield build(shared_data)
        audit._kept_key.cache_clear()
    runtime().stop_private()


class taken_back:
    """A transaction that never was, in which others may begin their own."""

    def __enter__(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic._from_testcase = True
        self.atomic.__enter__()

    def __exit__(self, *problem: object) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)


@pytest.fixture
def asked(world: World, db: None) -> World:
    return world


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")


def request(door: Door, method: str, values: dict[str, str], headers: dict[str, str]) -> HttpResponse:
    client = Client(raise_request_exception=False)
    if method == "get":
        return client.get(door.address(values), door.query(values), headers=headers)
    body = json.dumps(door.body(values))
    return getattr(client, method)(door.address(values), body, "application/json", headers=headers)


def told(answer: HttpResponse, world: World) -> tuple[int, dict[str, str], str]:
    """Status, headers and body, without what was asked for and what differs from page to page anyway."""
    body = content_of(answer).decode(errors="replace")
    headers = {name: plain(str(value), world) for name, value in answer.headers.items() if name not in VARYING}
    return answer.status_code, headers, plain(body, world)


def content_of(answer: HttpResponse) -> bytes:
    async def whole() -> bytes:
        return b"".join([part async for part in answer])

    if not answer.streaming:
        return bytes(answer.content)
    return async_to_sync(whole)() if answer.is_async else b"".join(answer)


VARYING = {"Content-Security-Policy", "Set-Cookie", "Content-Length", "Date", "Server-Timing", "ETag"}


def plain(text: str, world: World) -> str:
    for name, real in world.real.items():
        if len(real) > 4:
            text = text.replace(real, "#").replace(world.ghost[name], "#")
        else:
            text = text.replace(f"={real}", "=#").replace(f"={world.ghost[name]}", "=#")
    text = re.sub(r'(csrfmiddlewaretoken" value=|csrf[Tt]oken": )"\w+"', "", text)
    text = re.sub(r'nonce="[^"]+"', "", text)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", "NOW", text)


def may(world: World, who: str, door: Door, method: str) -> bool:
    """True where the answer is theirs by right."""
    if method in BY_ROLE.get(who, {}).get(door.name, ()):
        return True
    if who not in READERS:
        return False
    rule = policy.RULES[door.name]
    return rule.allows(world.users[who], changes=method not in ("get",))


@pytest.mark.parametrize("door", doors(), ids=str)
def test_what_is_there_answers_as_what_is_not_there(asked: World, door: Door) -> None:
    leaks = []
    for who in PEOPLE:
        for method in door.methods():
            if not may(asked, who, door, method):
                leaks += [f"{method} {door} {said}, to {who}" for said in leaks_of(asked, who, door, method)]
    assert not leaks


def leaks_of(world: World, who: str, door: Door, method: str) -> list[str]:
    """What is wrong with the answers that `who` gets, in words."""
    answers = []
    for values in (world.real, world.ghost):
        with taken_back():
            answers.append(told(request(door, method, values, world.headers[who]), world))
    (status, headers, body), ghost = answers
    said = json.dumps(headers) + body
    found = [f"tells of {secret}" for secret in world.secrets if secret in said]
    if status >= 500:
        found.append(f"fails: {body[:200]}")
    if answers[0] != ghost and door.name not in FIGURES:
        found.append(f"answers otherwise than for a ghost: {status} {body[:200]} against {ghost[0]} {ghost[2][:200]}")
    return found


# --- what keeps the matrix whole, and shows that it could fail


def test_every_door_has_a_row() -> None:
    rows = {name for _, name in policy.doors() if policy.rule_named(name) is not policy.PUBLIC}
    without = [
        name
        for route, name in policy.doors()
        if name in rows and not PARAMETER.search(route) and "(?P" not in route and not name.startswith(OWN_ROOM)
    ]
    assert set(without) - FREE.keys() == set(), "say in FREE how these are asked"
    assert FREE.keys() - {name for _, name in policy.doors()} == set()


def test_every_part_of_an_address_is_one_of_the_world(asked: World) -> None:
    known = asked.real.keys() | FIXED.keys() | {"key"}
    for door in doors():
        assert set(PARAMETER.findall(door.route)) <= known, door


TELLS = (
    "study",
    "api-study",
    "api-key-images",
    "api-measurements",
    "api-objects",
    "api-viewed",
    "api-hanging",
    "api-study-export-choices",
    "api-corrections",
    "corrections",
    "api-studies",
    "api-worklist",
    "api-report",
    "api-report-versions",
    "api-worklist-item",
    "api-order",
    "launch",
    "api-reports",
    "api-report-evidence",
    "dicomweb-studies",
    "dicomweb-all-series",
    "dicomweb-all-instances",
    "dicomweb-study-metadata",
    "dicomweb-series-metadata",
    "dicomweb-instance-metadata",
    "dicomweb-instance",
    "wado-uri",
)


@pytest.mark.parametrize("name", TELLS)
def test_the_study_was_there_to_be_told_of(asked: World, name: str) -> None:
    """To its own people the same addresses answer otherwise than ghosts'."""
    door = next(door for door in doors() if door.name == name)
    headers = {"Authorization": "Bearer " + _token_of(asked)}
    with taken_back():
        real = told(request(door, "get", asked.real, headers), asked)
    with taken_back():
        ghost = told(request(door, "get", asked.ghost, headers), asked)
    assert real != ghost


@pytest.mark.parametrize("door", [door for door in doors() if door.name in BY_KIND], ids=str)
def test_every_kind_of_object_is_shown_by_its_door(asked: World, door: Door) -> None:
    """To its own people: the object of its kind as what it is, another by a refusal that says so, a ghost not at all."""
    headers = {"Authorization": "Bearer " + _token_of(asked)}
    with taken_back():
        real = request(door, "get", asked.real, headers).status_code
        ghost = request(door, "get", asked.ghost, headers).status_code
    of_an_image = 404 if door.name == "api-segments" else 422
    assert (real, ghost) == (of_an_image if door.values["sop_instance_uid"] == "sop_instance_uid" else 200, 404)


@pytest.mark.parametrize(
    "name", ["api-transfers", "api-macros", "api-templates", "api-report-evidence", "mrrt-templates"]
)
def test_lists_hold_what_others_must_not_be_told(asked: World, name: str) -> None:
    door = next(door for door in doors() if door.name == name)
    with taken_back():
        answer = request(door, "get", asked.real, {"Authorization": "Bearer " + _token_of(asked)})
        assert answer.status_code == 200
        assert any(secret in content_of(answer).decode() for secret in asked.secrets)


@pytest.mark.parametrize("kind", ["Patient", "ImagingStudy", "ServiceRequest", "DiagnosticReport"])
def test_and_so_do_the_resources_of_fhir(asked: World, kind: str) -> None:
    door = next(door for door in doors() if door.name == "fhir-read" and door.values["kind"] == kind)
    headers = {"Authorization": "Bearer " + _token_of(asked)}
    assert request(door, "get", asked.real, headers).status_code == 200
    assert request(door, "get", asked.ghost, headers).status_code == 404


def _token_of(world: World) -> str:
    from accounts.authentication import issue

    return issue(world.users[OWNER])


def test_the_numbers_of_the_world_are_told_apart() -> None:
    assert str(NUMBER) not in str(GHOST_NUMBER)
