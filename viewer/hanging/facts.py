"""What a study holds, as protocols ask for it. Made of the JSON that `/api/studies/{uid}/` answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from . import words

Json = Mapping[str, Any]

ONE_BY_ONE = frozenset({"CR", "DX", "MG", "PX", "IO", "RG", "US", "XC", "ES", "OP", "SM", "GM"})
"""Modalities whose single images are looked at one by one, each in a viewport of its own."""
DRAWN_ON = frozenset({"SEG", "RTDOSE", "RTSTRUCT", "REG", "PR", "KO", "SR", "OT", "SC"})
"""What comes after the images it was made of."""


@dataclass(frozen=True)
class Candidate:
    """What can hang in a viewport: a stack, or one image of a stack whose images are looked at one by one."""

    study: str
    series: str
    stack: int
    modality: str = ""
    description: str = ""
    protocol_name: str = ""
    label: str = ""
    number: int | None = None
    body_part: str = ""
    kind: str = "spatial"
    frames: int = 1
    rows: int = 0
    columns: int = 0
    sop_instance_uid: str = ""
    """Of the one image; empty: the whole stack."""
    plane: str = ""
    """"axial", "coronal", "sagittal": the nearest; empty where the images have no place in the patient."""
    volume: bool = False
    view_position: str = ""
    laterality: str = ""
    patient_orientation: str = ""
    contrast: bool = False
    image_type: str = ""
    frame_of_reference_uid: str = ""
    thickness: float | None = None
    """mm from slice to slice."""

    @property
    def text(self) -> str:
        """The words by which it is described."""
        return f"{self.description} {self.protocol_name} {self.label}"

    @property
    def aside(self) -> bool:
        """A localizer, a screen save, something derived: hangs after all others."""
        kinds = words.folded(self.image_type).split()
        return bool({"localizer", "save", "screen"} & set(kinds)) or words.any_found(_ASIDE, self.text)

    @property
    def key(self) -> tuple[str, str, int, str]:
        return (self.study, self.series, self.stack, self.sop_instance_uid)


_ASIDE = ("scout*", "topogram*", "locali*", "surview", "dose report", "patient protocol", "screen save", "3 plane loc*")


@dataclass(frozen=True)
class StudyFacts:
    """A study as protocols see it."""

    study_instance_uid: str
    date: str = ""
    time: str = ""
    description: str = ""
    modalities: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    body_parts: tuple[str, ...] = ()
    """Body Part Examined of its series."""

    @cached_property
    def regions_said(self) -> frozenset[str]:
        """By Body Part Examined."""
        return frozenset().union(*(words.regions_in(part) for part in self.body_parts))

    @cached_property
    def regions(self) -> frozenset[str]:
        """By Body Part Examined and by the words of its description and of its series."""
        texts = [self.description, *(one.description for one in self.candidates)]
        return self.regions_said.union(*(words.regions_in(text) for text in texts))


def facts_of(study: Json) -> StudyFacts:
    """Facts of a study's JSON (with `series`)."""
    series = study.get("series", [])
    return StudyFacts(
        study_instance_uid=str(study.get("study_instance_uid", "")),
        date=str(study.get("date", "")),
        time=str(study.get("time", "")),
        description=str(study.get("description", "")),
        modalities=tuple(study.get("modalities", ())),
        candidates=tuple(one for row in series for one in _candidates(str(study["study_instance_uid"]), row)),
        body_parts=tuple(sorted({str(row.get("body_part_examined", "")) for row in series} - {""})),
    )


def _candidates(study: str, series: Json) -> list[Candidate]:
    found: list[Candidate] = []
    for stack in series.get("stacks", []):
        whole = Candidate(
            study=study,
            series=str(series["series_instance_uid"]),
            stack=int(stack["stack"]),
            modality=str(series.get("modality", "")),
            description=str(series.get("description", "")),
            protocol_name=str(series.get("protocol_name", "")),
            label=str(stack.get("label", "")),
            number=series.get("number"),
            body_part=str(series.get("body_part_examined", "")),
            kind=str(stack.get("kind", "")),
            frames=int(stack.get("frames", 1)),
            rows=int(stack.get("rows", 0)),
            columns=int(stack.get("columns", 0)),
            plane=str(stack.get("plane", "")),
            volume=bool(stack.get("volume", False)),
            view_position=str(stack.get("view_position", "")),
            laterality=str(stack.get("laterality", "") or series.get("laterality", "")),
            patient_orientation=str(stack.get("patient_orientation", "")),
            contrast=bool(stack.get("contrast", False)),
            image_type=str(stack.get("image_type", "")),
            frame_of_reference_uid=str(stack.get("frame_of_reference_uid", "")),
            thickness=stack.get("spacing_between_slices"),
        )
        images = stack.get("images", []) if whole.modality in ONE_BY_ONE else []
        found += [_one_image(whole, image) for image in images] or [whole]
    return found


def _one_image(whole: Candidate, image: Json) -> Candidate:
    named = {name: str(image.get(name, "")) for name in ("view_position", "patient_orientation", "image_type")}
    return Candidate(
        **{
            **{name: getattr(whole, name) for name in Candidate.__dataclass_fields__},
            **named,
            "laterality": str(image.get("laterality", "") or whole.laterality),
            "sop_instance_uid": str(image["sop_instance_uid"]),
            "rows": int(image.get("rows", whole.rows)),
            "columns": int(image.get("columns", whole.columns)),
            "frames": 1,
        }
    )
