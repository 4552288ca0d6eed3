"""Keys of a query matched in the database (PS3.4 C.2.2.2), for QIDO-RS and for C-FIND.

Single value, list, universal, wild card, range and empty value matching. Wild cards are case-sensitive but for names of
persons, which match without regard to case and accents, in whichever component group (alphabetic, ideographic, phonetic);
a key with "=" asks for its groups by place. A time stands for the stretch that its digits leave open ("1015": that minute).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from django.db.models import Case, Exists, F, Model, OuterRef, Q, QuerySet, When

from viewer.archive.names import FoldedName, folded_literal
from viewer.dicom.text import fold
from viewer.models import Instance, Patient, Series, SeriesRequest, Study

LONGEST_VALUE = 1024
MOST_VALUES = 5000
WORDS = 12
"""Of one name in fuzzy matching; further ones are not looked for."""


class Level(StrEnum):
    """Of the query/retrieve information model (PS3.4 C.3)."""

    PATIENT = "patient"
    STUDY = "study"
    SERIES = "series"
    INSTANCE = "instance"


@dataclass(frozen=True, slots=True)
class Key:
    """One matching key. `values` are as written, parted already; none of them, or empty ones: universal matching."""

    tag: int
    values: tuple[str, ...] = ()
    sequence: int = 0
    """The sequence (of `SEQUENCES`) whose items have the attribute."""


@dataclass(frozen=True, slots=True)
class Held:
    """Where an attribute is held. `column` is of the row of its level; `of_study`: what the study states counts before the
    patient's row; `within`: an attribute of the level below, any of which may match."""

    level: Level
    vr: str
    column: str = ""
    of_study: str = ""
    within: int = 0


@dataclass(frozen=True, slots=True)
class Sequenced:
    """Where items of a sequence are held: rows that name one of a level by `way`, and are its `items`; their attributes as VR
    and column."""

    level: Level
    rows: type[Model]
    way: str
    items: str
    columns: Mapping[int, tuple[str, str]]


class BadKey(ValueError):
    """A value that its attribute cannot have."""

    def __init__(self, tag: int, expected: str) -> None:
        super().__init__(f"{tag:08X}: {expected}")
        self.tag = tag


def narrowed(level: Level, keys: Sequence[Key], *, fuzzy: bool = False, combined: bool = True) -> QuerySet[Any]:
    """The rows of a level that match all keys, in no order and for nobody in particular: narrowing to what may be seen is the
    caller's (`study__in`, `organization`). Rejected objects, and what holds nothing else, are left out.

    Keys of levels below match where one of what is below matches all of them; keys that are not in `ATTRIBUTES` are passed
    over. `fuzzy`: names match by the beginnings of words. `combined`: ranges of a date and its time are one range
    (PS3.4 C.2.2.2.5.4). Raises BadKey.
    """
    asked = [given for key in keys if is_held(key.tag, key.sequence) and (given := _given(key)).values]
    return _narrowed(level, asked, fuzzy, combined).filter(_served(level))


def _given(key: Key) -> Key:
    """Without values that are empty, and without any where one of them is "*": universal matching (PS3.4 C.2.2.2.3)."""
    values = tuple(value for value in key.values if value)
    if len(values) > MOST_VALUES or any(len(value) > LONGEST_VALUE for value in values):
        raise BadKey(key.tag, "too much to look for")
    return replace(key, values=() if any(value.strip("*") == "" for value in values) else values)


def is_held(tag: int, sequence: int = 0) -> bool:
    """Whether an attribute, or one in the items of a sequence, can be matched."""
    return tag in (SEQUENCES[sequence].columns if sequence in SEQUENCES else ATTRIBUTES if not sequence else ())


def level_of(key: Key) -> Level:
    return SEQUENCES[key.sequence].level if key.sequence else ATTRIBUTES[key.tag].level


