"""HL7 v2 messages as ER7 text (v2.5.1 chapter 2, 2.5 to 2.7): segments written, escaped, read and unescaped.

    message = encode([("MSH", {...}), ("PID", {3: [("123", "", "", ("", "1.2.3", "ISO"))]})])
    parse(message).first("PID").text(3)     # "123"

A field to write is a text, a tuple of components (each a text or a tuple of subcomponents), or a list of repetitions of
these. Texts are escaped here and nowhere else, so that no value can begin a field, a segment or a message of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

FIELD, COMPONENT, REPETITION, ESCAPE, SUBCOMPONENT = "|", "^", "~", "\\", "&"
ENCODING = "^~\\&"
END = "\r"

Component = str | tuple[str, ...]
Repetition = str | tuple[Component, ...]
Value = Repetition | list[Repetition]


class BadMessage(ValueError):
    """What was received is no HL7 message; `str` says why."""


class Formatted(str):
    """A text of data type FT: its line ends are formatting commands (2.7.6)."""

    __slots__ = ()


# --- writing


def encode(segments: Iterable[tuple[str, Mapping[int, Value]]]) -> str:
    """A message, each segment ended by a carriage return. MSH-1 and MSH-2 are put in here."""
    return "".join(segment(name, fields) + END for name, fields in segments)


def segment(name: str, fields: Mapping[int, Value]) -> str:
    """One segment; empty fields at its end are left out."""
    written = {number: _field(value) for number, value in fields.items()}
    first = 1
    if name == "MSH":
        written = {number: text for number, text in written.items() if number > 2} | {2: ENCODING}
        first = 2
    last = max((number for number, text in written.items() if text), default=first - 1)
    return FIELD.join([name, *(written.get(number, "") for number in range(first, last + 1))])


def escape(text: str, formatted: bool = False) -> str:
    """A text as a value. Line ends become `\\.br\\` in formatted text and a space elsewhere; other controls hexadecimal."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SPECIAL.sub(lambda found: _escaped(found[0], formatted), lines).encode("utf-8", "replace").decode("utf-8")


_NAMES = {FIELD: "F", COMPONENT: "S", SUBCOMPONENT: "T", REPETITION: "R", ESCAPE: "E"}
_SPECIAL = re.compile(r"[|^&~\\\x00-\x1f\x7f-\x9f]")


def _escaped(character: str, formatted: bool) -> str:
    if character in _NAMES:
        return f"\\{_NAMES[character]}\\"
    if character == "\n":
        return "\\.br\\" if formatted else " "
    return f"\\X{character.encode().hex().upper()}\\"


def _field(value: Value) -> str:
    if isinstance(value, list):
        return REPETITION.join(map(_repetition, value)).rstrip(REPETITION)
    return _repetition(value)


def _repetition(value: Repetition) -> str:
    if isinstance(value, str):
        return escape(value, isinstance(value, Formatted))
    return COMPONENT.join(map(_component, value)).rstrip(COMPONENT)


def _component(value: Component) -> str:
    if isinstance(value, str):
        return escape(value, isinstance(value, Formatted))
    return SUBCOMPONENT.join(escape(one, isinstance(one, Formatted)) for one in value).rstrip(SUBCOMPONENT)


# --- reading


@dataclass(frozen=True, slots=True)
class Delimiters:
    """As the message's own MSH-1 and MSH-2 say."""

    field: str = FIELD
    component: str = COMPONENT
    repetition: str = REPETITION
    escape: str = ESCAPE
    subcomponent: str = SUBCOMPONENT


@dataclass(frozen=True, slots=True)
class Segment:
    name: str
    fields: tuple[str, ...]
    """As received; `fields[0]` is field 1."""
    by: Delimiters

    def raw(self, number: int) -> str:
        return self.fields[number - 1] if 0 < number <= len(self.fields) else ""

    def repetitions(self, number: int) -> list[str]:
        """Of a field, as received; none where it is empty."""
        raw = self.raw(number)
        return raw.split(self.by.repetition) if raw else []

    def text(self, number: int, component: int = 1, subcomponent: int = 1, repetition: int = 1) -> str:
        """One value, unescaped; "" where there is none. HL7's "delete it" (`""`) is `""` here as there."""
        repeated = self.repetitions(number)
        if not 0 < repetition <= len(repeated):
            return ""
        inner = _part(_part(repeated[repetition - 1], self.by.component, component), self.by.subcomponent, subcomponent)
        return unescape(inner, self.by)

    def components(self, number: int, repetition: int = 1) -> list[str]:
        """The components of one repetition, unescaped, each by its first subcomponent."""
        repeated = self.repetitions(number)
        if not 0 < repetition <= len(repeated):
            return []
        parts = repeated[repetition - 1].split(self.by.component)
        return [unescape(_part(part, self.by.subcomponent, 1), self.by) for part in parts]

    def whole(self, number: int) -> str:
        """All of a field as one text: of fields whose sender forgot to escape, or whose text is cut into repetitions."""
        return "\n".join(unescape(one, self.by) for one in self.repetitions(number))


