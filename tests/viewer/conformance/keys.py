"""What can be asked for, and what is asked of others."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydicom.datadict import dictionary_keyword, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset

from tests.viewer.conformance.markdown import Row, name_of, table, tag_of
from viewer.archive import matching
from viewer.archive.matching import ATTRIBUTES
from viewer.dicomweb import qido_answers, qido_query
from viewer.dimse import comparing, fetching, holdings, identifiers, performed, remote, worklist
from viewer.scheduling import ScheduledStep

MATCHING = {
    "DA": "single value, list, range",
    "TM": "single value (the stretch its digits leave open), list, range",
    "IS": "single value, list",
    "US": "single value, list",
    "AS": "single value, list",
    "UI": "single value, list of UIDs",
    "PN": "single value, list, wild card; case and accents do not count",
}


def matching_of(vr: str, kinds: Iterable[str]) -> str:
    return MATCHING[vr] if vr in kinds or vr in ("PN", "UI") else "single value, list, wild card"


def query_keys() -> str:
    rows = []
    for tag, held in sorted(ATTRIBUTES.items(), key=lambda one: (matching.ORDER.index(one[1].level), one[0])):
        unique = tag in {tag_for_keyword(key) for key in identifiers.UNIQUE.values()}
        rows.append(
            [
                *(tag_of(tag), keyword_for_tag(tag), held.vr, held.level, "unique" if unique else "optional"),
                matching_of(held.vr, matching.KINDS),
            ]
        )
    for sequence, items in matching.SEQUENCES.items():
        rows += [
            [
                *(tag_of(tag), f"{keyword_for_tag(sequence)} > {keyword_for_tag(tag)}", vr, items.level, "optional"),
                matching_of(vr, matching.KINDS),
            ]
            for tag, (vr, _) in items.columns.items()
        ]
    return table("tag | attribute | VR | level | key | matching, beside universal", rows)


def counted_keys() -> str:
    rows = [
        (tag_of(tag), keyword_for_tag(tag), level.value)
        for level, _, columns in holdings.COUNTS
        for tag in columns
        if tag not in ATTRIBUTES or not ATTRIBUTES[tag].column
    ]
    return table("tag | attribute | from this level down", rows)


def qido_returned() -> str:
    rows = []
    for level, tags in qido_answers.REQUIRED.items():
        names = [keyword_for_tag(tag) for tag in sorted(set(tags) - qido_answers.OF_FILES)]
        rows.append((level.value, ", ".join(names)))
    return table("level | told without being asked for, where known", rows)


def qido_parameters() -> str:
    meaning = {
        "limit": f"results at most: {qido_query.PAGE} of the whole archive where nothing is said, {qido_query.MOST:,} at most",
        "offset": "results to pass over",
        "after": "where the page of a Link header begins; stays right while studies arrive",
        "fuzzymatching": "names by the beginnings of their words",
        "organization": "narrows to one organization, by its name",
        "accept": "as the Accept header, before it (PS3.18 8.3.3.1)",
        "charset": "passed over: everything is UTF-8",
    }
    rows: list[Row] = [("includefield", "keywords or tags, or `all`; what only files say is read from the file")]
    rows += [(name, meaning[name]) for name in (*sorted(qido_query.PLAIN), *sorted(qido_query.OURS))]
    return table("parameter | meaning", rows)


def _example() -> Dataset:
    texts = dict.fromkeys(ScheduledStep.__dataclass_fields__, "X")
    step = ScheduledStep(**{**texts, "procedure_code": ("X", "L", "X"), "starts_at": datetime(2026, 1, 1, tzinfo=UTC)})  # type: ignore[arg-type]
    return worklist.described(step, "STATION", ZoneInfo("UTC"))


def _flat(dataset: Dataset, above: str = "") -> list[tuple[str, str, str, str]]:
    rows = []
    for element in dataset:
        path = f"{above}{element.keyword}"
        if element.VR == "SQ":
            rows += _flat(element.value[0], f"{path} > ")
        else:
            rows.append((tag_of(int(element.tag)), path, element.VR, matching_of(element.VR, comparing.KINDS)))
    return rows


def worklist_keys() -> str:
    return table("tag | attribute | VR | matching, beside universal", _flat(_example()))


def performed_attributes() -> str:
    tags = sorted(tag for name in performed.LATER_TOO if (tag := tag_for_keyword(name)))
    return table("tag | attribute | VR", [(tag_of(tag), dictionary_keyword(tag), dictionary_VR(tag)) for tag in tags])


def asked_of_others() -> str:
    rows = [
        (tag_of(tag_for_keyword(name) or 0), name, "matched and returned" if name in remote.MATCHED else "returned")
        for name in remote.STUDY_KEYS
    ]
    return table("tag | attribute | used", rows)


def fetched_contexts() -> str:
    rows: list[Row] = [
        ("native", ", ".join(map(name_of, fetching.NATIVE)), "one context for each SOP class"),
        (
            "compressed",
            ", ".join(map(name_of, fetching.SYNTAXES)),
            "one for each class and syntax, while there is room",
        ),
    ]
    return table("objects | transfer syntaxes | presentation contexts", rows)
