"""What the server says to the pages' scripts: every sentence that a reader can meet is in the catalogues, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from viewer.languages import words_in

VIEWER = Path(__file__).resolve().parents[1] / "viewer"
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
PLACE = re.compile(r"\{\d+\}")

SAID_BY = {
    "rendering": "dressing fusion measuring regions sampling segments sheets subtraction",
    "engine": "children decode_child errors extras filling frames native segments",
    "dicom": "decode frames groups jpeg jpeg2000 native overlay_planes pixels presentation_states rle segmentations"
    " state_graphics structure_sets structured_report suv volumes",
    "hanging": "place",
    "marks": "calibrating key_images measurements others taking",
}
"""Room -> modules whose refusals, notes and reasons a reader of the viewer page meets."""
SAYS = {
    *("BadView", "CannotDraw", "CannotDecode", "CannotMeasure", "TooLarge", "Busy", "NoVolume", "NoSuv", "DicomError"),
    *(
        "NotFound",
        "TooMany",
        "NothingToWrite",
        "Skipped",
        "RegionScale",
        "append",
        "_once",
        "_warn",
        "BadMark",
        "ReadOnly",
    ),
}
FOR_PROGRAMS = re.compile(
    r"the View is not resolved|: one of \{|kind: |^points: each is|is needed$|the series to lay over"
    r"|objects that they name are needed$|counted from 0|^\{1\} is compressed$"
)
"""What only a program can bring about that does not speak as docs/protocol.md says."""


def spelled(node: ast.expr) -> str | None:
    """A text as the catalogues hold it: what is filled in is numbered."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        pieces = re.split(r"\{[^{}]*\}", node.value)
    elif isinstance(node, ast.JoinedStr):
        text = "".join(str(v.value) if isinstance(v, ast.Constant) else "\0" for v in node.values)
        pieces = text.split("\0")
    else:
        return None
    return "".join(piece if at == 0 else f"{{{at}}}{piece}" for at, piece in enumerate(pieces))


def inside_texts(tree: ast.AST) -> set[int]:
    return {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}


def every_text() -> set[str]:
    found = set()
    for path in VIEWER.rglob("*.py"):
        tree = ast.parse(path.read_text())
        inside = inside_texts(tree)
        found |= {s for n in ast.walk(tree) if isinstance(n, ast.expr) and id(n) not in inside and (s := spelled(n))}
    return found


def said() -> Iterator[tuple[str, str]]:
    """(where, sentence) of what is raised or noted."""
    for room, names in SAID_BY.items():
        for path in (VIEWER / room / f"{name}.py" for name in names.split()):
            for call in ast.walk(ast.parse(path.read_text())):
                if (
                    not isinstance(call, ast.Call)
                    or getattr(call.func, "id", getattr(call.func, "attr", "")) not in SAYS
                ):
                    continue
                values = [*call.args, *(word.value for word in call.keywords)]
                for text in (spelled(value) for value in values):
                    if text and " " in text.strip() and not FOR_PROGRAMS.search(text):
                        yield f"{room}/{path.name}", text


def told_apart(text: str, catalogue: dict[str, str]) -> bool:
    """Is it told whole, or as one that stands in another's place ("fusion: {1}")?"""
    head, _, rest = text.partition(": ")
    return text in catalogue or (f"{head}: {{1}}" in catalogue and (rest == "{1}" or rest in catalogue))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_reader_may_meet_is_told_in_their_language(language: str) -> None:
    catalogue = words_in(language, "told")
    found = sorted(set(said()))
    assert len(found) > 100
    assert [one for one in found if not told_apart(one[1], catalogue)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_told_that_the_server_does_not_say(language: str) -> None:
    """A sentence whose words were changed in the code and not in the catalogue is found here."""
    texts = every_text()
    parts = {text.partition(": ")[2] for text in texts}
    inputs = {re.sub("_(kg|bq|s)$", "", text).replace("_", " ") for text in texts if re.fullmatch("[a-z_]+", text)}
    assert sorted(set(words_in(language, "told")) - texts - parts - inputs - {"prior {1}"}) == []


def test_the_catalogues_tell_the_same_sentences_with_the_same_places() -> None:
    first = words_in(LANGUAGES[0], "told")
    for language in LANGUAGES:
        catalogue = words_in(language, "told")
        assert list(catalogue) == list(first), language
        for text, words in catalogue.items():
            assert words.strip(), text
            assert set(PLACE.findall(words)) <= set(PLACE.findall(text)), (language, text)
