"""The catalogues of the pages' scripts: complete, with nothing left over, and with the same places to fill in."""

from __future__ import annotations

import json
import re
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation import to_locale
from django.utils.translation.trans_real import translation

from viewer.languages import words_in

ROOT = Path(__file__).resolve().parents[1]
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
CALL = re.compile(r'\bt\(\s*"((?:[^"\\]|\\.)*)"')
ANY_CALL = re.compile(r"(?<![\w.])t\(\s*(?!\s*\")(\S{0,40})")
PLACE = re.compile(r"\{(\w+)\}")


def scripts() -> list[Path]:
    return sorted((ROOT / "static").rglob("*.js"))


def texts() -> set[str]:
    found = set()
    for path in scripts():
        found |= {json.loads(f'"{text}"') for text in CALL.findall(path.read_text())}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_scripts_is_translated_and_no_other(language: str) -> None:
    catalogue = words_in(language, "page")
    assert sorted(texts() - set(catalogue)) == []
    assert sorted(set(catalogue) - texts()) == []
    assert [text for text, words in catalogue.items() if not words.strip()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_places_of_its_text(language: str) -> None:
    for text, words in words_in(language, "page").items():
        assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(words)), text


THINGS = "days events examinations fields files images months notes objects pages seconds series studies weeks years"
MANY = re.compile(rf"\{{n\}} (?:\w+ )??(?:{THINGS.replace(' ', '|')})\b")
AT_LEAST_TWO = {"{at} of {n} images selected", "MP4 of {n} images in this window, each whole."}


def test_a_text_that_counts_has_one_for_a_single_thing() -> None:
    counting = {text for text in texts() - AT_LEAST_TWO if MANY.search(text)}
    assert len(counting) > 15
    loose = [text for text in sorted(counting) if not any(alike(text, one) for one in texts() if "1 " in one)]
    assert loose == []


def alike(many: str, one: str) -> bool:
    """Whether `one` says of one thing what `many` says of several: as far as the count, and the stem of what is counted."""
    before, _, after = many.partition("{n} ")
    return one.startswith(f"{before}1 {after.split()[0][:3]}")


Text = str | tuple[str, int]
"""One with a plural stands under its singular and the number of a form."""


def page_texts() -> set[Text]:
    """What the templates ask for, as Django's catalogues name it."""
    found: set[Text] = set()
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = path.read_text()
        found |= {one or other for one, other in re.findall(r"""\{% translate (?:"([^"]*)"|'([^']*)') %\}""", text)}
        for block in re.findall(r"\{% blocktranslate[^%]*%\}(.*?)\{% endblocktranslate %\}", text, re.DOTALL):
            one, plural, _ = re.sub(r"\{\{ (\w+) \}\}", r"%(\1)s", " ".join(block.split())).partition("{% plural %}")
            found.add((one, 0) if plural else one)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_templates_is_translated(language: str) -> None:
    known = translation(language)._catalog
    assert [text for text in sorted(page_texts(), key=str) if not known.get(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_that_of_the_text_beside_it(language: str) -> None:
    folder = settings.LOCALE_PATHS[0] / to_locale(language) / "LC_MESSAGES"
    written = re.findall(
        r'^msgid (".*"(?:\n".*")*)\nmsgstr (".*"(?:\n".*")*)', (folder / "django.po").read_text(), re.MULTILINE
    )
    plain = {_joined(text): _joined(words) for text, words in written if _joined(text)}
    with (folder / "django.mo").open("rb") as file:
        compiled = GNUTranslations(file)
    assert plain
    assert {text: compiled.gettext(text) for text in plain} == plain


def _joined(quoted: str) -> str:
    return "".join(json.loads(line) for line in quoted.splitlines())


@pytest.mark.parametrize("path", scripts(), ids=lambda path: str(path.relative_to(ROOT / "static")))
def test_a_text_is_written_out_where_it_is_asked_for(path: Path) -> None:
    """Or no program could collect it."""
    text = path.read_text()
    if path.name == "i18n.js" or "i18n.js" not in text:
        assert path.name == "i18n.js" or not CALL.search(text), f"{path.name} uses t without importing it"
        return
    assert ANY_CALL.findall(text) == []


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_a_page_says_which_language_it_speaks(client: Client, language: str) -> None:
    answer = client.get("/accounts/sign-in/", headers={"Accept-Language": language})
    assert answer["Content-Language"] == language
    assert f'<html lang="{language}"' in answer.content.decode()
