"""docs/security.md and docs/asvs.md name what there is: tests, files, settings; what they say of cookies and logs is true."""

from __future__ import annotations

import ast
import io
import logging
import logging.config
import os
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from tests.test_documentation import settings_in_the_table

ROOT = Path(__file__).resolve().parents[1]
SECURITY = (ROOT / "docs" / "security.md").read_text()
ASVS = (ROOT / "docs" / "asvs.md").read_text()
QUOTED = re.compile(r"`([^`\n]+)`")
ROOMS = ("accounts/", "config/", "docs/", "reporting/", "static/", "templates/", "tests/", "viewer/")
PEERS = {
    "CVE-2025-0896",
    *(f"CVE-2026-{number}" for number in range(5437, 5446)),
    "CVE-2026-12473",
    "CVE-2026-32711",
    "CVE-2026-25927",
    "CVE-2020-37009",
    "CVE-2019-11687",
}
"""Failures of comparable programs that have to be answered here."""
LEVELS = {"1": 70, "2": 183}
"""How many requirements ASVS 5.0.0 has of each level."""
CHAPTERS = (
    *((1, 27), (2, 11), (3, 19), (4, 10), (5, 9), (6, 35), (7, 18), (8, 7), (9, 7)),
    *((10, 29), (11, 14), (12, 9), (13, 13), (14, 9), (15, 13), (16, 16), (17, 7)),
)
"""And how many of both levels each chapter has."""


