"""Attribute matching of data sets in memory (PS3.4 C.2.2.2), and the narrowing of an answer to what was asked for."""

from __future__ import annotations

import re
from collections.abc import Callable

from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from viewer.dicom.text import fold
from viewer.dimse.identifiers import is_key, texts

MOMENTS = {0x00400002: 0x00400003}
"""A date and its time that, both asked for as ranges, are one range (PS3.4 K.6.1.2.2, table K.6-1)."""
_LATEST = "235959.999999"


def matches(query: Dataset, held: Dataset) -> bool:
    """Whether `held` is what the keys of `query` ask for. What `held` does not know matches universal keys alone."""
    pairs = [(day, time) for day, time in MOMENTS.items() if _is_range(query, day) and _is_range(query, time)]
    together = {tag for pair in pairs for tag in pair}
    return all(_within(query, held, day, time) for day, time in pairs) and all(
        _element_matches(element, held.get(element.tag))
        for element in query
        if is_key(element) and element.tag not in together
    )


def _element_matches(key: DataElement, held: DataElement | None) -> bool:
    if key.VR == "SQ":
        wanted = key.value[0] if key.value else None
        if wanted is None or not _asks(wanted):
            return True
        return held is not None and any(matches(wanted, item) for item in held.value)
    values = [value for value in texts(key.value) if value.strip("*")]
    if not values:
        return True
    found = [value for value in texts(held.value) if value] if held is not None else []
    return any(KINDS.get(key.VR, _text)(wanted, value) for wanted in values for value in found)


def _asks(item: Dataset) -> bool:
    return any(element.value if element.VR != "SQ" else any(map(_asks, element.value)) for element in item)


def _text(wanted: str, value: str) -> bool:
    """Single value or wild cards (PS3.4 C.2.2.2.4)."""
    pattern = "".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in re.split(r"([*?])", wanted))
    return re.fullmatch(pattern, value, re.DOTALL) is not None


def _exact(wanted: str, value: str) -> bool:
    return wanted == value


def _name(wanted: str, value: str) -> bool:
    """Without regard to case and accents, in whichever component group."""
    folded = _folded(wanted)
    return any(_text(folded, _folded(group)) for group in (value, *value.split("=")))


def _folded(name: str) -> str:
    return "^".join(fold(part) for part in name.split("^")).rstrip("^")


def _date(wanted: str, value: str) -> bool:
    return _between(wanted, value, value)


def _time(wanted: str, value: str) -> bool:
    """A time stands for the stretch that its digits leave open."""
    first, dash, last = _range(wanted)
    full = _start(value)
    if not dash:
        return _start(first) <= full <= _end(first)
    return (not first or _start(first) <= full) and (not last or full <= _end(last))


def _between(wanted: str, value: str, upper: str) -> bool:
    first, dash, last = _range(wanted)
    if not dash:
        return first == value
    return (not first or first <= value) and (not last or upper <= last)


def _range(text: str) -> tuple[str, str, str]:
    first, dash, last = (part.strip() for part in text.partition("-"))
    return first.replace(":", ""), dash, last.replace(":", "")


def _start(time: str) -> str:
    return time + "000000.000000"[len(time) :]


def _end(time: str) -> str:
    return time + _LATEST[len(time) :]


def _is_range(query: Dataset, tag: int) -> bool:
    values = texts(query[tag].value) if tag in query else []
    return len(values) == 1 and "-" in values[0] and values[0] != "-"


def _within(query: Dataset, held: Dataset, day: int, time: int) -> bool:
    """A range of moments: from the first day's first time until the last day's last."""
    first_day, _, last_day = _range(texts(query[day].value)[0])
    first, _, last = _range(texts(query[time].value)[0])
    found = [texts(held[tag].value)[0] if tag in held and held[tag].value else "" for tag in (day, time)]
    if not found[0]:
        return False
    moment = found[0] + _start(found[1])
    after = not first_day or first_day + _start(first) <= moment
    return after and (not last_day or moment <= last_day + _end(last))


KINDS: dict[str, Callable[[str, str], bool]] = {
    "DA": _date,
    "TM": _time,
    "PN": _name,
    "UI": _exact,
    "IS": _exact,
    "US": _exact,
}
"""By value representation; text otherwise."""


def returned(query: Dataset, held: Dataset) -> Dataset:
    """Of `held` what `query` asks for, empty where nothing is known (PS3.4 K.4.1.1.3.2); of sequences the items' keys, all of
    them where the query names none."""
    answer = Dataset()
    for key in query:
        if not is_key(key):
            continue
        known = held.get(key.tag)
        if key.VR == "SQ":
            items = known.value if known is not None and known.VR == "SQ" else []
            wanted = key.value[0] if key.value else None
            answer[key.tag] = DataElement(key.tag, "SQ", [returned(wanted, item) if wanted else item for item in items])
        else:
            vr = known.VR if known is not None else (key.VR if key.VR != "UN" else "LO")
            value = known.value if known is not None else None
            answer[key.tag] = DataElement(key.tag, vr, value, validation_mode=config.IGNORE)
    return answer
