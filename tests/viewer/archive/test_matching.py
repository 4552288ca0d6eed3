"""Keys matched in the database, against a slow judge that was written from PS3.4 C.2.2.2 alone and knows no SQL."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from viewer.archive.matching import BadKey, Key, Level, narrowed
from viewer.dicom.text import fold
from viewer.models import Blob, Instance, Patient, Series, Study

pytestmark = pytest.mark.django_db

NAMES = (
    *(
        "Doe^Jane",
        "DOE^JOHN",
        "Müller^Jörg",
        "Muller^Jorg^A",
        "O'Neil^Zoë^^Dr",
        "Do%e^J_n",
        "",
        "Æble^Åse",
        "Straße^Eva",
    ),
    *("Yamada^Tarou=山田^太郎=やまだ^たろう", "Hong^Gildong=洪^吉洞=홍^길동", "=山田^花子", "van der Berg^Piet"),
)
DATES = ("", "19991231", "20240101", "20240131", "20240201")
TIMES = ("", "10", "1015", "101500", "101500.5", "101500.500000", "101530", "000000", "235959.999999")
TEXTS = ("", "A1", "a1", "A_1", "A%1", "A*1", "B12", "12B", "A\n1", "Ä1", "CHEST 1")
MODALITIES = ("CT", "MR", "CTX", "PT", "")


# --- the judge


def judged(vr: str, values: tuple[str, ...], held: str | int | None) -> bool:
    """Does an attribute that is held as `held` match a key (PS3.4 C.2.2.2)?"""
    given = [value for value in values if value]
    return not given or any(value.strip("*") == "" or JUDGES.get(vr, by_text)(value, held) for value in given)


def by_text(key: str, held: Any) -> bool:
    """C.2.2.2.1, C.2.2.2.4: character by character."""
    return (key == '""' and held == "") or (held != "" and wild(key, held))


def wild(key: str, held: str) -> bool:
    reach = {0}
    for sign in key:
        if sign == "*":
            reach = set(range(min(reach), len(held) + 1)) if reach else reach
        else:
            reach = {at + 1 for at in reach if at < len(held) and (sign == "?" or held[at] == sign)}
    return len(held) in reach


def by_name(key: str, held: str) -> bool:
    if key == '""':
        return bare(held) == ""
    wanted = [bare(group) for group in key.split("=")]
    while len(wanted) > 1 and not wanted[-1]:
        wanted.pop()
    groups = [bare(group) for group in held.split("=")]
    if len(wanted) == 1:
        return any(wild(wanted[0], group) for group in groups)
    groups += [""] * (len(wanted) - len(groups))
    return all(not group or wild(group, found) for group, found in zip(wanted, groups, strict=False))


def bare(group: str) -> str:
    """Without accents, case, and empty components at the end."""
    spread = unicodedata.normalize("NFKD", group)
    letters = "".join(c for c in spread if not unicodedata.combining(c) or c in "\u3099\u309a")
    return unicodedata.normalize("NFC", letters).casefold().rstrip("^ ")


def by_date(key: str, held: str) -> bool:
    first, dash, last = key.partition("-")
    if not dash:
        return held == key
    return held != "" and (not first or int(first) <= int(held)) and (not last or int(held) <= int(last))


def by_time(key: str, held: str) -> bool:
    first, dash, last = key.partition("-")
    last = last if dash else first
    if not held:
        return False
    moment = begins(held)
    return (not first or begins(first) <= moment) and (not last or moment < ends(last))


def begins(time: str) -> int:
    """Microseconds since midnight."""
    whole, _, rest = time.partition(".")
    hours, minutes, seconds = (int(whole[at : at + 2] or 0) for at in (0, 2, 4))
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + int((rest + "000000")[:6])


def ends(time: str) -> int:
    whole, _, rest = time.partition(".")
    stretch = {2: 3_600_000_000, 4: 60_000_000, 6: 1_000_000}[len(whole)] if not rest else 10 ** (6 - len(rest))
    return begins(time) + stretch


def by_number(key: str, held: int | None) -> bool:
    return held is None if key == '""' else held == int(key)


JUDGES: dict[str, Callable[[str, Any], bool]] = {
    "PN": by_name,
    "DA": by_date,
    "TM": by_time,
    "IS": by_number,
    "UI": lambda key, held: key == held,
}


# --- what is searched


@pytest.fixture(scope="module")
def archive(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Study]]:
    """A study for each of many combinations, each with one series of one instance."""
    with django_db_blocker.unblock():
        organization = Organization.objects.create(name="matching")
        blob = Blob.objects.create(sha256="0" * 64, size=1)
        made = [_study(organization, number, blob) for number in range(60)]
        yield made
        Instance.objects.filter(organization=organization).delete()
        Series.objects.filter(organization=organization).delete()
        Study.objects.filter(organization=organization).delete()
        Patient.objects.filter(organization=organization).delete()
        blob.delete()
        organization.delete()


def _study(organization: Organization, number: int, blob: Blob) -> Study:
    name = NAMES[number % len(NAMES)]
    registered = name if number % 3 else NAMES[(number + 5) % len(NAMES)]
    patient = Patient.objects.create(
        organization=organization,
        patient_id=f"{TEXTS[number % len(TEXTS)]}{number % 2}",
        only_study_uid=str(number),
        name=registered,
        name_folded=fold(registered),
    )
    study = Study.objects.create(
        organization=organization,
        patient=patient,
        study_instance_uid=f"1.2.{number}",
        accession_number=TEXTS[(number * 7) % len(TEXTS)],
        date=DATES[number % len(DATES)],
        time=TIMES[(number * 4) % len(TIMES)],
        patient_name="" if number % 4 == 1 else name,
        referring_physician=NAMES[(number * 5) % len(NAMES)],
    )
    series = Series.objects.create(
        organization=organization,
        study=study,
        series_instance_uid=f"1.2.{number}.1",
        modality=MODALITIES[number % len(MODALITIES)],
        number=None if number % 5 == 2 else number % 7 - 1,
    )
    Instance.objects.create(
        organization=organization,
        series=series,
        sop_instance_uid=f"1.2.{number}.1.1",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        blob=blob,
        index={},
    )
    return study


def found(level: Level, *keys: Key, **options: bool) -> set[str]:
    column = {Level.STUDY: "study_instance_uid", Level.SERIES: "series_instance_uid"}[level]
    return set(narrowed(level, keys, **options).filter(organization__name="matching").values_list(column, flat=True))


def stated_name(study: Study) -> str:
    return study.patient_name or study.patient.name


# --- keys as people and programs write them

texts = st.one_of(st.sampled_from(TEXTS), st.text("A1a*?_%B2[]\\.+Ä\n", max_size=5)).filter(
    lambda text: "\\" not in text
)
names = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(
        ("*", "doe*", "*jane", "MULLER^J?rg", "*^j*", "山*", "*=山田*", "=山田^*", "*=*", '""', "d?e^j*", "strasse*")
    ),
    st.builds(lambda name, at: name[:at] + "*", st.sampled_from(NAMES), st.integers(0, 12)),
    st.text("dojaneü^*?%_ ", max_size=6),
)
days = st.sampled_from([day for day in DATES if day])
dates = st.one_of(days, st.builds(lambda day: f"-{day}", days), st.builds(lambda day: f"{day}-", days)) | st.builds(
    lambda a, b: f"{a}-{b}", days, days
)
clocks = st.sampled_from(("10", "1015", "101500", "101500.5", "101530", "00", "2359", "235959.999999", "101500.500000"))
times = st.one_of(clocks, st.builds(lambda t: f"-{t}", clocks), st.builds(lambda t: f"{t}-", clocks)) | st.builds(
    lambda a, b: f"{a}-{b}", clocks, clocks
)
numbers = st.integers(-2, 8).map(str) | st.just('""')
uids = st.integers(0, 70).map(lambda number: f"1.2.{number}")
ASKED: dict[int, tuple[str, st.SearchStrategy[str], Callable[[Study], Any]]] = {
    0x00100010: ("PN", names, stated_name),
    0x00080090: ("PN", names, lambda study: study.referring_physician),
    0x00100020: ("LO", texts, lambda study: study.patient.patient_id),
    0x00080050: ("SH", texts, lambda study: study.accession_number),
    0x00080020: ("DA", dates, lambda study: study.date),
    0x00080030: ("TM", times, lambda study: study.time),
    0x0020000D: ("UI", uids, lambda study: study.study_instance_uid),
    0x00080061: ("CS", st.sampled_from((*MODALITIES[:-1], "C*", "?T", "*")), lambda study: study.series.get().modality),
    0x00200011: ("IS", numbers, lambda study: study.series.get().number),
}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_database_finds_what_the_standard_says(archive: list[Study], data: Any) -> None:
    tags = data.draw(st.lists(st.sampled_from(sorted(ASKED)), min_size=1, max_size=3, unique=True))
    keys = [Key(tag, tuple(data.draw(st.lists(ASKED[tag][1], min_size=1, max_size=2)))) for tag in tags]
    level = data.draw(st.sampled_from((Level.STUDY, Level.SERIES)))
    wanted = {
        study.study_instance_uid + (".1" if level is Level.SERIES else "")
        for study in archive
        if all(judged(ASKED[key.tag][0], key.values, ASKED[key.tag][2](study)) for key in keys)
    }
    assert found(level, *keys, combined=False) == wanted


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=days, last=days, begin=clocks, end=clocks, form=st.sampled_from(("{}-{}", "{}-", "-{}")))
def test_a_range_of_dates_with_one_of_times_is_one_stretch_of_time(
    archive: list[Study], first: str, last: str, begin: str, end: str, form: str
) -> None:
    last, end = (first, begin) if form != "{}-{}" else (last, end)
    day, time = form.format(first, last), form.format(begin, end)

    def within(study: Study) -> bool:
        if not study.date:
            return False
        known = begins(study.time) if study.time else None
        after = (study.date > first) or (study.date == first and known is not None and known >= begins(begin))
        before = (study.date < last) or (study.date == last and known is not None and known < ends(end))
        return (form == "-{}" or after) and (form == "{}-" or before)

    keys = (Key(0x00080020, (day,)), Key(0x00080030, (time,)))
    assert found(Level.STUDY, *keys) == {study.study_instance_uid for study in archive if within(study)}


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [("jane", {"Doe^Jane"}), ("do ja", {"Doe^Jane"}), ("jorg mul", {"Müller^Jörg", "Muller^Jorg^A"}), ("neil", set())],
)
def test_fuzzy_names_match_by_the_beginnings_of_words(archive: list[Study], typed: str, wanted: set[str]) -> None:
    uids = found(Level.STUDY, Key(0x00100010, (typed,)), fuzzy=True)
    assert {stated_name(study) for study in archive if study.study_instance_uid in uids} == wanted


@pytest.mark.parametrize(
    "key",
    [
        Key(0x00080020, ("2024-01-31",)),
        Key(0x00080020, ("20240132",)),
        Key(0x00080020, ("-",)),
        Key(0x00080020, ("*2024",)),
        Key(0x00080030, ("2500",)),
        Key(0x00080030, ("101",)),
        Key(0x0020000D, ("1.2.*",)),
        Key(0x00200011, ("one",)),
        Key(0x00100020, ("A" * 5000,)),
    ],
)
def test_a_value_that_its_attribute_cannot_have_is_refused(key: Key) -> None:
    with pytest.raises(BadKey, match=f"{key.tag:08X}"):
        narrowed(Level.STUDY, [key])


def test_keys_of_the_levels_below_are_met_by_one_and_the_same(archive: list[Study]) -> None:
    keys = (Key(0x0020000E, ("1.2.7.1",)), Key(0x00080018, ("1.2.7.1.1",)))
    assert found(Level.STUDY, *keys) == {"1.2.7"}
    assert found(Level.STUDY, Key(0x0020000E, ("1.2.7.1",)), Key(0x00080018, ("1.2.8.1.1",))) == set()


def test_what_is_rejected_whole_is_not_found(archive: list[Study]) -> None:
    uid = Key(0x0020000D, ("1.2.7",))
    mine = Instance.objects.filter(sop_instance_uid="1.2.7.1.1")
    mine.update(rejection="113001")
    try:
        assert found(Level.STUDY, uid) == found(Level.SERIES, uid) == set()
        assert not narrowed(Level.INSTANCE, [uid]).exists()
        assert not narrowed(Level.PATIENT, [uid]).exists()
    finally:
        mine.update(rejection="")
    assert found(Level.STUDY, uid) == {"1.2.7"}


def test_the_pattern_of_a_key_is_no_pattern_of_its_own(archive: list[Study]) -> None:
    uids = found(Level.STUDY, Key(0x00080050, ("A%?",)))
    assert {study.accession_number for study in archive if study.study_instance_uid in uids} == {"A%1"}