def rows_of(text: str) -> list[list[str]]:
    """The cells of every row of every table, without the lines below the heads."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|--")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def threats() -> list[list[str]]:
    table = SECURITY.split("\n## Threats\n", 1)[1].split("\n## ", 1)[0]
    rows = [
        [cell.strip() for cell in line[2:].removesuffix("|").split(" | ")]
        for line in table.splitlines()
        if line.startswith("| ")
    ]
    return [row for row in rows[1:] if not row[0].startswith("**")]


@cache
def functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_threat_has_something_that_stops_it_and_a_test() -> None:
    assert len(threats()) > 40
    for row in threats():
        assert len(row) == 3, row
        assert row[1], f"nothing stops: {row[0]}"
        assert re.search(r"`tests/[\w/]+\.py::test_\w+`", row[2]), f"no test of: {row[0]}"


def test_every_test_that_is_named_exists() -> None:
    named = [quoted for quoted in QUOTED.findall(SECURITY + ASVS) if "::" in quoted]
    assert len(named) > 80
    gone = [one for one in named if (path := one.split("::")[0]) and one.split("::")[1] not in functions_of(path)]
    assert gone == []


def test_every_file_and_folder_that_is_named_exists() -> None:
    named = {quoted.split("::")[0] for quoted in QUOTED.findall(SECURITY + ASVS) if quoted.startswith(ROOMS)}
    assert len(named) > 80
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_every_setting_that_is_named_exists() -> None:
    named = set(re.findall(r"FARVIEW_[A-Z0-9_]+|DATABASE_URL", SECURITY + ASVS))
    assert named
    assert sorted(named - settings_in_the_table()) == []


def test_every_anchor_that_is_linked_to_is_a_heading() -> None:
    for page in ("security.md", "asvs.md"):
        for target, anchor in re.findall(r"\]\(([\w/.-]*)#([\w-]+)\)", (ROOT / "docs" / page).read_text()):
            heads = re.findall(r"^#+ (.+)$", (ROOT / "docs" / (target or page)).read_text(), flags=re.M)
            anchors = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
            assert anchor in anchors, f"{page} links to {target}#{anchor}"


def test_the_known_failures_of_other_programs_are_answered() -> None:
    answered = {cve for row in threats() for cve in re.findall(r"CVE-\d+-\d+", row[0])}
    assert sorted(PEERS - answered) == []


def test_no_requirement_of_asvs_is_missing_or_twice() -> None:
    rows = [row for row in rows_of(ASVS) if re.fullmatch(r"\d+\.\d+\.\d+", row[0])]
    assert len({row[0] for row in rows}) == len(rows)
    assert Counter(row[1] for row in rows) == LEVELS
    assert Counter(int(row[0].split(".")[0]) for row in rows) == dict(CHAPTERS)
    assert {row[3] for row in rows} == {"met", "open", "administrator's", "not applicable"}
    assert [row[0] for row in rows if len(row) != 5 or not row[4].rstrip("| ")] == []


def test_the_summary_of_asvs_counts_its_rows() -> None:
    states = Counter(row[3] for row in rows_of(ASVS) if re.fullmatch(r"\d+\.\d+\.\d+", row[0]))
    told = re.search(r"(\d+) are met, (\d+) are the administrator's, (\d+) are open, (\d+) do not apply", ASVS)
    assert told
    assert [int(number) for number in told.groups()] == [
        states[name] for name in ("met", "administrator's", "open", "not applicable")
    ]


def test_under_tls_every_cookie_is_of_this_host_alone(tmp_path: Path) -> None:
    asked = (
        "import django; django.setup(); from django.conf import settings as s;"
        "print(*(getattr(s, name) for name in dir(s) if name.endswith('_COOKIE_NAME')), s.MESSAGE_STORAGE)"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FARVIEW_")}
    more = {
        "FARVIEW_PUBLIC_URL": "https://farview.example",
        "FARVIEW_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, env=clean | more, capture_output=True, text=True, check=True
    )
    *names, messages = done.stdout.split()
    assert len(names) == 3
    assert [name for name in names if not name.startswith("__Host-")] == []
    assert messages.endswith("SessionStorage")


@pytest.mark.django_db
def test_no_page_takes_the_address_of_a_server(client) -> None:
    """A page sends what it holds to where it came from: no parameter is passed on to the policy or the page."""
    named = "evil.example"
    answer = client.get(
        "/accounts/sign-in/", {"url": f"https://{named}/", "server": f"wss://{named}/", "next": f"//{named}"}
    )
    assert answer.status_code == 200
    assert named not in answer.content.decode()
    assert named not in answer["Content-Security-Policy"]
    allowed = answer["Content-Security-Policy"].split("connect-src ", 1)[1].split(";")[0].split()
    assert allowed == ["'self'", "ws://testserver", "wss://testserver"]
    sources = [path.read_text() for path in (ROOT / "static").rglob("*.js")]
    read = {
        name
        for text in sources
        for name in re.findall(r"URLSearchParams\(location\.search\)\.(?:get|has)\(\"([\w-]+)\"", text)
    }
    assert read
    assert read & {"url", "server", "host", "endpoint", "config", "configUrl", "base"} == set()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["' OR 1=1 --", "alice'; DROP TABLE accounts_user; --", 'alice" OR ""="', "%' OR '1'='1"]
)
def test_statements_in_a_name_sign_nobody_in(client, name: str) -> None:
    from accounts.models import User

    User.objects.create_user("alice", password="a long passw0rd")
    answer = client.post("/accounts/sign-in/", {"username": name, "password": name})
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session
    assert User.objects.filter(username="alice").exists()


@pytest.mark.django_db
def test_an_address_writes_no_line_of_its_own_into_the_log(client) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter(settings.LOGGING["formatters"]["line"]["format"]))
    watched = [logging.getLogger(name) for name in ("", "django.request", "django.security")]
    for logger in watched:
        logger.addHandler(handler)
    try:
        for path in (
            "/api/studies/%0a2026-01-01 ERROR forged/",
            "/nowhere/%0d%0aforged",
            "/accounts/sign-in/?next=%0aforged",
        ):
            client.get(path)
            client.post(path)
    finally:
        for logger in watched:
            logger.removeHandler(handler)
    assert [
        line for line in written.getvalue().splitlines() if line.lstrip().startswith(("forged", "2026-01-01"))
    ] == []
