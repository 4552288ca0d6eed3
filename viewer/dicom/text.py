"""Text of a data set by its Specific Character Set (PS3.3 C.12.1.1.2, PS3.5 6.1) and folded for searching."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

DEFAULT: Final = "ascii"

_G0_MULTIBYTE = ("iso2022_jp", "iso2022_jp_2")
"""Two-byte codes in the place of ASCII: what looks like a delimiter there is half a character."""


def charset_of(terms: list[str]) -> tuple[str, ...]:
    """Python codecs for the values of (0008,0005), first the one that is in force without an escape sequence."""
    return tuple(_TERMS.get(_normal(term), DEFAULT) for term in terms) or (DEFAULT,)


def unknown_terms(terms: list[str]) -> list[str]:
    return [term for term in terms if _normal(term) not in _TERMS]


def decode(raw: bytes, charset: tuple[str, ...], delimiters: bytes = b"\r\n\f\t\\") -> str:
    """One text value as Unicode; nothing that is no character survives, and nothing raises."""
    return _clean(as_stored(raw, charset, delimiters))


def as_stored(raw: bytes, charset: tuple[str, ...], delimiters: bytes = b"\r\n\f\t\\") -> str:
    """The same with all spaces, ends of lines and control characters that are there."""
    first = charset[0] if charset else DEFAULT
    if b"\x1b" not in raw:
        text = _plain(raw, first)
    else:
        head, *rest = raw.split(b"\x1b")
        text = _plain(head, first) + "".join(_escaped(part, first, delimiters) for part in rest)
    return text


def decode_name(raw: bytes, charset: tuple[str, ...]) -> str:
    """A person's name, its component groups parted by "=" and components by "^" as stored (PS3.5 6.2.1.2)."""
    text = decode(raw, charset, b"\r\n\f\t\\^=")
    groups = [
        group.strip().rstrip("^ ") if index else group.rstrip("^ ") for index, group in enumerate(text.split("="))
    ]
    return "=".join(groups).rstrip("= ").strip()


def fold(text: str) -> str:
    """For searching: "^" and "=" as spaces, accents removed, case folded, spaces joined."""
    spread = unicodedata.normalize("NFKD", text.replace("^", " ").replace("=", " "))
    # The voice marks of kana are combining characters too, and make other letters.
    bare = "".join(c for c in spread if unicodedata.category(c) != "Mn" or c in "\u3099\u309a")
    return " ".join(unicodedata.normalize("NFC", bare).casefold().split())


def _normal(term: str) -> str:
    return re.sub(r"[\s_-]+", " ", term.strip().upper())


def _plain(raw: bytes, codec: str) -> str:
    if raw.isascii() and codec != "utf_16":
        return raw.decode("ascii")
    if codec == DEFAULT:
        # Bytes past ASCII where no character set was named: UTF-8 says of itself whether it is, else Latin 1.
        try:
            return raw.decode("utf_8")
        except UnicodeDecodeError:
            return raw.decode("latin_1")
    return raw.decode(codec, "replace")


def _escaped(part: bytes, first: str, delimiters: bytes) -> str:
    """What follows one escape character: the escape sequence names the codec until a delimiter or the next escape."""
    known = next((known for known in _ESCAPES if part.startswith(known[0])), None)
    if known is None:
        return _plain(part, first)
    sequence, codec = known
    if codec in _G0_MULTIBYTE:
        return (b"\x1b" + part + b"\x1b(B").decode(codec, "replace")
    body = part[len(sequence) :]
    end = next((index for index, byte in enumerate(body) if byte in delimiters), len(body))
    if codec == DEFAULT:
        end = 0
    return body[:end].decode(codec, "replace") + _plain(body[end:], first)


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() or c in "\n\t" else ("" if c == "\0" else " ") for c in text).strip()


_TERMS = {
    "": DEFAULT,
    "ISO IR 6": DEFAULT,
    "ISO 2022 IR 6": DEFAULT,
    "ISO IR 192": "utf_8",
    "UTF 8": "utf_8",
    "ISO 2022 IR 192": "utf_8",
    "GB18030": "gb18030",
    "GBK": "gb18030",
    "ISO 2022 IR 87": "iso2022_jp",
    "ISO 2022 IR 159": "iso2022_jp_2",
    "ISO 2022 IR 149": "euc_kr",
    "ISO 2022 IR 58": "gb2312",
} | {
    f"{prefix} {number}": codec
    for prefix in ("ISO IR", "ISO 2022 IR")
    for number, codec in {
        100: "latin_1",
        101: "iso8859_2",
        109: "iso8859_3",
        110: "iso8859_4",
        144: "iso8859_5",
        127: "iso8859_6",
        126: "iso8859_7",
        138: "iso8859_8",
        148: "iso8859_9",
        203: "iso8859_15",
        13: "shift_jis",
        166: "tis_620",
    }.items()
}

_ESCAPES: tuple[tuple[bytes, str], ...] = (
    (b"(B", DEFAULT),
    (b"-A", "latin_1"),
    (b"-B", "iso8859_2"),
    (b"-C", "iso8859_3"),
    (b"-D", "iso8859_4"),
    (b"-L", "iso8859_5"),
    (b"-G", "iso8859_6"),
    (b"-F", "iso8859_7"),
    (b"-H", "iso8859_8"),
    (b"-M", "iso8859_9"),
    (b"-b", "iso8859_15"),
    (b"-T", "tis_620"),
    (b")I", "shift_jis"),
    (b"(J", "shift_jis"),
    (b"$B", "iso2022_jp"),
    (b"$@", "iso2022_jp"),
    (b"$(D", "iso2022_jp_2"),
    (b"$)C", "euc_kr"),
    (b"$)A", "gb2312"),
)