def _narrowed(level: Level, keys: Sequence[Key], fuzzy: bool, combined: bool) -> QuerySet[Any]:
    rows: QuerySet[Any] = MODELS[level]._default_manager.all()
    here, below = _parted(level, keys)
    if combined:
        here, moments = _paired(here)
        for day, time in moments:
            rows = rows.filter(_moment(_path(level, day.tag), day, _path(level, time.tag), time))
    for key in here:
        if not key.sequence:
            rows = _filtered(rows, level, key, fuzzy)
    for sequence in {key.sequence: None for key in here if key.sequence}:
        rows = rows.filter(_with_item(level, sequence, [key for key in here if key.sequence == sequence]))
    if below:
        inner = _narrowed(ORDER[ORDER.index(level) + 1], below, fuzzy, combined)
        rows = rows.filter(Exists(inner.filter(**{UPWARDS[level]: OuterRef("pk")})))
    return rows


def _parted(level: Level, keys: Sequence[Key]) -> tuple[list[Key], list[Key]]:
    """Keys of this level or above, and those of levels below."""
    depth = ORDER.index(level)
    here = [key for key in keys if ORDER.index(level_of(key)) <= depth]
    return here, [key for key in keys if key not in here]


def _filtered(rows: QuerySet[Any], level: Level, key: Key, fuzzy: bool) -> QuerySet[Any]:
    held = ATTRIBUTES[key.tag]
    if held.within:
        found = Exists(_within_study(held.within, key.values, _prefix(level, Level.STUDY)))
        return rows.filter(found)
    if held.vr == "PN":
        return _named(rows, level, held, key, fuzzy)
    if held.of_study and level is not Level.PATIENT:
        rows = rows.alias(**{held.column: _stated(_prefix(level, Level.STUDY), held)})
        return rows.filter(_matches(held.column, key, held.vr))
    return rows.filter(_matches(_path(level, key.tag), key, held.vr))


def _with_item(level: Level, sequence: int, keys: Sequence[Key]) -> Exists:
    """An item that matches all of its keys (PS3.4 C.2.2.2.6)."""
    held = SEQUENCES[sequence]
    items = held.rows._default_manager.filter(**{held.way: OuterRef(f"{_prefix(level, held.level)}pk")})
    for key in keys:
        vr, column = held.columns[key.tag]
        items = items.filter(_matches(column, key, vr))
    return Exists(items)


def _path(level: Level, tag: int) -> str:
    held = ATTRIBUTES[tag]
    return _prefix(level, held.level) + held.column


def _prefix(level: Level, wanted: Level) -> str:
    """From a row of `level` to the row of `wanted` above it."""
    return PREFIXES.get((level, wanted), "")


def _stated(prefix: str, held: Held) -> Case:
    """What the study states, else what its patient's row holds."""
    own = prefix + held.of_study
    return Case(When(**{own: "", "then": F(f"{prefix}patient__{held.column}")}), default=F(own))


def _within_study(tag: int, values: tuple[str, ...], to_study: str) -> QuerySet[Any]:
    """Series or instances of the study that have one of the values."""
    held = ATTRIBUTES[tag]
    outer = OuterRef(f"{to_study}pk")
    rows: QuerySet[Any] = (
        Series.objects.filter(study=outer, instances__rejection="")
        if held.level is Level.SERIES
        else Instance.objects.served().filter(series__study=outer)
    )
    return rows.filter(_matches(held.column, Key(tag, values), held.vr))


def _served(level: Level) -> Q | Exists:
    """What still holds an object that nobody has rejected."""
    if level is Level.INSTANCE:
        return Q(rejection="")
    way = {Level.SERIES: "series", Level.STUDY: "series__study", Level.PATIENT: "series__study__patient"}[level]
    return Exists(Instance.objects.served().filter(**{way: OuterRef("pk")}))


# --- values


def _matches(path: str, key: Key, vr: str) -> Q:
    """Any of the values (PS3.4 C.2.2.2.2, C.2.2.2.8)."""
    if vr == "UI":
        return Q(**{f"{path}__in": [_uid(key.tag, value) for value in key.values]})
    wanted = Q()
    for value in key.values:
        wanted |= _one(path, key.tag, value, vr)
    return wanted


def _one(path: str, tag: int, value: str, vr: str) -> Q:
    if value == '""':
        return Q(**{f"{path}__isnull": True}) if vr in NUMBERS else Q(**{path: ""})
    return KINDS.get(vr, _text)(path, tag, value)


