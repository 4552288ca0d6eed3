"""Key object selections (PS3.3 A.35.4, PS3.16 TID 2010): which pictures of a study readers marked, in one document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.uid import KeyObjectSelectionDocumentStorage

from . import codes
from .content import CONTAINS, CONTEXT, MODIFIES, Code, coded, image, person, text
from .header import Reference, code, evidence, referenced_sop

SOP_CLASS = str(KeyObjectSelectionDocumentStorage)

TITLES: dict[str, Code] = {
    "of interest": ("113000", "DCM", "Of Interest"),
    "for referring provider": ("113002", "DCM", "For Referring Provider"),
}
"""Of CID 7010."""
REJECTIONS: dict[str, Code] = {
    value: (value, "DCM", meaning)
    for value, meaning in (
        ("113001", "Rejected for Quality Reasons"),
        ("113037", "Rejected for Patient Safety Reasons"),
        ("113038", "Incorrect Modality Worklist Entry"),
        ("113039", "Data Retention Policy Expired"),
    )
}
"""Of CID 7010: what is selected is rejected (IHE RAD-66). By code value."""
MODIFIERS: dict[str, tuple[Code, Code]] = {
    "113001": (("113011", "DCM", "Document Title Modifier"), ("111220", "DCM", "Other failure")),
}
"""What a title has to say more (TID 2010; CID 7011)."""
DESCRIPTION: Code = ("113012", "DCM", "Key Object Description")


@dataclass(frozen=True, slots=True)
class Selected:
    """One picture: an image, one of its frames, and the state to show it with."""

    of: Reference
    frame_number: int | None = None
    """None: the object as a whole."""
    state: Reference | None = None
    is_image: bool = True


@dataclass(frozen=True, slots=True)
class Selection:
    title: str
    """One of `TITLES` or `REJECTIONS`."""
    observers: Sequence[str]
    """family^given"""
    selected: Sequence[Selected]
    description: str = ""


def write(d: Dataset, selection: Selection) -> None:
    """Add the modules of a key object selection to a data set of `header.new_object`. It selects one picture at least."""
    d.ReferencedPerformedProcedureStepSequence = []
    named = [one for picture in selection.selected for one in (picture.of, picture.state) if one is not None]
    d.CurrentRequestedProcedureEvidenceSequence = evidence(named)
    d.ValueType, d.ContinuityOfContent = "CONTAINER", "SEPARATE"
    d.ConceptNameCodeSequence = [code(*{**TITLES, **REJECTIONS}[selection.title])]
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "2010"
    d.ContentTemplateSequence = [template]
    modifier = MODIFIERS.get(selection.title)
    d.ContentSequence = [
        *([coded(MODIFIES, *modifier)] if modifier else []),
        *(one for name in selection.observers for one in _observer(name)),
        *([text(CONTAINS, DESCRIPTION, selection.description)] if selection.description else []),
        *(_picture(one) for one in selection.selected),
    ]


def _observer(name: str) -> list[Dataset]:
    """TID 1002, 1003."""
    return [coded(CONTEXT, codes.OBSERVER_TYPE, codes.PERSON), person(CONTEXT, codes.PERSON_NAME, name)]


def _picture(selected: Selected) -> Dataset:
    d = image(CONTAINS, selected.of, selected.frame_number)
    if not selected.is_image:
        d.ValueType = "COMPOSITE"
    if selected.state is not None:
        state = selected.state
        d.ReferencedSOPSequence[0].ReferencedSOPSequence = [referenced_sop(state.sop_instance_uid, state.sop_class_uid)]
    return d
