"""The HTML form: complete, self-contained, inert whatever a report says, readable on a phone."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from reporting.exports import EXPORTS, page
from reporting.exports.document import SignedReport, Site
from reporting.exports.words import LANGUAGES, WORDS, words_in
from tests.chromium import chromium  # noqa: F401 - a fixture
from tests.reporting.exports import made

EVERY = made.every_report()
ELEMENTS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "article",
        "header",
        "p",
        "strong",
        "span",
        "h1",
        "h2",
        "h3",
        "dl",
        "dt",
    ),
    *("dd", "section", "div", "b", "a", "figure", "img", "figcaption", "ul", "li", "footer"),
    *("svg", "g", "polyline", "circle", "ellipse", "text"),
}
ATTRIBUTES = {
    *(
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "dir",
        "href",
        "id",
        "src",
        "alt",
        "width",
        "height",
    ),
    *(
        "title",
        "xmlns",
        "viewbox",
        "aria-hidden",
        "fill",
        "stroke",
        "stroke-width",
        "opacity",
        "points",
        "cx",
        "cy",
        "r",
    ),
    *("rx", "ry", "transform", "x", "y", "font-size", "font-family"),
}
VOID = {"meta", "img"}


class Reader(HTMLParser):
    """The elements of a document, that each is closed, and its words."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(document)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words += data


def made_of(report: SignedReport) -> str:
    return EXPORTS["html"].make(report).decode("utf-8")


@pytest.mark.parametrize("name", EVERY)
def test_every_report_is_one_inert_document(name: str) -> None:
    inert(made_of(EVERY[name]))


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_becomes_markup(text: str) -> None:
    inert(made_of(made.saying(text)))


def inert(document: str) -> None:
    read = Reader(document)
    assert {tag for tag, _ in read.found} <= ELEMENTS
    for tag, attributes in read.found:
        assert set(attributes) <= ATTRIBUTES, tag
        source = attributes.get("src")
        assert source is None or source.startswith("data:image/png;base64,")
        assert str(attributes.get("href") or "#").startswith("#")


def test_who_signed_when_in_which_zone_and_in_what_meaning_stands_in_it() -> None:
    words = Reader(made_of(made.cosigned())).words
    assert "Signed electronically: Rita Rossi, Resident (author), 2024-02-03 09:15:30 CET (UTC+01:00)" in words
    assert "Signed electronically: Alice Adler, Radiologist (co-signer), 2024-02-03 10:15:30 CET (UTC+01:00)" in words


def test_an_addendum_stands_below_the_text_with_a_signature_of_its_own() -> None:
    words = Reader(made_of(made.appended())).words
    assert words.index("Left temporal haematoma.") < words.index("Compared with 2023: new.")
    assert "(addendum), 2024-02-03 11:45:30 CET" in words


BANNERS = {
    "preliminary": (made.preliminary, "preliminary", "warning"),
    "pending": (made.pending_cosign, "pending_cosign", "warning"),
    "final": (made.report, "final", "plain"),
    "corrected": (made.corrected, "corrected", "warning"),
    "in error": (made.entered_in_error, "entered_in_error", "error"),
    "cancelled": (made.cancelled, "cancelled", "error"),
    "critical": (made.critical, "critical_open", "error"),
}


@pytest.mark.parametrize("name", BANNERS)
def test_what_kind_of_report_it_is_stands_above_it(name: str) -> None:
    make, key, kind = BANNERS[name]
    document = made_of(make())
    assert f'<p class="state {kind}"><strong>{words_in("en")[key]}' in document
    assert document.index(words_in("en")[key]) < document.index("<h1")


def test_the_banner_of_a_critical_result_goes_when_it_was_closed() -> None:
    words = Reader(made_of(made.critical(closed=True))).words
    assert words_in("en")["critical_open"] not in words
    assert "read back; acknowledged 2024-02-03 10:35:30 CET" in words


def test_a_picture_is_inside_with_its_caption_its_digest_and_its_renderer() -> None:
    report = made.many_pictures()
    document = made_of(report)
    for number, picture in enumerate(report.pictures, 1):
        assert base64.b64encode(picture.png).decode() in document
        assert f"Picture {number}: {picture.caption}" in document
        assert f"SHA-256 {picture.sha256[:16]} · drawn by {picture.renderer}" in document
    assert document.count(words_in("en")["differs"]) == 1
    assert "Mass in three views. <a href" in document
    assert "[3]</a>" in document


def test_our_pages_get_a_fragment_that_names_addresses() -> None:
    fragment = page.body(made.many_pictures(), lambda picture: f'/evidence/{picture.position}/"x')
    assert fragment.startswith('<article class="signed-report"')
    assert 'src="/evidence/2/&quot;x"' in fragment
    assert "data:" not in fragment


@pytest.mark.parametrize("language", LANGUAGES)
def test_fixed_words_are_in_the_language_of_the_site(language: str) -> None:
    report = made.report(site=Site("x", "X", language=language))
    assert WORDS[language]["signatures"] in made_of(report)
    assert all(WORDS[language].values())
    if language != "en":
        same = [key for key, words in WORDS[language].items() if words == WORDS["en"][key]]
        assert len(same) < 10, same


@pytest.mark.parametrize("name", made.SCRIPTS)
def test_names_and_texts_of_every_script_are_in_it(name: str) -> None:
    words = Reader(made_of(made.in_script(name))).words
    text = made.SCRIPTS[name][1]
    assert text in words
    for part in made.SCRIPTS[name][0].split("=")[0].split("^"):
        assert part in words


def test_the_same_report_is_the_same_bytes() -> None:
    assert EXPORTS["html"].make(made.many_pictures()) == EXPORTS["html"].make(made.many_pictures())


@pytest.mark.parametrize("name", [name for name in EVERY if name.startswith(("hostile", "many", "in "))])
def test_a_phone_shows_it_without_sideways_scroll_and_runs_and_loads_nothing(name: str, chromium: Browser) -> None:  # noqa: F811
    opened = chromium.new_page(viewport={"width": 390, "height": 844})
    asked, said = [], []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: said.append(message.text))
    opened.on("dialog", lambda dialog: said.append(dialog.message))
    opened.set_content(made_of(EVERY[name]))
    wide = opened.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    drawn = opened.evaluate("[...document.images].every(one => one.naturalWidth > 0)")
    styled = opened.evaluate("getComputedStyle(document.querySelector('dl')).display")
    opened.close()
    assert wide[0] <= wide[1]
    assert drawn
    assert styled == "grid"
    assert [url for url in asked if not url.startswith(("data:", "about:"))] == []
    assert said == []


def test_what_stands_under_a_heading_is_printed_under_it() -> None:
    titles = re.findall(r"<(h[234]) dir=\"auto\">([^<]*)<", made_of(made.sectioned()))
    assert titles == [("h2", "Findings"), ("h3", "Left knee"), ("h3", "Right knee"), ("h2", "Impression")]
