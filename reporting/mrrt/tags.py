"""Elements of HTML by what becomes of them in a template."""

from __future__ import annotations

ACTIVE: dict[str, str] = {
    name: said
    for said, names in {
        "a script": "script",
        "a style sheet": "style",
        "a linked file": "link",
        "a frame": "iframe frame portal",
        "frames": "frameset",
        "an embedded object": "object embed applet",
        "a picture": "img picture",
        "a drawing": "svg canvas",
        "a formula": "math",
        "a video": "video",
        "a sound": "audio source",
        "a <template>": "template",
        "a <noscript>": "noscript",
        "a <base>": "base",
        "a <meta> in the body": "meta",
        "a <title> in the body": "title",
        "a map of links": "map",
        "a dialog": "dialog",
        "moving text": "marquee",
        "plain text": "plaintext xmp",
    }.items()
    for name in names.split()
}
"""What is never taken over, and what it is called. With it goes all that stands in it."""
ADDRESSES = frozenset(
    [
        "href",
        "src",
        "action",
        "formaction",
        "srcset",
        "data",
        "poster",
        "background",
        "cite",
        "ping",
        "srcdoc",
        "xlink:href",
    ]
)
"""Attributes that lead elsewhere."""
CONTROLS = frozenset(["input", "select", "textarea", "button", "output", "meter", "progress", "keygen"])
BLOCKS = frozenset(
    [
        "p",
        "div",
        "tr",
        "td",
        "th",
        "li",
        "ul",
        "ol",
        "dl",
        "dt",
        "dd",
        "table",
        "tbody",
        "thead",
        "tfoot",
        "fieldset",
        "article",
        "aside",
        "main",
        "nav",
        "footer",
        "form",
        "blockquote",
        "pre",
        "center",
        "address",
        "details",
        "caption",
    ]
)
"""Where words end."""
HEADINGS = frozenset(["header", "h1", "h2", "h3", "h4", "h5", "h6", "legend", "caption", "dt", "summary"])
