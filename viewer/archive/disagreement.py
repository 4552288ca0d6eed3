"""When files of one study, or of one patient, disagree about the person: the first one wins, and the study says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from viewer.dicom.read import ParsedInstance
from viewer.models import Study

MOST_WARNINGS = 50


def fill(row: Any, said: Any, columns: Iterable[str]) -> bool:
    """Fill columns of `row` that are empty from `said`; returns whether any was."""
    filled = False
    for column in columns:
        if not getattr(row, column) and getattr(said, column):
            setattr(row, column, getattr(said, column))
            filled = True
    return filled


def between(study: Study, parsed: ParsedInstance) -> list[str]:
    """What an object says otherwise than the study and its patient do, in sentences."""
    checks = (
        ("accession number", study.accession_number, parsed.study.accession_number, str.__eq__),
        ("study date", study.date, parsed.study.date, str.__eq__),
    )
    return [
        f'An image of this study gives another {what}: "{theirs}" instead of "{ours}".'
        for what, ours, theirs in [*about_person(study.patient, parsed.patient), *_differing(checks)]
    ]


def about_person(person: Any, said: Any) -> list[tuple[str, str, str]]:
    """(what, as `person` has it, as `said` has it) where both say something and not the same. Both have the columns of a
    patient."""
    return _differing(
        (
            ("Patient ID", _identity(person), _identity(said), _same_identity),
            ("patient's name", person.name, said.name, same_name),
            ("birth date", person.birth_date, said.birth_date, str.__eq__),
            ("sex", person.sex, said.sex, str.__eq__),
        )
    )


def _differing(checks: Iterable[tuple[str, str, str, Callable[[str, str], bool]]]) -> list[tuple[str, str, str]]:
    return [(what, ours, theirs) for what, ours, theirs, same in checks if ours and theirs and not same(ours, theirs)]


def note(study: Study, sentences: list[str]) -> None:
    """Add warnings that the study does not carry yet. Saving is the caller's."""
    new = [sentence for sentence in sentences if sentence not in study.warnings]
    study.warnings = [*study.warnings, *new][:MOST_WARNINGS]


def after_correction(sentences: list[str], before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The warnings of a study after a correction (`before` and `after` by DICOM keyword): those that it settles are gone,
    others name the new value."""
    kept = []
    for sentence in sentences:
        match = _SENTENCE.fullmatch(sentence)
        said = _SAID.get(match[1]) if match else None
        if match and said:
            ours, settled = said(after), same_name if match[1] == "patient's name" else str.__eq__
            if settled(match[2], ours) or not ours:
                continue
            if said(before) != ours:
                sentence = f'An image of this study gives another {match[1]}: "{match[2]}" instead of "{ours}".'
        elif sentence.startswith(HOSPITAL) and any(before.get(one) != after.get(one) for one in _PERSONAL):
            continue
        kept.append(sentence)
    return kept


HOSPITAL = "The hospital's system gives another"
"""How a warning begins that a message, not an image, has brought about."""
_PERSONAL = ("PatientName", "PatientBirthDate", "PatientSex")
_SENTENCE = re.compile(r'An image of this study gives another ([^:"]+): "(.*)" instead of ".*"\.')
_SAID: dict[str, Callable[[Mapping[str, str]], str]] = {
    "Patient ID": lambda said: _written(said["PatientID"], said["IssuerOfPatientID"]),
    "patient's name": lambda said: said["PatientName"],
    "birth date": lambda said: said["PatientBirthDate"],
    "sex": lambda said: said["PatientSex"],
    "accession number": lambda said: said["AccessionNumber"],
    "study date": lambda said: said["StudyDate"],
}


def same_name(one: str, other: str) -> bool:
    """Do two Person Names (PS3.5 6.2.1.2) agree, group by group, in those groups that both have? Case, padding and empty
    trailing components do not count."""
    pairs = zip(one.split("="), other.split("="), strict=False)
    return all(_bare(a) == _bare(b) for a, b in pairs if _bare(a) and _bare(b))


def _bare(group: str) -> list[str]:
    parts = [" ".join(part.split()).casefold() for part in group.split("^")]
    while parts and not parts[-1]:
        parts.pop()
    return parts


def _identity(person: Any) -> str:
    return _written(person.patient_id, person.issuer_of_patient_id)


def _written(patient_id: str, issuer: str) -> str:
    return f"{patient_id} ({issuer})" if issuer else patient_id


def _same_identity(one: str, other: str) -> bool:
    """Within one study, an ID with its issuer left out is the same ID."""
    return one == other or one.startswith(f"{other} (") or other.startswith(f"{one} (")
