"""Every page of the administration, asked by everybody who may not: rows of home as if they were not, and left as they were.

Administrators of another organization are asked for by the pages themselves, so they are compared with ghosts; to everybody
else the room is shut. Home's own administrator is shown rows, and no patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client

from accounts import audit, policy
from accounts.authentication import issue
from tests.accounts.matrix.administered import KNOWN_BY, actions_of, fields_to_choose, names_of, rows_of
from tests.accounts.matrix.doors import PARAMETER
from tests.accounts.matrix.test_matrix import content_of, taken_back
from tests.accounts.matrix.world import NAME, PATIENT_ID, PEOPLE, WORDS, World, build, in_a_folder_of_its_own

GHOST = 7_700_999
PAGES = {"catch_all_view": "/admin/nothing/", "app_list": "/admin/viewer/"}
"""Routes written as regular expressions, by the end of their names: how they are asked."""
OPERATORS = ("admin:system_",)
"""Beginnings of names of pages about the server as a whole: home's administrator is no operator."""
TELLS_OF_PATIENTS = ("admin:accounts_auditevent_",)
"""The record says whose images were seen; that is what administrators search it for."""


@dataclass(frozen=True)
class Page:
    """One address of the administration. `row`: its model, where it names one."""

    name: str
    route: str

    def __str__(self) -> str:
        return self.route

    @property
    def model(self) -> type[Model] | None:
        return next((one for one in admin.site._registry if self.name.startswith(f"admin:{names_of(one)}_")), None)

    def address(self, rows: dict[type[Model], int], *, ghost: bool) -> str:
        model = self.model or next((one for one in rows if f"/{one._meta.model_name}/" in self.route), None)
        number = GHOST if ghost or model is None else rows[model]
        parts = {"number": 1, "content_type_id": 1}
        return PARAMETER.sub(lambda found: str(parts.get(found[1], number)), self.route)


def pages() -> list[Page]:
    found = []
    for route, name in policy.doors():
        if name.startswith("admin:"):
            ending = name.rsplit(".", 1)[-1].removeprefix("admin:")
            assert "(?P" not in route or ending in PAGES, f"say in PAGES how {route} is asked"
            found.append(Page(name, PAGES.get(ending, route)))
    return found


@dataclass
class House:
    world: World
    rows: dict[type[Model], int]


