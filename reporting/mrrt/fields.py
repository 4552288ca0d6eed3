"""Sections and fields as they were found -> the schema: ids, labels, codes, conditions, each checked against all
others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reporting.mrrt import showing, words
from reporting.mrrt.controls import Draft
from reporting.mrrt.labels import told_apart
from reporting.mrrt.notes import Notes, quoted
from reporting.mrrt.schema import CODES, DEFAULT, ID, LABEL, Code, Condition, Field, Option, Section, goes_round
from reporting.mrrt.walking import SectionDraft

SECTION_PREFIX = "section-"
"""Before the id of a section in the HTML that is written here, for ids are one space there."""
Codes = Mapping[str, list[Code]]


@dataclass(slots=True)
class Assembled:
    sections: tuple[Section, ...]
    ids: dict[str, str] = field(default_factory=dict)
    """id as it is written -> field."""


def assemble(drafts: list[SectionDraft], coded: Codes, notes: Notes) -> Assembled:
    """The sections of a schema."""
    work = _Assembly(coded, notes)
    sections = [work.section(draft) for draft in drafts]
    work.conditions(drafts)
    made = tuple(replace(one, fields=tuple(work.fields[name] for name in names)) for one, names in sections)
    for name in coded:
        if name not in work.used:
            notes.dropped(None, f"the code for {quoted(name)}, which is no part of the template")
    return Assembled(made, work.by_raw)


class _Assembly:
    def __init__(self, coded: Codes, notes: Notes) -> None:
        self.coded, self.notes = coded, notes
        self.folded = {name.casefold(): name for name in coded}
        self.used: set[str] = set()
        self.section_ids: set[str] = set()
        self.fields: dict[str, Field] = {}
        self.by_raw: dict[str, str] = {}
        self.of_draft: dict[int, str] = {}

    def codes(self, raw: str) -> tuple[Code, ...]:
        name = raw if raw in self.coded else self.folded.get(raw.casefold(), "") if raw else ""
        if not name:
            return ()
        self.used.add(name)
        return tuple(self.coded[name][:CODES])

    # --- sections

    def section(self, draft: SectionDraft) -> tuple[Section, list[str]]:
        known = words.section_kind(draft.name, draft.english, draft.title)
        codes = self.codes(draft.raw_id)
        code = codes[0] if codes else None
        if len(codes) > 1:
            self.notes.dropped(draft.line, f"codes of the section {quoted(draft.title or draft.name)} beyond the first")
        if code is None and known and not self.notes.exact and not draft.implied:
            value, meaning, _ = words.SECTION_KINDS[known]
            code = Code(value, "LN", meaning)
            said = quoted(draft.title or draft.name)
            self.notes.repaired(draft.line, f"section {said} has no code; by its name it is {value} ({meaning})")
        title = draft.title or words.label(draft.name, 300)
        self.only_words(draft)
        names = self.of_section(draft, title)
        self.unused(draft)
        made = Section(self.section_id(draft, known), title, draft.level, draft.required, code)
        return made, names

    def section_id(self, draft: SectionDraft, known: str | None) -> str:
        raw = draft.raw_id.removeprefix(SECTION_PREFIX)
        wanted = raw if ID.fullmatch(raw) else words.identifier(raw)
        wanted = wanted or known or words.identifier(draft.name or draft.title) or "section"
        name = _free(wanted, self.section_ids)
        if raw and name != raw:
            self.notes.repaired(draft.line, f"the section {quoted(raw)} is called {name} here")
        self.section_ids.add(name)
        return name

    def only_words(self, draft: SectionDraft) -> None:
        """A section of words alone is a text to write on."""
        if draft.drafts or not draft.prose:
            return
        text = "\n".join(one.text for one in draft.prose)[:DEFAULT]
        made = Draft(None, "textarea", "", draft.line, default=words.without_chips(text))
        self.notes.repaired(
            draft.line, f"section {quoted(draft.title or draft.name)} holds text and no field: it can be edited"
        )
        made.chain = [draft.title or draft.name]
        draft.drafts.append(made)
        draft.prose.clear()

    def unused(self, draft: SectionDraft) -> None:
        for one in draft.prose:
            if not one.used:
                self.notes.dropped(one.line, f"the text {quoted(one.text)}, which belongs to no field")

    # --- fields

    def of_section(self, draft: SectionDraft, title: str) -> list[str]:
        chains = [[part for part in one.chain if part] for one in draft.drafts]
        if self.notes.exact:
            labels = ["".join(chain) for chain in chains]
        else:
            labels = []
            for one, (label, depth) in zip(draft.drafts, told_apart(self.named(draft, chains, title)), strict=True):
                labels.append(label)
                if one.heading is not None and depth == len(one.chain):
                    one.heading.used = True
        return [self.field(one, label) for one, label in zip(draft.drafts, labels, strict=True)]

    def named(self, draft: SectionDraft, chains: list[list[str]], title: str) -> list[list[str]]:
        """Chains without a word get the section's name where one field is alone or the one to write on; else what the
        file calls it."""
        nameless = [place for place, chain in enumerate(chains) if not chain]
        areas = [place for place in nameless if draft.drafts[place].type == "textarea"]
        titled = {*areas[:1], *(nameless if len(chains) == 1 else ())}
        spare = [title if place in titled else _human(one.raw_id) or title for place, one in enumerate(draft.drafts)]
        return [chain or [words.line(said, LABEL) or "Text"] for chain, said in zip(chains, spare, strict=True)]

    def field(self, draft: Draft, label: str) -> str:
        name = self.field_id(draft, label)
        options = tuple(Option(value, said, self.codes(raw)) for value, said, raw in draft.options)
        if draft.type in ("text", "textarea") and not any(option.codes for option in options):
            options = ()
        merge = self.merge(draft, label)
        kind = "text" if draft.type == "merge" and not merge else draft.type
        linked = [Code(draft.element_code, "RADELEMENT", label)] if draft.element_code else []
        self.fields[name] = Field(
            id=name,
            type=kind,
            label=label,
            default=draft.default,
            required=draft.required,
            completion=draft.completion,
            units=draft.units,
            minimum=draft.minimum,
            maximum=draft.maximum,
            step=draft.step,
            multiple=draft.multiple,
            options=options,
            suggestions=tuple(draft.suggestions),
            merge=merge,
            codes=(*self.codes(draft.raw_id), *linked)[:CODES],
            spoken=draft.spoken,
        )
        self.of_draft[id(draft)] = name
        if draft.raw_id:
            self.by_raw.setdefault(draft.raw_id, name)
        return self.with_options(draft, name)

    def with_options(self, draft: Draft, name: str) -> str:
        """A selection of which nothing is left to select is a line of text."""
        if self.fields[name].type == "selection" and not self.fields[name].options:
            self.notes.repaired(draft.line, f"field {draft.name} offers nothing to select; it is a line of text")
            self.fields[name] = replace(self.fields[name], type="text", default="", multiple=False)
        return name

    def field_id(self, draft: Draft, label: str) -> str:
        raw = draft.raw_id
        wanted = (
            raw if ID.fullmatch(raw) else words.identifier(raw) or words.identifier(label)[:40].strip("_") or "field"
        )
        name = _free(wanted, self.fields)
        if raw and name != wanted:
            self.notes.repaired(draft.line, f"there are two fields {quoted(raw)}; this one is called {name}")
        return name

    def merge(self, draft: Draft, label: str) -> str:
        if draft.merge or not (draft.merge_flag or draft.type == "merge"):
            return draft.merge
        meant = words.merge_meant(label, draft.raw_id)
        if meant:
            self.notes.repaired(draft.line, f"field {draft.name} is to be merged; by its name with {meant}")
        else:
            self.notes.dropped(
                draft.line, f"field {draft.name} is to be merged and does not say with what; it stays empty"
            )
        return meant

    # --- conditions

    def conditions(self, sections: Iterable[SectionDraft]) -> None:
        for draft in (one for section in sections for one in section.drafts):
            condition = self.condition(draft)
            if condition is None:
                continue
            name = self.of_draft[id(draft)]
            held = self.fields[name]
            self.fields[name] = replace(held, show_if=condition)
            if goes_round(name, self.fields):
                self.notes.dropped(draft.line, f"field {draft.name}: its condition leads back to the field itself")
                self.fields[name] = held

    def condition(self, draft: Draft) -> Condition | None:
        if draft.twin_of is not None:
            raw, value = draft.twin_of
            several = self.fields[self.by_raw[raw]].several if raw in self.by_raw else False
            return Condition(self.by_raw[raw], "contains" if several else "=", value) if raw in self.by_raw else None
        if not draft.condition.strip():
            return None
        found = showing.parsed(words.line(draft.condition, 2 * DEFAULT))
        if found is None or len(found.value) > 1000:
            self.notes.dropped(
                draft.line, f"field {draft.name}: the condition {quoted(draft.condition)} cannot be read"
            )
            return None
        target = found.field if found.field in self.fields else self.by_raw.get(found.field)
        if target is None:
            self.notes.dropped(
                draft.line, f"field {draft.name}: its condition asks for {quoted(found.field)}, which is not there"
            )
            return None
        return Condition(target, found.op, found.value)


def _free(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, or with a number where it is taken."""
    held, name, number = set(taken), wanted, 1
    while name in held:
        number += 1
        name = f"{wanted[:58]}_{number}"
    return name


def _human(raw: str) -> str:
    """A name from a program, for people."""
    return raw.replace("_", " ").replace("-", " ").strip().capitalize()[:80]
