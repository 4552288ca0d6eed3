"""Who may import whom. The table is DESIGN's; a room that is not in it may not exist."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

ROOMS: dict[str, set[str]] = {
    "accounts": set(),
    "viewer.rendering": set(),
    "viewer.dicom": {"viewer.rendering.volume"},
    "viewer.phantom": set(),
    "viewer.engine": {"viewer.dicom", "viewer.rendering"},
    "viewer.streaming": {"viewer.engine", "viewer.rendering"},
    "viewer.live": {"viewer.rendering.view", "viewer.streaming.protocol"},
    "viewer.hanging": {"viewer.dicom.modalities"},
    "viewer.objects": {"viewer.dicom", "viewer.rendering"},
    "viewer.marks": {
        "accounts",
        "viewer.models",
        "viewer.archive",
        "viewer.dicom",
        "viewer.engine",
        "viewer.objects",
        "viewer.rendering",
    },
    "viewer.models": {"accounts"},
    "viewer.archive": {"accounts", "viewer.models", "viewer.dicom"},
    "viewer.dicomweb": {
        "accounts",
        "viewer.api",
        "viewer.archive",
        "viewer.dicom",
        "viewer.engine",
        "viewer.marks",
        "viewer.models",
        "viewer.rendering",
        "viewer.serving",
    },
    "viewer.dimse": {
        "accounts",
        "viewer.archive",
        "viewer.dicom",
        "viewer.engine.children",
        "viewer.engine.native",
        "viewer.hanging.priors",
        "viewer.models",
        "viewer.scheduling",
    },
    "viewer.serving": {"accounts", "viewer"},
    "viewer": {"accounts", "viewer"},  # the edges: views, api, consumers, admin, apps, commands
    "reporting.chips": set(),
    "reporting.mrrt": {"reporting.chips"},
    "reporting.checks": {"reporting.chips"},
    "reporting.exports": {"reporting.chips", "reporting.messages", "viewer.objects"},
    "reporting.messages": set(),
    "reporting.models": {"accounts", "viewer.models"},
    "reporting": {
        "accounts",
        "reporting",
        "viewer.admin",
        "viewer.api",
        "viewer.archive",
        "viewer.dicom",
        "viewer.dimse",
        "viewer.engine",
        "viewer.hanging",
        "viewer.launch",
        "viewer.marks",
        "viewer.models",
        "viewer.objects",
        "viewer.panels",
        "viewer.rendering",
        "viewer.scheduling",
        "viewer.serving",
        "viewer.tasks",
        "viewer.verification",
        "viewer.icons",
        "viewer.languages",
    },
    "config": {"accounts", "viewer", "reporting"},
}
OURS = {"accounts", "viewer", "reporting", "config"}
FORBIDDEN = {
    "viewer.rendering": {"django", "channels", "pydicom", "rest_framework"},
    "viewer.dicom": {"django", "channels", "rest_framework"},
    "viewer.phantom": {"django", "channels", "rest_framework"},
    "viewer.hanging": {"django", "channels", "rest_framework", "pydicom"},
    "viewer.objects": {"django", "channels", "rest_framework"},
    "viewer.engine": {"django", "channels", "rest_framework"},
    "reporting.chips": {"django", "channels", "rest_framework", "pydicom"},
    "reporting.mrrt": {"django", "channels", "rest_framework", "pydicom"},
    "reporting.checks": {"django", "channels", "rest_framework", "pydicom"},
    "reporting.exports": {"django", "channels", "rest_framework"},
    "reporting.messages": {"django", "channels", "rest_framework"},
    "viewer.streaming": {"django", "channels", "rest_framework"},
    "viewer.live": {"django", "channels", "rest_framework"},
}
DECODING_IN_CHILDREN = {"viewer/dicom/decode.py", "viewer/dicom/layout.py"}


def room_of(module: str) -> str:
    return max((room for room in ROOMS if module == room or module.startswith(room + ".")), key=len)


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, absolute; "from a import b" counts as a.b where that is a module."""
    package = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level]) + "." if node.level else ""
            source = (base + (node.module or "")).rstrip(".")
            for alias in node.names:
                inner = ROOT / Path(*source.split("."), alias.name)
                yield f"{source}.{alias.name}" if inner.with_suffix(".py").exists() or inner.is_dir() else source


def sources() -> list[Path]:
    return [
        path
        for folder in ("accounts", "viewer", "reporting", "config")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def allowed(room: str, target: str) -> bool:
    return any(target == right or target.startswith(right + ".") for right in ROOMS[room] | {room})


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_its_room_may(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    room = room_of(module)
    for target in imports_of(path):
        top = target.split(".")[0]
        assert top not in FORBIDDEN.get(room, set()), f"{module} imports {target}"
        if top in OURS:
            assert allowed(room, target), f"{module} (room {room}) imports {target}"


def test_every_folder_is_a_named_room() -> None:
    edges = {"management", "migrations", "templatetags", "api"}
    for folder in (ROOT / "viewer").iterdir():
        if folder.is_dir() and folder.name not in edges | {"__pycache__"}:
            assert f"viewer.{folder.name}" in ROOMS, f"viewer/{folder.name} has no row in the table"


def test_no_room_is_a_drawer_for_odds_and_ends() -> None:
    names = {"utils", "util", "helpers", "common", "core", "misc"}
    found = [p for p in sources() if names & {part.removesuffix(".py") for part in p.relative_to(ROOT).parts}]
    assert found == []


def test_what_decode_children_import_is_free_of_pydicom() -> None:
    for name in DECODING_IN_CHILDREN:
        assert not {"pydicom"} & {target.split(".")[0] for target in imports_of(ROOT / name)}, name


def test_whatever_has_a_long_form_is_marked_for_it() -> None:
    """`make soak` runs what bears the mark, and nothing else."""
    asking = {path: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
    long_forms = {path: text for path, text in asking.items() if 'environ.get("FARVIEW_SOAK")' in text}
    assert len(long_forms) > 5
    assert [str(path) for path, text in long_forms.items() if "pytest.mark.soak" not in text] == []
