"""A question that came by C-FIND and was understood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset


@dataclass(slots=True)
class Question:
    """Its answers, and what the record says of it."""

    answers: Iterator[Dataset]
    about: dict[str, Any] = field(default_factory=dict)
    patient_id: str = ""
    study_instance_uid: str = ""