@dataclass(frozen=True, slots=True)
class Message:
    segments: tuple[Segment, ...]

    def all(self, name: str) -> Iterator[Segment]:
        return (one for one in self.segments if one.name == name)

    def first(self, name: str) -> Segment:
        """An empty one where the message has none."""
        return next(self.all(name), Segment(name, (), self.segments[0].by))

    def has(self, name: str) -> bool:
        return any(self.all(name))

    @property
    def header(self) -> Segment:
        return self.segments[0]


def parse(message: str) -> Message:
    """A message out of its text. Segments may also end in line feeds, as files have them. Raises BadMessage."""
    lines = [line for line in re.split(r"[\r\n]+", message.lstrip("\ufeff\x0b \t\r\n")) if line.strip("\x1c")]
    if not lines or not lines[0].startswith("MSH") or len(lines[0]) < 8:
        raise BadMessage("the message does not begin with MSH and its separators")
    by = _delimiters(lines[0])
    return Message(tuple(_segment(line, by) for line in lines))


def _delimiters(header: str) -> Delimiters:
    field = header[3]
    said = header[4:].split(field, 1)[0]
    if field.isalnum() or not 2 <= len(said) <= 5 or len({field, *said}) != len(said) + 1 or not said.isprintable():
        raise BadMessage("MSH-1 and MSH-2 do not name distinct separators")
    return Delimiters(field, *(said + ENCODING[len(said) :])[:4])


def _segment(line: str, by: Delimiters) -> Segment:
    name, *fields = line.split(by.field)
    if not re.fullmatch(r"[A-Z][A-Z0-9]{2}", name):
        raise BadMessage(f"no segment is named {name[:8]!r}")
    if name == "MSH":
        fields = [by.field, *fields]
    return Segment(name, tuple(fields), by)


def _part(text: str, separator: str, number: int) -> str:
    parts = text.split(separator)
    return parts[number - 1] if 0 < number <= len(parts) else ""


def unescape(text: str, by: Delimiters = Delimiters()) -> str:
    """A value as it was before it was escaped. What is no escape sequence stays as it came: senders forget to escape."""
    if by.escape not in text:
        return text
    mark = re.escape(by.escape)
    return re.sub(rf"{mark}([^{mark}]*){mark}", lambda found: _unescaped(found, by), text)


def _unescaped(found: re.Match[str], by: Delimiters) -> str:
    inside = found[1]
    known = {
        **{"F": by.field, "S": by.component, "T": by.subcomponent, "R": by.repetition, "E": by.escape},
        **{"H": "", "N": "", ".br": "\n", ".BR": "\n", ".sp": "\n", ".ce": "\n", ".fi": "", ".nf": ""},
    }
    if inside in known:
        return known[inside]
    if re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", inside):
        raw = bytes.fromhex(inside[1:])
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("cp1252", "replace")
    if re.fullmatch(r"\.(?:sp|in|ti|sk)\s*[+-]?\d{1,3}", inside):
        return "\n" if inside.startswith(".sp") else " "
    return found[0]


# --- character sets

CHARACTER_SETS = {
    **{"": "utf-8", "ASCII": "ascii", "UNICODE UTF-8": "utf-8", "UNICODE": "utf-16"},
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    **{"GB 18030-2000": "gb18030", "KS X 1001": "euc_kr", "BIG-5": "big5", "ISO IR87": "shift_jis"},
}
"""HL7 table 0211, MSH-18, as Python names them. Without one, and where it is not true, UTF-8 is tried before Windows' Latin."""


def decoded(data: bytes) -> str:
    """The text of a message in the character set that it names (MSH-18). Never raises."""
    field = data[3:4] or b"|"
    header = re.split(rb"[\r\n]", data, maxsplit=1)[0].split(field)
    named = header[17].split(b"~")[0].decode("ascii", "replace").strip().upper() if len(header) > 17 else ""
    for character_set in (CHARACTER_SETS.get(named, "utf-8"), "utf-8"):
        try:
            return data.decode(character_set)
        except UnicodeDecodeError:
            continue
    return data.decode("cp1252", "replace")


# --- names


def person_name(name: str, kinds: Sequence[str] = ("A", "I", "P")) -> list[Repetition]:
    """A DICOM name (PS3.5 6.2.1.2) as repetitions of XPN: alphabetic, ideographic and phonetic (table 0465)."""
    found: list[Repetition] = []
    for group, kind in zip(name.split("="), kinds, strict=False):
        if not group.strip("^ "):
            continue
        family, given, middle, prefix, suffix = _five(group)
        found.append((family, given, middle, suffix, prefix, "", "L", kind))
    return found


def person(name: str, identifier: str = "") -> tuple[Component, ...]:
    """A DICOM name as XCN: who, by number and alphabetic name."""
    family, given, middle, prefix, suffix = _five(name.split("=")[0])
    return identifier, family, given, middle, suffix, prefix


def dicom_name(components: Sequence[str]) -> str:
    """The components of an XPN (XCN without its number) as a DICOM name."""
    family, given, middle, suffix, prefix = (list(components) + [""] * 5)[:5]
    parts = [one.replace("^", " ").replace("=", " ") for one in (family, given, middle, prefix, suffix)]
    return "^".join(parts).rstrip("^")


def _five(group: str) -> list[str]:
    return [one.strip() for one in (group.split("^") + [""] * 5)[:5]]
