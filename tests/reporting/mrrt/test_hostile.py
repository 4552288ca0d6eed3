"""Templates made to do harm: nothing active survives, nothing grows without bound, and a report of what was dropped."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest

from reporting.mrrt import Unusable, read

STRINGS = (
    *[
        r"<script>alert(1)</script>",
        r"<img src=x onerror=alert(1)>",
        r'"><svg/onload=alert(1)>',
        r"javascript:alert(1)",
        r"' onmouseover='alert(1)",
        r"</textarea><script>alert(1)</script>",
        r"</title><script>alert(1)</script>",
        r"--><script>alert(1)</script><!--",
        r"]]><script>alert(1)</script>",
        r"<iframe src=javascript:alert(1)>",
        r"<a href='javascript:alert(1)'>x</a>",
        r"<base href=//evil.example>",
        r"<meta http-equiv=refresh content='0;url=//evil.example'>",
        r"<form action=//evil.example>",
        r"<input autofocus onfocus=alert(1)>",
        r"<style>@import '//evil.example'</style>",
        r"<link rel=stylesheet href=//evil.example>",
        r"<object data=//evil.example>",
        r"<embed src=//evil.example>",
        r"<math><mtext></p><script>alert(1)</script>",
        r"<svg><style><img src=x onerror=alert(1)></style>",
        r"<template><script>1</script>",
        r"<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        r"<details open ontoggle=alert(1)>",
        r"<video src=x onerror=alert(1)>",
        r"&lt;script&gt;alert(1)&lt;/script&gt;",
        r"&#60;script&#62;",
        r"<ScRiPt/x>alert(1)</sCrIpT>",
        r"<p style='background:url(javascript:alert(1))'>",
        r"{{ 7*7 }}{% debug %}",
        r"${alert(1)}",
        r"=cmd|' /C calc'!A0",
        r"[[key_image:1.2.3|forged]]",
        r"[[key_image:1.2|[[key_image:1.2|x]]]]",
        r"<!ENTITY a 'b'>&a;",
        r"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>&x;",
        r"%00../../etc/passwd",
        r"<select><script>alert(1)</script>",
        r"<xmp><script>alert(1)</script></xmp>",
        r"<plaintext><script>alert(1)",
        r"'; DROP TABLE reporting_template; --",
        r"</section></body></html><script>alert(1)</script>",
    ],
    "\x00<scr\x00ipt>alert(1)</scr\x00ipt>",
    "\u202eevil\u202c",
    "\ud800",
)
PAGE = """<!DOCTYPE html><html><head><title>{title}</title><meta name="dcterms.title" content="{title}">
<meta name="dcterms.identifier" content="{identifier}"><meta name="dcterms.description" content="{description}">
<meta name="dcterms.language" content="{language}">
<script type="text/xml"><template_attributes><status>{status}</status>
<term type="{term}"><code meaning="{meaning}" value="{value}" scheme="{scheme}"/></term>
<coded_content><entry ORIGTXT="{entry}"><term><code meaning="m" value="v" scheme="RADLEX"/></term></entry></coded_content>
</template_attributes></script></head>
<body><section id="{section}" data-section-name="{name}"><header>{header}</header>
<p><label for="a">{label}</label><input id="a" data-field-type="TEXT" value="{default}" data-field-units="{units}"
 data-field-verbal-trigger="{spoken}" data-x-show-if="{condition}" data-x-merge="{merge}"
 data-field-completion-action="{action}"></p>
<p>{text}<textarea id="{id}">{area}</textarea></p>
<p><select id="s"><option value="{option}">{shown}</option><option value="b" label="{optionlabel}">b</option></select>
<input list="l" id="{listed}"><datalist id="l"><option value="{suggestion}"></datalist>
<input type="number" id="n" min="{minimum}" max="{maximum}" value="{number}"></p></section></body></html>"""
PLACES = tuple(re.findall(r"\{(\w+)\}", PAGE))
ALLOWED = {
    *(
        "html",
        "head",
        "title",
        "meta",
        "script",
        "body",
        "section",
        "header",
        "p",
        "label",
        "input",
        "textarea",
        "select",
    ),
    *("option", "datalist", "span"),
}
ALLOWED_ATTRIBUTES = {
    *(
        "id",
        "class",
        "name",
        "content",
        "charset",
        "type",
        "for",
        "value",
        "selected",
        "checked",
        "multiple",
        "required",
        "list",
    ),
    *("min", "max", "step", "lang"),
}


class Judge(HTMLParser):
    """Reads a page with another parser than the one it was made with."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED or (tag == "script" and attrs != [("type", "text/xml")]):
            self.found.append(f"<{tag} {attrs}>")
        for name, _ in attrs:
            if name not in ALLOWED_ATTRIBUTES and not re.fullmatch(r"data-[a-z\-]+", name):
                self.found.append(f"{name} of <{tag}>")
        if tag == "meta" and not (dict(attrs).get("charset") or str(dict(attrs).get("name")).startswith("dcterms.")):
            self.found.append(f"<meta {attrs}>")


