"""Which template a report begins with, and why this one.

In this order: what the reader chose for themselves, the organization's and then everybody's choice for the procedure
code, for modality and part of the body, for the modality; free text where nothing suits. Of two alike the
organization's own wins, then the narrower one (words of the description, sex, age).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q

from accounts.models import User
from reporting.models import Order, Template, TemplateChoice, TemplateVersion
from reporting.seeds import FREE_TEXT
from viewer.dicom.modalities import examining
from viewer.hanging.words import any_found, folded, regions_in
from viewer.models import Study


@dataclass(frozen=True, slots=True)
class Suited:
    """One template that may be taken, and what speaks for it; nothing for one that merely is there."""

    template_version: TemplateVersion
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen version, why in words, and what else may be taken, the best first."""

    template_version: TemplateVersion
    why: str
    others: tuple[Suited, ...] = ()


@dataclass(frozen=True, slots=True)
class Examination:
    """What is known of an examination that choices ask for."""

    procedure_code: str = ""
    modalities: frozenset[str] = frozenset()
    said: frozenset[str] = frozenset()
    """Parts of the body by the order and by Body Part Examined."""
    regions: frozenset[str] = frozenset()
    """And by the words of descriptions."""
    words: str = ""
    sex: str = ""
    age: int | None = None
    body_parts: frozenset[str] = field(default_factory=frozenset)
    """Body parts as they are written."""


def choose(user: User, study: Study, order: Order | None) -> Choice:
    """The template of a new report. There always is one: free text."""
    found = ranked(user, study, order)
    return Choice(found[0].template_version, found[0].why, tuple(found[1:]))


def ranked(user: User, study: Study, order: Order | None) -> list[Suited]:
    """Every template in use for this study's organization: those that are set for such an examination, the best first,
    then free text, then the others by title."""
    examination = examination_of(study, order)
    offered = Template.objects.filter(Q(organization=study.organization_id) | Q(organization=None))
    in_use = {one.pk: one for one in offered.exclude(active_version=None).select_related("active_version")}
    found: dict[int, str] = {}
    for _, choice, why in _matching(user, study, examination):
        if choice.template_id in in_use:
            found.setdefault(choice.template_id, why)
    always = next(pk for pk, one in in_use.items() if one.organization_id is None and one.identifier == FREE_TEXT)
    found.setdefault(always, "" if found else "No template is set for this examination.")
    rest = sorted(
        (one for pk, one in in_use.items() if pk not in found), key=lambda one: (one.title.casefold(), one.pk)
    )
    return [Suited(_active(in_use[pk]), why) for pk, why in found.items()] + [Suited(_active(one), "") for one in rest]


def _active(template: Template) -> TemplateVersion:
    version = template.active_version
    if version is None:
        raise ValueError("this template is not in use")
    version.template = template
    return version


# --- the examination


def examination_of(study: Study, order: Order | None) -> Examination:
    series = list(study.series.values_list("modality", "body_part_examined", "description", "protocol_name"))
    modalities = (
        {one for one, *_ in series} | set(study.modalities.split("\\")) | ({order.modality} if order else set())
    )
    parts = {one for _, one, *_ in series} | ({order.body_part} if order else set())
    described = [study.description, *([order.procedure_text] if order else [])]
    said = frozenset().union(*(regions_in(part.replace("_", " ")) for part in parts))
    texts = [*described, *(text for *_, description, protocol in series[:50] for text in (description, protocol))]
    if order and order.procedure_text:
        said |= regions_in(order.procedure_text)
    stated = study.stated_patient
    return Examination(
        procedure_code=order.procedure_code.strip() if order else "",
        modalities=_examined_by(modalities, order.modality if order else ""),
        said=said,
        regions=said | frozenset().union(*(regions_in(text) for text in described)),
        words=" ".join(texts),
        sex=(order.patient_sex if order and order.patient_sex else stated["sex"]).strip().upper()[:1],
        age=age_of(study.patient_age, stated["birth_date"], study.date),
        body_parts=frozenset(folded(part) for part in parts) - {""},
    )


def _examined_by(modalities: set[str], ordered: str) -> frozenset[str]:
    """Modalities that the examination is one of: the CT of a PET/CT is not read as a CT unless one was ordered."""
    found = examining(modalities)
    return frozenset(found - {"CT", "MR"} | ({ordered} & found) if found & {"PT", "NM"} else found)