def _uid(tag: int, value: str) -> str:
    if not re.fullmatch(r"[0-9.]{1,64}", value):
        raise BadKey(tag, "a UID is expected")
    return value


def _number(path: str, tag: int, value: str) -> Q:
    if not re.fullmatch(r"[+-]?\d{1,12}", value.strip(), re.ASCII):
        raise BadKey(tag, "a whole number is expected")
    return Q(**{path: int(value)})


def _exactly(path: str, tag: int, value: str) -> Q:
    return Q(**{path: value})


def _text(path: str, tag: int, value: str) -> Q:
    """Single value, or wild cards (PS3.4 C.2.2.2.4)."""
    if not WILD_CARDS.search(value):
        return Q(**{path: value})
    longest = max(WILD_CARDS.split(value), key=len)
    pattern = r"(?s)\A" + _pattern(value, ".", re.escape) + r"\Z"
    # The first condition is only the cheaper one.
    return Q(**{f"{path}__contains": longest}) & Q(**{f"{path}__regex": pattern})


def _pattern(value: str, anything: str, literal: Callable[[str], str]) -> str:
    parts = {"*": f"{anything}*", "?": anything}
    return "".join(parts.get(part) or literal(part) for part in re.split(r"([*?])", value) if part)


# --- dates and times


def _date(path: str, tag: int, value: str) -> Q:
    first, last = _ends(tag, value, _day)
    if first == last:
        return Q(**{path: first})
    wanted = ~Q(**{path: ""})
    if first:
        wanted &= Q(**{f"{path}__gte": first})
    if last:
        wanted &= Q(**{f"{path}__lte": last})
    return wanted


def _time(path: str, tag: int, value: str) -> Q:
    first, last = _ends(tag, value, _clock)
    wanted = ~Q(**{path: ""})
    if first:
        wanted &= Q(**{f"{path}__gte": _earliest(first)})
    if last:
        wanted &= Q(**{f"{path}__lte": _latest(last)})
    return wanted


def _ends(tag: int, value: str, read: Callable[[int, str], str]) -> tuple[str, str]:
    """First and last of a range, "" where it is open; twice the same of a single value. Raises BadKey."""
    first, dash, last = (part.strip() for part in value.partition("-"))
    if not dash:
        return read(tag, first), read(tag, first)
    if not first and not last:
        raise BadKey(tag, "a range has a beginning or an end")
    return (read(tag, first) if first else ""), (read(tag, last) if last else "")


def _day(tag: int, text: str) -> str:
    try:
        if not re.fullmatch(r"\d{8}", text, re.ASCII):
            raise ValueError
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise BadKey(tag, "a date like 20240131, or a range of them, is expected") from None
    return text


def _clock(tag: int, text: str) -> str:
    """HH, HHMM, HHMMSS or HHMMSS.F; also with colons."""
    digits = text.replace(":", "")
    if not re.fullmatch(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?|60)?)?", digits, re.ASCII):
        raise BadKey(tag, "a time like 101500, or a range of them, is expected")
    return digits


def _earliest(time: str) -> str:
    """The least text that a stored time of that moment or later can have: missing digits are zeros, and sort first."""
    return (time.rstrip("0").rstrip(".") if "." in time else time).rstrip("0")


def _latest(time: str) -> str:
    """The greatest text that a stored time within the stretch that `time` names can have."""
    return time.ljust(len(LATEST), "9") if "." in time else time + LATEST[len(time) :]


def _paired(keys: list[Key]) -> tuple[list[Key], list[tuple[Key, Key]]]:
    """Pairs of a date and its time that both are ranges of the same form are taken out (PS3.4 C.2.2.2.5.4)."""
    by_tag = {key.tag: key for key in keys if not key.sequence}
    pairs = []
    for day, time in MOMENTS.items():
        both = [by_tag[tag] for tag in (day, time) if tag in by_tag and len(by_tag[tag].values) == 1]
        if len(both) == 2 and _form(both[0]) == _form(both[1]) not in (None, (False, False)):
            pairs.append((both[0], both[1]))
    taken = {key.tag for pair in pairs for key in pair}
    return [key for key in keys if key.sequence or key.tag not in taken], pairs


def _form(key: Key) -> tuple[bool, bool] | None:
    first, dash, last = key.values[0].partition("-")
    return (bool(first.strip()), bool(last.strip())) if dash else None