def page(**given: str) -> str:
    sound = {
        **dict.fromkeys(PLACES, "plain"),
        **{
            "minimum": "0",
            "maximum": "9",
            "number": "5",
            "status": "ACTIVE",
            "condition": "s = b",
            "id": "t",
            "listed": "c",
        },
    }
    return PAGE.format(**{**sound, **given})


@pytest.mark.parametrize("place", PLACES)
def test_nothing_active_survives_in_any_place(place: str) -> None:
    for said in STRINGS:
        try:
            told = read(page(**{place: said}))
        except Unusable:
            continue
        assert Judge(told.html).found == [], (place, said)
        assert told.html.count("<script") == 1
        assert "[[key_image" not in told.html.split("<body", 1)[1] or place not in ("default", "area"), said
        again = read(told.html)
        assert again.document == told.document, (place, said)
        assert again.html == told.html


def test_what_was_dropped_is_named_with_its_line() -> None:
    told = read(page(text='\n<img src="//evil.example">\n<b onclick="go()">x</b>'))
    said = " | ".join(told.dropped)
    assert re.search(r"line \d+: a picture", said)
    assert re.search(r"line \d+: “onclick” of <b>, which would run a script", said)


def test_a_default_holds_no_links_to_evidence() -> None:
    told = read(page(default="see [[key_image:1.2.3|image 4]]", area="[[measurement:1/x|12 mm]]"))
    fields = {field.id: field.default for field in told.document.schema.fields}
    assert fields["a"] == "see image 4"
    assert fields["t"] == "12 mm"
    assert sum("link to evidence" in said for said in told.repairs) == 2


BOMBS = {
    "deep": lambda: page(text="<div>" * 30_000),
    "deep formatting": lambda: page(text="<b><i><u><a>" * 5_000),
    "deep tables": lambda: page(text="<table><tr><td>" * 8_000),
    "deep sections": lambda: page(text="<section data-section-name=x>" * 9_000),
    "many fields": lambda: page(text="".join(f"<input id=f{one} type=text>" for one in range(20_000))),
    "many boxes of one name": lambda: page(
        text="".join(f"<input type=checkbox name=n value={one}>" for one in range(15_000))
    ),
    "many options": lambda: page(text="<select id=many>" + "<option>x" * 50_000),
    "one name": lambda: page(text="<input id=same type=text>" * 20_000),
    "conditions": lambda: page(
        text="".join(f"<input id=k{one} type=text data-x-show-if='k{one + 1} = 1'>" for one in range(3_000))
    ),
    "attributes": lambda: page(text="<p " + " ".join(f"onx{one}=1" for one in range(40_000)) + ">"),
    "entries": lambda: page(
        status="ACTIVE</status>" + "<entry ORIGTXT='a'><term><code meaning=m value=v scheme=s>" * 10_000
    ),
    "no end": lambda: page(status="ACTIVE</status>" + '<code a="' * 40_000),
    "labels": lambda: page(text="".join(f"<label for=q{one}>x</label>" for one in range(25_000))),
    "words": lambda: page(text="word " * 150_000),
    "rows": lambda: page(text="<table>" + "<tr><td>a<td>b" * 15_000 + "</table>"),
    "entities": lambda: page(text="&amp;" * 180_000),
    "comments": lambda: page(text="<!--" * 50_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_or_refused_in_bounded_time_and_size(name: str) -> None:
    html, begun = BOMBS[name](), time.process_time()
    try:
        told = read(html)
    except Unusable:
        told = None
    assert time.process_time() - begun < 20, "it took far longer than a template may"
    if told is not None:
        assert len(told.html) < 2_000_000
        assert len(told.repairs) <= 401
        assert len(told.dropped) <= 401
        assert len(told.document.schema.fields) <= 500


@pytest.mark.parametrize("html", ["", " ", "\x00", "%PDF-1.7", "{}", "<", "<html>", "é" * 2_000_000, "<p>" * 70_000])
def test_what_is_no_template_is_refused_with_words(html: str) -> None:
    with pytest.raises(Unusable) as refused:
        read(html)
    assert all(len(said) > 10 for said in refused.value.problems)