@pytest.fixture(scope="module")
def house(
    django_db_setup: None, django_db_blocker: Any, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Made once; every request is taken back."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        in_a_folder_of_its_own(patch, tmp_path_factory.mktemp("administration"))
        audit._kept_key.cache_clear()
        with taken_back():
            world = build(shared_data)
            house = House(world, rows_of(world))
            for who in ("stranger_admin", "admin", "operator"):  # a program is not asked again who it is
                world.headers[who] = {"Authorization": f"Bearer {issue(world.users[who])}"}
            yield house
        audit._kept_key.cache_clear()


@pytest.fixture
def asked(house: House, db: None, caplog: pytest.LogCaptureFixture) -> House:
    caplog.set_level("CRITICAL")
    return house


def get(house: House, who: str, address: str, query: dict[str, str] | None = None) -> HttpResponse:
    return Client(raise_request_exception=False).get(address, query or {}, headers=house.world.headers[who])


def post(house: House, who: str, address: str, form: dict[str, Any]) -> HttpResponse:
    return Client(raise_request_exception=False).post(address, form, headers=house.world.headers[who])


def forms_of(house: House, page: Page, *, ghost: bool) -> list[dict[str, Any]]:
    """What is sent to a page: every action upon the row, its deletion, a new row that names the rows of home."""
    model = page.model
    if model is None:
        return [{"seen": "x"}]
    number = GHOST if ghost else house.rows[model]
    if page.name.endswith("_changelist"):
        request: Any = SimpleNamespace(user=house.world.users["operator"], GET={}, POST={}, method="POST")
        acts = actions_of(model, request)
        acts = [name for name in acts if not re.fullmatch(r"to_\d+", name)]  # one for each reader: as to nobody
        return [{"action": act, "_selected_action": [number], "reason": "x", "post": "yes"} for act in acts]
    if page.name.endswith("_delete"):
        return [{"post": "yes"}]
    if page.name.endswith("_add"):
        uid = (house.world.ghost if ghost else house.world.real)["study_instance_uid"]
        chosen = {
            name: GHOST if ghost else house.rows.get(of, house.world.users["of_home"].pk)
            for name, of in fields_to_choose(model).items()
        }
        return [{**chosen, "study_instance_uid": uid, "name": "x", "reason": "x", "days": 1, "identifier": "x"}]
    return [{"seen": "x", "act": "x", "on": "1"}]


def plain(text: str, house: House, page: Page) -> str:
    """Without what was asked for, and what differs from page to page anyway."""
    for number in {GHOST, *house.rows.values()}:
        text = re.sub(rf"([“\"/=]){number}(?=[”\"/&?])", r"\1#", text)
    for values in (house.world.real, house.world.ghost):
        text = text.replace(values["study_instance_uid"], "#")
    text = re.sub(r'(csrfmiddlewaretoken" value=|csrf[Tt]oken": )"\w+"', "", text)
    text = re.sub(r'(nonce="[^"]+"|vTime" value="[^"]*"|value="[\d:]+")', "", text)
    return re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+(Z|\+00:00)?", "NOW", text)


def text_of(answer: HttpResponse) -> str:
    return content_of(answer).decode(errors="replace")


def told(answer: HttpResponse, house: House, page: Page) -> tuple[int, str, str]:
    where = plain(str(answer.headers.get("Location", "")), house, page)
    return answer.status_code, where, plain(text_of(answer), house, page)


def as_they_stand(house: House) -> dict[str, Any]:
    """The rows of home, and how many there are of each model; but for the record, which grows.

    In SQL, because it is asked before and after every page: seventy queries, made anew each time, took longer than the pages.
    """
    found = {}
    with connection.cursor() as cursor:
        for model, pk in house.rows.items():
            if names_of(model) in ("accounts_auditevent", "accounts_apitoken"):
                continue
            assert not model._meta.parents, "its columns lie in one table"
            table, key = map(connection.ops.quote_name, (model._meta.db_table, model._meta.pk.column))
            cursor.execute(f"SELECT * FROM {table} WHERE {key} = %s", [pk])
            row = cursor.fetchone()
            cursor.execute(f"SELECT count(*) FROM {table}")
            found[names_of(model)] = (row, cursor.fetchone())
    return found


def secrets(house: House) -> tuple[str, ...]:
    own = (KNOWN_BY, KNOWN_BY.casefold(), "GEHEIM", "geheime-vorlage")
    return tuple(one for one in (*house.world.secrets, *own) if one != house.world.real["study_instance_uid"])


def test_the_room_is_whole(asked: House) -> None:
    """Every model that is shown has a row here; of what means nothing in this program there is no page."""
    assert set(admin.site._registry) == set(asked.rows)
    assert Group not in admin.site._registry
    assert len(pages()) > 150


CHANGING = ("nobody", "radiologist", "guest_elsewhere", "disabled")
"""The door asks one question whatever the method: these are asked to change something, too."""
OUTSIDE = [who for who in PEOPLE if who not in ("admin", "stranger_admin")]


@pytest.mark.parametrize("who", OUTSIDE)
def test_whoever_administers_nothing_finds_the_room_shut(asked: House, who: str) -> None:
    open_doors, before = [], as_they_stand(asked)
    for page in pages():
        address = page.address(asked.rows, ghost=False)
        answers = [get(asked, who, address)]
        if who in CHANGING:
            answers.append(post(asked, who, address, {"post": "yes"}))
        for answer in answers:
            to_sign_in = answer.status_code == 302 and answer["Location"].startswith("/accounts/sign-in/?next=")
            if not (to_sign_in or answer.status_code in (401, 404)):
                open_doors.append(f"{page}: {answer.status_code}")
            open_doors += [f"{page} tells {one}" for one in secrets(asked) if one in text_of(answer)]
    assert open_doors == []
    assert as_they_stand(asked) == before


@pytest.mark.parametrize("page", pages(), ids=str)
def test_an_administrator_of_another_organization_is_told_of_ghosts(asked: House, page: Page) -> None:
    """By looking, by searching, by every action, by a new row that points to them; and nothing of home is another after."""
    leaks, before = [], as_they_stand(asked)
    answers = []
    for ghost in (False, True):
        address = page.address(asked.rows, ghost=ghost)
        uids = asked.world.ghost if ghost else asked.world.real
        said = []
        with taken_back():
            said.append(get(asked, "stranger_admin", address))
            if page.name.endswith(("_changelist", "_who_looked", "_export")):
                query = {"q": uids["study_instance_uid"], "study_instance_uid": uids["study_instance_uid"]}
                said.append(get(asked, "stranger_admin", address, query))
            said += [post(asked, "stranger_admin", address, form) for form in forms_of(asked, page, ghost=ghost)]
            if not ghost:
                after = as_they_stand(asked)
                leaks += [f"{page} changed {name}" for name, row in after.items() if row != before[name]]
        answers.append([told(one, asked, page) for one in said])
    for real, ghost_s in zip(*answers, strict=True):
        status, where, body = real
        leaks += [f"tells {one}" for one in secrets(asked) if one in body + where]
        if status >= 500:
            leaks.append(f"fails: {body[:300]}")
        if real != ghost_s:
            leaks.append(f"otherwise than for a ghost: {_apart(body, ghost_s[2])} {real[:2]} {ghost_s[:2]}")
    assert leaks == []


def _apart(one: str, other: str) -> str:
    place = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return f"{one[max(0, place - 60) : place + 60]!r} against {other[max(0, place - 60) : place + 60]!r}"


@pytest.mark.parametrize("page", pages(), ids=str)
def test_homes_own_administrator_is_shown_no_patient(asked: House, page: Page) -> None:
    answer = get(asked, "admin", page.address(asked.rows, ghost=False))
    text = text_of(answer)
    assert answer.status_code < 500
    if page.name.startswith(OPERATORS):
        assert answer.status_code == 404
    if not page.name.startswith(TELLS_OF_PATIENTS):
        assert [one for one in (PATIENT_ID, NAME, WORDS) if one in text and not _names_a_text(page, one)] == []


def _names_a_text(page: Page, word: str) -> bool:
    """In this world templates and their pieces go by the words of the report; they are administrators' own, and a report names
    its template."""
    own = ("admin:reporting_template", "admin:reporting_macro", "admin:reporting_report_change")
    return word == WORDS and page.name.startswith(own)


@pytest.mark.parametrize("model", list(admin.site._registry), ids=names_of)
def test_the_row_was_there_to_be_told_of(asked: House, model: type[Model]) -> None:
    """To the operator, who may, it is shown: so a ghost's answer to others keeps something back."""
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    listed = text_of(get(asked, "operator", base))
    row = model._base_manager.get(pk=asked.rows[model])
    page = get(asked, "operator", f"{base}{row.pk}/change/")
    shown = text_of(page) if page.status_code == 200 else ""
    said = (
        KNOWN_BY,
        KNOWN_BY.casefold(),
        "verwahrtes",
        asked.world.real["study_instance_uid"],
        WORDS,
        "GEHEIM",
        "2.25.775",
    )
    assert any(one in listed + shown for one in said)