def _moment(date_path: str, day: Key, time_path: str, time: Key) -> Q:
    (first_day, last_day), (first, last) = _ends(day.tag, day.values[0], _day), _ends(time.tag, time.values[0], _clock)
    wanted = ~Q(**{date_path: ""})
    known = ~Q(**{time_path: ""})
    if first_day:
        on_it = Q(**{date_path: first_day, f"{time_path}__gte": _earliest(first)}) & known
        wanted &= Q(**{f"{date_path}__gt": first_day}) | on_it
    if last_day:
        on_it = Q(**{date_path: last_day, f"{time_path}__lte": _latest(last)}) & known
        wanted &= Q(**{f"{date_path}__lt": last_day}) | on_it
    return wanted


# --- names of persons


def _named(rows: QuerySet[Any], level: Level, held: Held, key: Key, fuzzy: bool) -> QuerySet[Any]:
    prefix = _prefix(level, Level.STUDY)
    stated = bool(held.of_study) and level is not Level.PATIENT
    name = _stated(prefix, held) if stated else F(_prefix(level, held.level) + held.column)
    rows = rows.alias(**{f"folded_{held.column}": FoldedName(name)})
    wanted = Q()
    for value in key.values:
        if value == '""':
            wanted |= Q(**{f"folded_{held.column}": ""})
            continue
        exact = _likely(prefix, value, stated) if held.column == "name" else Q()
        for pattern in _fuzzy_patterns(value) if fuzzy else [_name_pattern(value)]:
            exact &= Q(**{f"folded_{held.column}__regex": pattern})
        wanted |= exact
    return rows.filter(wanted)


def _likely(prefix: str, value: str, stated: bool) -> Q:
    """A cheaper condition that all matches meet: the runs of letters of the key, in the column of the patient that is folded
    already; what a study states otherwise has no such column."""
    column = f"{prefix}patient__name_folded" if stated else "name_folded"
    runs = Q()
    for word in fold(WILD_CARDS.sub(" ", value)).split()[:WORDS]:
        runs &= Q(**{f"{column}__contains": word})
    if not stated or not runs:
        return runs
    own = f"{prefix}patient_name"
    return runs | (~Q(**{own: ""}) & ~Q(**{own: F(f"{prefix}patient__name")}))


def _name_pattern(value: str) -> str:
    """For folded names; "*" and "?" stay within a component group."""
    groups = [group.rstrip("^ ").strip() for group in value.rstrip("=^ ").split("=")]
    if len(groups) == 1:
        return f"(\\A|=){_group(groups[0])}(=|\\Z)"
    while len(groups) > 1 and not groups[-1].strip("*"):
        groups.pop()  # anything, or nothing
    return "\\A" + "=".join(_group(group) if group else "[^=]*" for group in groups) + "(=|\\Z)"


def _group(group: str) -> str:
    return _pattern(group, "[^=]", _literal)


def _literal(text: str) -> str:
    return re.escape(folded_literal(text))


def _fuzzy_patterns(value: str) -> list[str]:
    """Each word of the key begins a word of the name."""
    words = fold(WILD_CARDS.sub(" ", value)).split()[:WORDS]
    return [rf"(\A|[=^ ]){re.escape(word)}" for word in words]


WILD_CARDS = re.compile(r"[*?]")
LATEST = "235960.999999"
"""Of a day, a leap second and all."""
NUMBERS = frozenset({"IS", "US", "UL", "DS"})

KINDS: dict[str, Callable[[str, int, str], Q]] = {
    "DA": _date,
    "TM": _time,
    "IS": _number,
    "US": _number,
    "AS": _exactly,
}
"""By value representation; text otherwise."""

