"""What the documents say is true today."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = re.compile(r"FARVIEW_[A-Z0-9_]+|DATABASE_URL|REDIS_URL")


def settings_read() -> set[str]:
    text = (ROOT / "config" / "settings.py").read_text()
    return set(
        re.findall(r'(?:environ\.get\(|environ\[|_flag\(|_roles_by_group\(|_whole\(|_number\()\s*"([A-Z0-9_]+)"', text)
    )


def settings_in_the_table() -> set[str]:
    table = (ROOT / "README.md").read_text().split("## Settings", 1)[1].split("\n## ", 1)[0]
    return {name for row in table.splitlines() if row.startswith("| `") for name in NAME.findall(row.split("|")[1])}


def test_the_settings_table_of_the_readme_is_complete_and_true() -> None:
    assert settings_read() == settings_in_the_table()


def test_the_readme_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert "make run" in text
    assert "make test" in text


def test_links_of_the_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"
