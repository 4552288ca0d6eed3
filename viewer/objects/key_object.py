"""Key object selections (PS3.3 A.35.4, PS3.16 TID 2010): which pictures of a study readers marked, in one document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.uid import KeyObjectSelectionDocumentStorage

from . import codes
from .content import CONTAINS, CONTEXT, Code, coded, image, person, text
from .header import Reference, code, evidence, referenced_sop

SOP_CLASS = str(KeyObjectSelectionDocumentStorage)

TITLES: dict[str, Code] = {
    "of interest": ("113000", "DCM", "Of Interest"),
    "for referring provider": ("113002", "DCM", "For Referring Provider"),
}
"""Of CID 7010."""
DESCRIPTION: Code = ("113012", "DCM", "Key Object Description")


@dataclass(frozen=True, slots=True)
class Selected:
    """One picture: an image, one of its frames, and the state to show it with."""

    of: Reference
    frame_number: int | None = None
    """None: the object as a whole."""
    state: Reference | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    title: str
    """One of `TITLES`."""
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
    d.ConceptNameCodeSequence = [code(*TITLES[selection.title])]
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "2010"
    d.ContentTemplateSequence = [template]
    d.ContentSequence = [
        *(one for name in selection.observers for one in _observer(name)),
        *([text(CONTAINS, DESCRIPTION, selection.description)] if selection.description else []),
        *(_picture(one) for one in selection.selected),
    ]


def _observer(name: str) -> list[Dataset]:
    """TID 1002, 1003."""
    return [coded(CONTEXT, codes.OBSERVER_TYPE, codes.PERSON), person(CONTEXT, codes.PERSON_NAME, name)]


def _picture(selected: Selected) -> Dataset:
    d = image(CONTAINS, selected.of, selected.frame_number)
    if selected.state is not None:
        state = selected.state
        d.ReferencedSOPSequence[0].ReferencedSOPSequence = [referenced_sop(state.sop_instance_uid, state.sop_class_uid)]
    return d
