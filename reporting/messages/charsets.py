"""Which characters the bytes of a message are (HL7 v2.5.1 2.15.9.18, MSH-18, table 0211). Names are never guessed at."""

from __future__ import annotations

import re

from reporting.messages.er7 import BadMessage

CODECS = {
    "ASCII": "ascii",
    "ISO IR6": "ascii",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    "UNICODE UTF-8": "utf-8",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1",
}
"""Table 0211, as Python names them."""
ALSO = {
    **{"UTF-8": "utf-8", "UTF8": "utf-8", "UNICODE": "utf-8", "UNICODE UTF8": "utf-8", "GB18030": "gb18030"},
    **{"GB 18030": "gb18030", "US-ASCII": "ascii", "BIG5": "big5", "WINDOWS-1252": "cp1252"},
    **{f"ISO-8859-{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    **{f"ISO 8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
}
"""As senders write them. "UNICODE" over a byte protocol is UTF-8 with everybody who sends it."""
DEFAULT = "UNICODE UTF-8"


def codec_of(name: str) -> str | None:
    """Python's codec for a name of MSH-18; None for one that is not known here."""
    bare = " ".join(name.split()).upper()
    return CODECS.get(bare) or ALSO.get(bare)


def named_in(data: bytes) -> str:
    """The first character set that the message's own MSH-18 names; "" where it names none."""
    field = data[3:4] or b"|"
    header = re.split(rb"[\r\n]", data, maxsplit=1)[0].split(field)
    if len(header) <= 17:
        return ""
    first = header[17].split(header[1][1:2] or b"~")[0]
    return first.decode("ascii", "replace").strip()


def decoded(data: bytes, default: str = "") -> str:
    """The text of a message. `default` is what this sender means when it names nothing; without one UTF-8.

    Raises BadMessage for a set that is not known, and for bytes that are none of its characters.
    """
    name = named_in(data) or default or DEFAULT
    codec = codec_of(name)
    if codec is None:
        raise BadMessage(f"MSH-18: the character set {name[:40]!r} is not known here")
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as problem:
        told = "" if named_in(data) else ", which is taken where MSH-18 names none"
        raise BadMessage(f"byte {problem.start} is no character of {name}{told}") from None
    if "\0" in text:
        raise BadMessage("the message holds a NUL")
    return text


def encoded(text: str, name: str) -> bytes:
    """The bytes of a message in the set `name`. Raises ValueError naming the first character that it does not have."""
    codec = codec_of(name or DEFAULT)
    if codec is None:
        raise ValueError(f"the character set {name[:40]!r} is not known here")
    try:
        return text.encode(codec)
    except UnicodeEncodeError as problem:
        raise ValueError(f"{name} has no character U+{ord(text[problem.start]):04X}") from None
