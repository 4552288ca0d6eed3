"""Any template that can be: for properties that hold of all."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from reporting.mrrt.document import KEPT, STATUSES, Document, Term
from reporting.mrrt.schema import MERGE_NAMES, OPERATORS, Code, Condition, Field, Option, Schema, Section, problems
from reporting.mrrt.words import line, lines, without_chips

SIGNS = st.characters(exclude_categories=["Cs", "Cn", "Co"], exclude_characters="\ufeff")


def one_line(most: int, least: int = 0) -> st.SearchStrategy[str]:
    def clean(text: str) -> str:
        return without_chips(line(text, most))

    nasty = st.sampled_from(
        ['<b>"a"&amp;', "'</script>", "-->", "</textarea>", "]]>", "=", "-", "yes", "0", "{x}", "a: "]
    )
    return st.one_of(st.text(SIGNS, max_size=most), nasty).map(clean).filter(lambda text: len(text) >= least)


def labels() -> st.SearchStrategy[str]:
    return one_line(40)


def ids() -> st.SearchStrategy[str]:
    return st.text("abcxyz019_", min_size=1, max_size=8)


def codes() -> st.SearchStrategy[Code]:
    named = one_line(20, 1).filter(lambda text: "://" not in text)
    return st.builds(
        Code, value=named, scheme=st.sampled_from(["RADLEX", "LN", "SCT", "DCM", "99LOCAL"]), meaning=one_line(30, 1)
    )


def numbers() -> st.SearchStrategy[Any]:
    return st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9).map(lambda value: round(value, 6)))


@st.composite
def fields(draw: st.DrawFn, name: str, before: list[str]) -> Field:
    kind = draw(st.sampled_from(["text", "textarea", "number", "date", "time", "selection", "checkbox", "merge"]))
    offered = draw(st.lists(st.builds(Option, one_line(20, 1), one_line(20, 1), st.lists(codes(), max_size=2).map(tuple)),
                            min_size=1, max_size=4, unique_by=lambda option: option.value))  # fmt: skip
    offered = [Option(one.value, one.label, tuple(dict.fromkeys(one.codes))) for one in offered]
    given: dict[str, Any] = {"default": ""}
    if kind == "textarea":
        text = draw(st.text(SIGNS, max_size=60).map(lambda text: without_chips(lines(text, 60))))
        given["default"] = text if text.strip() else ""
    elif kind in ("text", "merge"):
        given["default"] = draw(one_line(40))
    elif kind == "number":
        low, high = sorted([draw(numbers()), draw(numbers())])
        given = {"default": draw(st.one_of(st.just(""), numbers())), "minimum": low, "maximum": high}
        given["step"] = draw(st.sampled_from([None, 1, 0.1, 5]))
    elif kind == "selection":
        several = draw(st.booleans())
        given = {"options": tuple(offered), "multiple": several}
        chosen = draw(st.sets(st.sampled_from([one.value for one in offered])))
        given["default"] = (
            tuple(one.value for one in offered if one.value in chosen) if several else next(iter(sorted(chosen)), "")
        )
    elif kind == "checkbox":
        given["default"] = draw(st.booleans())
    if kind in ("text", "textarea") and draw(st.booleans()):
        given["suggestions"] = tuple(one.value for one in offered)
    condition = None
    if before and draw(st.booleans()):
        op = draw(st.sampled_from(OPERATORS))
        value = "" if op in ("empty", "filled") else draw(one_line(20, 0 if op in ("=", "!=") else 1))
        condition = Condition(draw(st.sampled_from(before)), op, value)
    return Field(
        id=name,
        type=kind,
        label=draw(labels()),
        required=draw(st.booleans()),
        completion=draw(st.sampled_from(["NONE", "ALERT", "PROHIBIT"])),
        units=draw(st.sampled_from(["", "mm", "[hnsf'U]", "mg/L", "%"])),
        merge=draw(st.sampled_from([*([] if kind == "merge" else [""]), *MERGE_NAMES, "measurement:G-D705"])),
        show_if=condition,
        codes=tuple(dict.fromkeys(draw(st.lists(codes(), max_size=2)))),
        spoken=draw(one_line(20)),
        **given,
    )


@st.composite
def documents(draw: st.DrawFn) -> Document:
    names = draw(st.lists(ids(), min_size=1, max_size=6, unique=True))
    held = iter(names)
    sections, level, before = [], 0, []
    for section in draw(st.lists(ids(), min_size=1, max_size=4, unique=True)):
        level = draw(st.integers(1, level + 1))
        made = []
        for _ in range(draw(st.integers(0, 3))):
            name = next(held, None)
            if name is not None:
                made.append(draw(fields(name, before)))
                before = [*before, name]
        code = draw(st.one_of(st.none(), codes()))
        sections.append(Section(section, draw(labels()), level, draw(st.booleans()), code, tuple(made)))
    rest = next(held, None)
    if not before and rest is not None:
        sections[-1] = Section(
            sections[-1].id, sections[-1].title, sections[-1].level, False, None, (draw(fields(rest, [])),)
        )
    schema = Schema(draw(one_line(40, 1)), draw(st.sampled_from(["en", "de", "zh-Hans"])), tuple(sections))
    assert problems(schema) == []
    return Document(
        schema=schema,
        identifier=draw(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:+@~]{0,30}\Z")),
        metadata=tuple(draw(st.lists(st.tuples(st.sampled_from(KEPT), one_line(40, 1)), max_size=4))),
        status=draw(st.sampled_from(STATUSES)),
        top_level=draw(st.booleans()),
        terms=tuple(
            dict.fromkeys(
                draw(st.lists(st.builds(Term, st.sampled_from(["modality", "body part"]), codes()), max_size=3))
            )
        ),
    )
