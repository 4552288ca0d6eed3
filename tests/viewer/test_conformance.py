"""docs/conformance.md and docs/network.md say what the code does.

`FARVIEW_WRITE_DOCS=1 pytest tests/viewer/test_conformance.py` writes the tables of the statement anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import ModuleType

import pytest
from django.contrib import admin
from django.urls import URLPattern, resolve

from tests.test_documentation import settings_read
from tests.viewer.conformance import TABLES
from viewer import admin_network
from viewer.api import urls
from viewer.api.correction_acts import ACTS
from viewer.dicomweb import storing as stow
from viewer.dimse import commitment, finding, identifiers, leaving, performed, retrieving, storing

DOCS = Path(__file__).resolve().parents[2] / "docs"
STATEMENT, NETWORK = DOCS / "conformance.md", DOCS / "network.md"
PLACE = re.compile(r"<!-- table: (.+?) -->\n(.*?)<!-- end of table -->", re.DOTALL)
ANSWERS: dict[ModuleType, tuple[str, ...]] = {
    storing: ("C-STORE",),
    finding: ("C-FIND",),
    identifiers: ("C-FIND",),
    leaving: ("C-MOVE and C-GET",),
    retrieving: ("C-MOVE and C-GET",),
    commitment: ("N-ACTION", "failure reasons"),
    performed: ("performed steps",),
    stow: ("failure reasons of STOW-RS",),
}
"""The tables that have the statuses of a module."""
BOUNDS = {"FAILED_LISTED", "UIDS_AT_MOST", "ELEMENTS_AT_MOST", "MOST", "BATCH", "CHUNK"}
DOORS = re.compile(r"api-(peer|transfer|correction|study-export|series-export|series-video)")


@pytest.fixture(scope="module", autouse=True)
def written_anew_where_asked_for() -> None:
    if os.environ.get("FARVIEW_WRITE_DOCS"):
        text = STATEMENT.read_text(encoding="utf-8")
        made = PLACE.sub(lambda one: f"<!-- table: {one[1]} -->\n{TABLES[one[1]]()}\n<!-- end of table -->", text)
        STATEMENT.write_text(made, encoding="utf-8")


def test_every_table_has_its_place_in_the_statement() -> None:
    assert sorted(name for name, _ in PLACE.findall(STATEMENT.read_text(encoding="utf-8"))) == sorted(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_statement_says_what_the_code_does(name: str) -> None:
    written = dict(PLACE.findall(STATEMENT.read_text(encoding="utf-8")))
    assert written[name].strip() == TABLES[name](), "write it anew with FARVIEW_WRITE_DOCS=1"


@pytest.mark.parametrize("page", [STATEMENT, NETWORK], ids=lambda page: page.name)
def test_settings_that_are_named_are_read(page: Path) -> None:
    named = set(re.findall(r"FARVIEW_[A-Z0-9_]+", page.read_text(encoding="utf-8"))) - {"FARVIEW_WRITE_DOCS"}
    assert named
    assert named <= settings_read()


def test_every_page_of_the_administration_of_the_network_is_named_and_there() -> None:
    text = NETWORK.read_text(encoding="utf-8")
    named = set(re.findall(r"`(/admin/[a-z]+/[a-z]+/)`", text))
    ours = [model for model, page in admin.site._registry.items() if type(page).__module__ == admin_network.__name__]
    assert ours
    assert {f"/admin/viewer/{model._meta.model_name}/" for model in ours} <= named
    for address in named:
        assert resolve(address).view_name.endswith("_changelist"), address


def test_every_door_of_transfers_corrections_and_exports_is_named() -> None:
    text = NETWORK.read_text(encoding="utf-8")
    doors = [one for one in urls.urlpatterns if isinstance(one, URLPattern) and DOORS.match(one.name or "")]
    assert len(doors) > 8
    for door in doors:
        address = re.sub(r"<int:\w+>", "{id}", re.sub(r"<str:\w+>", "{uid}", str(door.pattern)))
        assert f" /api/{address}`" in text or f" /api/{address}?" in text, address


def test_every_act_of_correction_is_explained() -> None:
    rows = NETWORK.read_text(encoding="utf-8").split("| act | does |", 1)[1].split("\n\n", 1)[0]
    acts = [row.split("|")[1] for row in rows.splitlines() if row.startswith("| `")]
    assert {name for act in acts for name in re.findall(r"`(\w+)`", act)} == set(ACTS)


@pytest.mark.parametrize("module", ANSWERS, ids=lambda module: module.__name__)
def test_every_status_that_a_service_can_answer_is_in_its_table(module: ModuleType) -> None:
    told = "".join(TABLES[name]() for name in ANSWERS[module])
    numbers = {name: one for name, one in vars(module).items() if name.isupper() and type(one) is int and one > 0xFF}
    statuses = {name: f"{one:04X}" for name, one in numbers.items() if name not in BOUNDS}
    assert statuses
    assert [name for name, status in statuses.items() if status not in told] == []


@pytest.mark.parametrize("page", [STATEMENT, NETWORK], ids=lambda page: page.name)
def test_links_to_a_heading_find_it(page: Path) -> None:
    found = re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text(encoding="utf-8"))
    assert found
    for target, anchor in found:
        text = (page.parent / target if target else page).read_text(encoding="utf-8")
        headings = {
            re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
            for line in text.splitlines()
            if line.startswith("#")
        }
        assert anchor in headings, f"{target}#{anchor}"