ORDER = tuple(Level)
MODELS: dict[Level, type[Model]] = {
    Level.PATIENT: Patient,
    Level.STUDY: Study,
    Level.SERIES: Series,
    Level.INSTANCE: Instance,
}
UPWARDS = {Level.PATIENT: "patient", Level.STUDY: "study", Level.SERIES: "series"}
"""The field by which the rows of the level below name a row of this one."""
PREFIXES = {
    (Level.STUDY, Level.PATIENT): "patient__",
    (Level.SERIES, Level.STUDY): "study__",
    (Level.SERIES, Level.PATIENT): "study__patient__",
    (Level.INSTANCE, Level.SERIES): "series__",
    (Level.INSTANCE, Level.STUDY): "series__study__",
    (Level.INSTANCE, Level.PATIENT): "series__study__patient__",
}
MOMENTS = {0x00080020: 0x00080030, 0x00080021: 0x00080031, 0x00400244: 0x00400245}
"""A date and its time."""

ATTRIBUTES: dict[int, Held] = {
    0x00100010: Held(Level.PATIENT, "PN", "name", of_study="patient_name"),
    0x00100020: Held(Level.PATIENT, "LO", "patient_id"),
    0x00100021: Held(Level.PATIENT, "LO", "issuer_of_patient_id"),
    0x00100030: Held(Level.PATIENT, "DA", "birth_date", of_study="patient_birth_date"),
    0x00100040: Held(Level.PATIENT, "CS", "sex", of_study="patient_sex"),
    0x00080020: Held(Level.STUDY, "DA", "date"),
    0x00080030: Held(Level.STUDY, "TM", "time"),
    0x00080050: Held(Level.STUDY, "SH", "accession_number"),
    0x00080061: Held(Level.STUDY, "CS", within=0x00080060),
    0x00080062: Held(Level.STUDY, "UI", within=0x00080016),
    0x00080080: Held(Level.STUDY, "LO", "institution"),
    0x00080090: Held(Level.STUDY, "PN", "referring_physician"),
    0x00080201: Held(Level.STUDY, "SH", "timezone_offset"),
    0x00081030: Held(Level.STUDY, "LO", "description"),
    0x00101010: Held(Level.STUDY, "AS", "patient_age"),
    0x0020000D: Held(Level.STUDY, "UI", "study_instance_uid"),
    0x00200010: Held(Level.STUDY, "SH", "study_id"),
    0x00201206: Held(Level.STUDY, "IS", "number_of_series"),
    0x00201208: Held(Level.STUDY, "IS", "number_of_instances"),
    0x00080021: Held(Level.SERIES, "DA", "date"),
    0x00080031: Held(Level.SERIES, "TM", "time"),
    0x00080060: Held(Level.SERIES, "CS", "modality"),
    0x00080070: Held(Level.SERIES, "LO", "manufacturer"),
    0x00081010: Held(Level.SERIES, "SH", "station_name"),
    0x0008103E: Held(Level.SERIES, "LO", "description"),
    0x00180015: Held(Level.SERIES, "CS", "body_part_examined"),
    0x00181030: Held(Level.SERIES, "LO", "protocol_name"),
    0x0020000E: Held(Level.SERIES, "UI", "series_instance_uid"),
    0x00200011: Held(Level.SERIES, "IS", "number"),
    0x00200060: Held(Level.SERIES, "CS", "laterality"),
    0x00201209: Held(Level.SERIES, "IS", "number_of_instances"),
    0x00400244: Held(Level.SERIES, "DA", "performed_date"),
    0x00400245: Held(Level.SERIES, "TM", "performed_time"),
    0x00080016: Held(Level.INSTANCE, "UI", "sop_class_uid"),
    0x00080018: Held(Level.INSTANCE, "UI", "sop_instance_uid"),
    0x00083002: Held(Level.INSTANCE, "UI", "transfer_syntax_uid"),
    0x00200013: Held(Level.INSTANCE, "IS", "instance_number"),
    0x00280008: Held(Level.INSTANCE, "IS", "number_of_frames"),
    0x00280010: Held(Level.INSTANCE, "US", "rows"),
    0x00280011: Held(Level.INSTANCE, "US", "columns"),
}
"""What is held in columns, and so can be matched."""
SEQUENCES: dict[int, Sequenced] = {
    0x00400275: Sequenced(
        Level.SERIES,
        SeriesRequest,
        "series",
        "requests",
        {
            0x00080050: ("SH", "accession_number"),
            0x00400009: ("SH", "scheduled_procedure_step_id"),
            0x00401001: ("SH", "requested_procedure_id"),
        },
    ),
}
"""Sequences whose items are held."""
