"""docs/conformance.md says what the code does. `FARVIEW_WRITE_DOCS=1 pytest tests/viewer/test_conformance.py` writes its
tables anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.viewer.conformance import TABLES

DOCS = Path(__file__).resolve().parents[2] / "docs"
STATEMENT = DOCS / "conformance.md"
PLACE = re.compile(r"<!-- table: (.+?) -->\n(.*?)<!-- end of table -->", re.DOTALL)


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
