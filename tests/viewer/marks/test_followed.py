"""Measurements carried on from earlier studies: what has changed since, in the unit and in percent."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from accounts.models import Organization
from tests.viewer.archive.objects import save
from tests.viewer.marks.drawing import (
    CROSS,
    DOOR,
    LINE,
    asked,
    image,
    in_prior,
    listed,
    made,
    posted,
)
from tests.viewer.marks.drawing import prior as prior
from tests.viewer.marks.drawing import stack as stack
from viewer.archive.ingest import ingest_file
from viewer.marks.measurements import change_since
from viewer.models import Measurement


def test_the_change_since_an_earlier_study_is_said_in_millimetres_and_percent(prior: str, alice: Client) -> None:
    before = in_prior(alice, prior, "bidirectional", CROSS)
    assert (before["values"]["long"]["value"], before["values"]["short"]["value"]) == (4, 2)
    grown = [[10, 20, 5], [15, 20, 5], [12, 20, 5], [12, 22, 5]]
    mark = made(alice, "bidirectional", grown, follows=before["uid"])
    assert (mark["previous"]["study_instance_uid"], mark["previous"]["date"]) == ("1.1", "20230131")
    assert mark["previous"]["values"] == before["values"]
    assert mark["previous"]["change"] == {
        "long": {"absolute": pytest.approx(1), "percent": pytest.approx(25), "unit": "mm"},
        "short": {"absolute": pytest.approx(0), "percent": pytest.approx(0), "unit": "mm"},
        "product": {"absolute": pytest.approx(2), "percent": pytest.approx(25), "unit": "mm²"},
    }
    assert listed(alice) == [mark]


def test_numbers_in_other_units_are_not_compared() -> None:
    now = {"length": {"value": 5.0, "unit": "mm"}, "mean": {"value": 3.0, "unit": "HU"}}
    before = {"length": {"value": 50.0, "unit": "px"}, "mean": {"value": 0.0, "unit": "HU"}}
    assert change_since(now, before) == {"mean": {"absolute": 3.0, "percent": None, "unit": "HU"}}
    cooler = change_since({"mean": {"value": -60.0, "unit": "HU"}}, {"mean": {"value": -40.0, "unit": "HU"}})
    assert cooler["mean"] == {"absolute": -20.0, "percent": -50.0, "unit": "HU"}


@pytest.mark.parametrize("former", [5e-324, 1e-300, -1e-12])
def test_a_change_from_next_to_nothing_has_no_percent(former: float) -> None:
    found = change_since({"mean": {"value": 30.0, "unit": "HU"}}, {"mean": {"value": former, "unit": "HU"}})
    assert found == {"mean": {"absolute": pytest.approx(30), "percent": None, "unit": "HU"}}


def test_a_change_from_next_to_nothing_is_told(prior: str, alice: Client) -> None:
    """JSON has no infinity: the list of all measurements must not fail for one of them."""
    before = in_prior(alice, prior, "probe", LINE[:1])
    mark = made(alice, "probe", LINE[:1], follows=before["uid"])
    row = Measurement.objects.get(uid=before["uid"])
    row.values["value"]["value"] = 5e-324
    row.save()
    (listed_one,) = listed(alice)
    assert (listed_one["uid"], listed_one["previous"]["change"]["value"]["percent"]) == (mark["uid"], None)


def test_the_measurements_of_earlier_studies_are_offered_to_be_carried_on(prior: str, alice: Client) -> None:
    before = in_prior(alice, prior, "length", LINE, label="Nodule")
    made(alice, "length", LINE)
    answer = alice.get(f"{DOOR}?with_priors=1").json()
    (offered,) = answer["priors"]
    assert (offered["study_instance_uid"], offered["date"], offered["measurements"]) == ("1.1", "20230131", [before])
    assert "priors" not in alice.get(DOOR).json()
    assert alice.get(f"{prior}?with_priors=1").json()["priors"] == []  # a later study is no prior


def test_nothing_of_another_patient_or_kind_is_carried_on(
    prior: str, alice: Client, hospital: Organization, tmp_path: Path
) -> None:
    before = in_prior(alice, prior, "length", LINE)
    assert posted(alice, asked("probe", LINE[:1], follows=before["uid"])).status_code == 400
    stranger = image(
        SOPInstanceUID="1.7.1.1",
        SeriesInstanceUID="1.7.1",
        StudyInstanceUID="1.7",
        PatientID="P2",
        StudyDate="20220101",
    )
    ingest_file(save(stranger, tmp_path / "stranger.dcm"), hospital, "ingest", "")
    body = asked("length", LINE, series="1.7.1", view={"sop_instance_uid": "1.7.1.1"})
    other = posted(alice, body, "/api/studies/1.7/measurements/").json()
    assert posted(alice, asked("length", LINE, follows=other["uid"])).status_code == 400
    offered = alice.get(f"{DOOR}?with_priors=1").json()["priors"]
    assert [study["study_instance_uid"] for study in offered] == ["1.1"]


def test_a_colleague_from_elsewhere_sees_no_earlier_study_that_is_not_theirs(
    prior: str, alice: Client, elsewhere: Organization, charlie: Client, tmp_path: Path
) -> None:
    before = in_prior(alice, prior, "length", LINE)
    ingest_file(save(image(1), tmp_path / "same.dcm"), elsewhere, "ingest", "")
    assert charlie.get(f"{DOOR}?with_priors=1").json()["priors"] == []
    assert posted(charlie, asked("length", LINE, follows=before["uid"])).status_code == 400