def age_of(age: str, birth_date: str, study_date: str) -> int | None:
    """Whole years at the time of the study: Patient's Age (PS3.5 AS), else by the dates."""
    if len(age) == 4 and age[:3].isdigit() and age[3] in "YMWD":
        return int(age[:3]) // {"Y": 1, "M": 12, "W": 52, "D": 365}[age[3]]
    if not all(len(one) == 8 and one.isascii() and one.isdigit() for one in (birth_date, study_date)):
        return None
    years = int(study_date[:4]) - int(birth_date[:4]) - (study_date[4:] < birth_date[4:])
    return years if 0 <= years < 150 else None


# --- what is set for it


def _matching(user: User, study: Study, about: Examination) -> list[tuple[tuple[int, ...], TemplateChoice, str]]:
    """Choices that suit, the best first, each with why."""
    theirs = Q(reader=user) | Q(reader=None)
    of_organization = Q(organization=study.organization_id) | Q(organization=None)
    rows = (
        TemplateChoice.objects.filter(theirs, of_organization).select_related("organization", "template").order_by("pk")
    )
    suited = [(rank(row, about), row, _why(row, study)) for row in rows if suits(row, about)]
    return sorted(suited, key=lambda one: one[0], reverse=True)


def suits(row: TemplateChoice, about: Examination) -> bool:
    """Does everything that a choice asks for hold?"""
    return (
        (not row.procedure_code or row.procedure_code.strip().casefold() == about.procedure_code.casefold())
        and (not row.modality or row.modality.strip().upper() in about.modalities)
        and (not row.body_part or _is_of(row.body_part, about))
        and (not row.words or any_found(_patterns(row.words), about.words))
        and (not row.sex or row.sex.upper() == about.sex)
        and _is_of_age(row, about.age)
    )


def _patterns(words: str) -> list[str]:
    return [one.strip() for one in words.split(",") if one.strip()]


def _is_of(body_part: str, about: Examination) -> bool:
    named = _regions(body_part)
    return named <= about.regions if named else folded(body_part) in about.body_parts


def _regions(body_part: str) -> frozenset[str]:
    """Parts of the body that a choice names: all of them are asked for."""
    return regions_in(body_part.replace("_", " "))


def _is_of_age(row: TemplateChoice, age: int | None) -> bool:
    if row.age_from is None and row.age_to is None:
        return True
    return age is not None and (row.age_from or 0) <= age and (row.age_to is None or age <= row.age_to)


def rank(row: TemplateChoice, about: Examination) -> tuple[int, ...]:
    """Higher is better: the reader's own, procedure code, modality and part of the body, modality; then what is
    narrower."""
    said = bool(row.body_part) and _regions(row.body_part) <= about.said
    narrow = bool(row.words) + bool(row.sex) + (row.age_from is not None or row.age_to is not None)
    return (
        row.reader_id is not None,
        bool(row.procedure_code),
        bool(row.modality) + bool(row.body_part or row.words),
        row.organization_id is not None,
        narrow,
        said,
        -row.pk,
    )


def _why(row: TemplateChoice, study: Study) -> str:
    what = in_words(row)
    if row.reader_id is not None:
        return f"Your default for {what}." if what else "Your default."
    where = f" at {study.organization}" if row.organization_id is not None else ""
    return f"Set for {what}{where}." if what else f"Set for every examination{where}."


def in_words(row: TemplateChoice) -> str:
    """What a choice asks for; empty: nothing."""
    return " ".join(filter(None, _asked(row)))


def _asked(row: TemplateChoice) -> Iterable[str]:
    yield f"procedure {row.procedure_code}" if row.procedure_code else ""
    yield row.modality.upper()
    yield (
        f"of the {row.body_part.lower().replace('_', ' ')}" if row.modality and row.body_part else row.body_part.lower()
    )
    yield f"described as {row.words.replace('*', '…')}" if row.words else ""
    sexes = {"F": "women", "M": "men"}
    yield f"in {sexes.get(row.sex.upper(), row.sex)}" if row.sex else ""
    if row.age_from is not None and row.age_to is not None:
        yield f"aged {row.age_from} to {row.age_to}"
    elif row.age_from is not None:
        yield f"aged {row.age_from} and older"
    elif row.age_to is not None:
        yield f"aged {row.age_to} and younger"
