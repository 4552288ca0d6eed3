"""The view of a projection comes from View Position, else from the code of the view."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from tests.viewer.dicom.making import image_dataset, sources_of
from viewer.dicom.read import read_instance

TERMS = {
    "CC": codes.CID4014.CranioCaudal,
    "MLO": codes.CID4014.MedioLateralObliqueProjection,
    "XCCL": codes.CID4014.CranioCaudalExaggeratedLaterally,
    "PA": codes.CID4010.PosteroAnterior,
    "LL": codes.CID4010.LeftLateral,
}


def coded(value: str, scheme: str = "SCT") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, "a view"
    return item


def view(folder: Path, **attributes: object) -> str | None:
    path = folder / "image.dcm"
    image_dataset(**attributes).save_as(path, enforce_file_format=True)
    return sources_of(path, read_instance(path))[0].labels().get("view_position")


@pytest.mark.parametrize("position", TERMS)
def test_a_code_means_what_the_dictionary_says(tmp_path: Path, position: str) -> None:
    assert view(tmp_path, ViewCodeSequence=[coded(TERMS[position].value)]) == position


def test_older_codes_mean_the_same(tmp_path: Path) -> None:
    assert view(tmp_path, ViewCodeSequence=[coded("R-10226", "SNM3")]) == "MLO"


def test_what_the_file_says_in_letters_comes_first(tmp_path: Path) -> None:
    assert view(tmp_path, ViewPosition="CC", ViewCodeSequence=[coded("399368009")]) == "CC"


def test_an_unknown_code_or_none_says_nothing(tmp_path: Path) -> None:
    assert view(tmp_path, ViewCodeSequence=[coded("1")]) is None
    assert view(tmp_path, ViewCodeSequence=[]) is None
    assert view(tmp_path) is None
