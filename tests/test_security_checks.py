"""What tools say of the whole: Django's deployment checks and bandit, and who may read the secrets that the server keeps."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PRODUCTION = {"FARVIEW_PUBLIC_URL": "https://farview.example", "FARVIEW_SMTP_PASSWORD": "swordfish-4711"}


def managed(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FARVIEW_", "DJANGO_"))}
    environment = {**clean, **PRODUCTION, "FARVIEW_DATA_DIR": str(folder), **more}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def deployed(tmp_path_factory) -> Path:
    """A data folder made under a generous umask, as services have it."""
    folder = tmp_path_factory.mktemp("deployed") / "data"
    before = os.umask(0o022)
    try:
        done = managed(folder, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNINGS" not in done.stdout + done.stderr
    return folder


def test_the_deployment_checks_find_nothing_under_production_settings(deployed):
    """The fixture ran them; what they may not ask is named here, and in the settings with its reason."""
    asked = (
        "import django, json; django.setup(); from django.conf import settings; print(settings.SILENCED_SYSTEM_CHECKS)"
    )
    told = managed(deployed, "-c", asked, DJANGO_SETTINGS_MODULE="config.settings").stdout
    assert told.strip() == "['security.W008', 'security.W021']"


def test_the_checks_would_complain_without_those_settings(deployed):
    asked = (
        "import django; django.setup(); from django.conf import settings; settings.SESSION_COOKIE_SECURE = False;"
        "from django.core.management import call_command; call_command('check', deploy=True, fail_level='WARNING')"
    )
    done = managed(deployed, "-c", asked, DJANGO_SETTINGS_MODULE="config.settings")
    assert done.returncode != 0
    assert "security.W010" in done.stderr


def test_cookies_are_bound_to_the_host_under_tls_and_are_no_scripts_business(deployed):
    asked = (
        "import django; django.setup(); from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE,"
        " s.SESSION_COOKIE_HTTPONLY, s.CSRF_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE, s.CSRF_COOKIE_SAMESITE,"
        " s.SESSION_COOKIE_PATH, s.SESSION_COOKIE_DOMAIN)"
    )
    told = managed(deployed, "-c", asked, DJANGO_SETTINGS_MODULE="config.settings").stdout.split()
    assert told == [
        *("__Host-farview_session_8000", "__Host-farview_csrf_8000"),
        *("True", "True", "True", "True", "Lax", "Lax", "/", "None"),
    ]


def test_keys_are_their_owners_alone(deployed):
    done = managed(deployed, "manage.py", "migrate", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    kept = [path for path in (deployed / "keys").rglob("*") if path.is_file()]
    assert kept
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    folders = [deployed, *(path for path in deployed.rglob("*") if path.is_dir())]
    assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in folders} == {
        path.name: "0o700" for path in folders
    }


def test_no_secret_is_on_a_command_line_or_in_what_a_command_says(deployed):
    key = (deployed / "keys" / "secret_key").read_text().strip()
    done = managed(deployed, "manage.py", "check", "--deploy", FARVIEW_SECRET_KEY=key)
    said = done.stdout + done.stderr
    assert key not in said
    assert PRODUCTION["FARVIEW_SMTP_PASSWORD"] not in said


def test_bandit_is_asked_with_every_lint_and_every_exception_has_its_reason():
    assert "bandit -q -ll -r accounts config reporting viewer manage.py" in (ROOT / "Makefile").read_text()
    marked = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for room in ("accounts", "config", "reporting", "viewer")
        for path in (ROOT / room).rglob("*.py")
        for line in path.read_text().splitlines()
        if "# nosec" in line
    ]
    assert marked
    assert [line for line in marked if not re.search(r"# nosec B\d+(, B\d+)*  # \w+", line)] == []


# --- prototypes of the pages' scripts

REACHES_A_PROTOTYPE = re.compile(
    r"__proto__|\bprototype\b|setPrototypeOf|Reflect\.set|definePropert|for \((?:const|let|var) \w+ in "
    # What `name` of `one[name]` brings is written into: with "__proto__" that would be what all objects share.
    r"|\[[^\]\"'`]+\]\s*(?:\[[^\]]+\]|\.[\w.]+)\s*(?:[-+*/]|\?\?|\|\||&&)?=[^=>]"
)
OF_OUR_OWN_NAMES = {
    "reporting/bar.js": "this.buttons[name].hidden",
    "reporting/difference.js": "table[i][j]",
    "viewer/features/volume/box.js": "moved[side][axis]",
}
"""Where the outer name is one that stands in the script, or a number."""


def test_no_script_writes_through_a_name_from_outside_into_what_it_leads_to():
    """Prototype pollution (ASVS 15.3.6) needs a write two steps deep, or a prototype called by its name."""
    found = {}
    for path in (ROOT / "static").rglob("*.js"):
        lines = [line for line in path.read_text().splitlines() if REACHES_A_PROTOTYPE.search(line)]
        if lines:
            found[str(path.relative_to(ROOT / "static"))] = lines
    assert {name: len(lines) for name, lines in found.items()} == dict.fromkeys(OF_OUR_OWN_NAMES, 1)
    assert [name for name, (line,) in found.items() if OF_OUR_OWN_NAMES[name] not in line] == []


@pytest.mark.parametrize(
    "line",
    [
        *("held[name][key] = value;", "held[name].key ??= value;", "for (const key in said) held[key] = said[key];"),
        *("Object.setPrototypeOf(held, said);", "held.__proto__.key = 1;", "Array.prototype.last = 1;"),
    ],
)
def test_such_a_write_would_be_found(line):
    assert REACHES_A_PROTOTYPE.search(line)
