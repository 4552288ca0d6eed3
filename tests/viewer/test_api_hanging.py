"""How a study hangs: with its priors, for whom, remembered; protocols saved from the screen and in the administration."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pydicom
import pytest
from django.core.management import call_command
from django.db import OperationalError, connections
from django.db.models import Model
from django.test import Client

from accounts.models import AuditEvent, Membership, Organization, Role, User
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.conftest import person, signed_in
from viewer import protocols
from viewer.archive.ingest import ingest_file
from viewer.hanging import seeds
from viewer.models import HangingProtocol, ReaderSettings
from viewer.protocols import seed

pytestmark = pytest.mark.usefixtures("store")

NOW = "/api/studies/1.2.3/"
HANGING = f"{NOW}hanging/"
PROTOCOLS = "/api/hanging-protocols/"
ADMIN_PAGE = "/admin/viewer/hangingprotocol/"


def take_in(folder: Path, organization: Organization, study: str, date: str, **changed: Any) -> None:
    """A study of three slices with its own accession number."""
    for number in range(3):
        image = ct_slice(
            f"{study}.1.{number}", study, f"{study}.1", StudyDate=date, InstanceNumber=number + 1,
            ImagePositionPatient=[0, 0, number], AccessionNumber=f"A-{date}", BodyPartExamined="CHEST",
            SeriesDescription="Axial", **changed,
        )  # fmt: skip
        told = ingest_file(save(image, folder / f"{study}.{number}.dcm"), organization, "ingest", "")
        assert told.outcome == "stored", told


@pytest.fixture
def chest(hospital: Organization, tmp_path: Path) -> Path:
    take_in(tmp_path, hospital, "1.2.3", "20260918")
    return tmp_path


@pytest.fixture
def boss(hospital: Organization) -> Client:
    """An administrator who also reads."""
    user = person("boss", hospital, Role.ADMIN)
    Membership.objects.create(user=user, organization=hospital, role=Role.RADIOLOGIST)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.refresh_from_db()
    return signed_in(user)


# --- priors


def priors(client: Client) -> tuple[list[str], list[str]]:
    study = client.get(NOW).json()
    return [row["study_instance_uid"] for row in study["priors"]], [
        said for row in study["not_priors"] for said in row["disagreements"]
    ]


def test_priors_are_found_across_accession_numbers_newest_first(
    chest: Path, hospital: Organization, alice: Client
) -> None:
    take_in(chest, hospital, "1.7", "20200101")
    take_in(chest, hospital, "1.8", "20250101")
    assert priors(alice) == (["1.8", "1.7"], [])
    assert alice.get(HANGING).json()["priors"] == ["1.8", "1.7"]


def test_a_later_study_is_listed_and_is_no_prior_to_compare_with(
    chest: Path, hospital: Organization, alice: Client
) -> None:
    take_in(chest, hospital, "1.9", "20270101")
    [row] = alice.get(NOW).json()["priors"]
    assert (row["study_instance_uid"], row["earlier"]) == ("1.9", False)
    assert alice.get(HANGING).json()["priors"] == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"PatientName": "Miller^Anne"}, "another patient's name: Miller Anne instead of Doe Jane"),
        ({"PatientBirthDate": "19710202"}, "another birth date: 19710202 instead of 19700101"),
        ({"PatientSex": "M"}, "another sex: M instead of F"),
    ],
)
def test_a_study_that_says_otherwise_about_the_person_is_a_warning_and_never_a_prior(
    chest: Path, hospital: Organization, alice: Client, changed: dict[str, str], said: str
) -> None:
    take_in(chest, hospital, "1.8", "20250101", **changed)
    assert priors(alice) == ([], [said])
    hanging = alice.get(HANGING).json()
    assert (hanging["priors"], hanging["studies"], hanging["counterparts"]) == ([], {}, [])
    assert "1.8" not in json.dumps(hanging)


def test_two_that_say_otherwise_alike_are_each_others_priors(
    chest: Path, hospital: Organization, alice: Client
) -> None:
    for uid, date in (("1.8", "20250101"), ("1.9", "20240101")):
        take_in(chest, hospital, uid, date, PatientName="Miller^Anne")
    study = alice.get("/api/studies/1.8/").json()
    assert [row["study_instance_uid"] for row in study["priors"]] == ["1.9"]
    assert [row["study_instance_uid"] for row in study["not_priors"]] == ["1.2.3"]
    assert study["not_priors"][0]["disagreements"] == ["another patient's name: Doe Jane instead of Miller Anne"]


def test_the_same_name_in_other_letters_is_the_same_person(chest: Path, hospital: Organization, alice: Client) -> None:
    take_in(chest, hospital, "1.8", "20250101", PatientName="DOE^JANE^^")
    assert priors(alice) == (["1.8"], [])


@pytest.mark.parametrize("changed", [{"PatientID": "P2"}, {"IssuerOfPatientID": "elsewhere"}, {"PatientID": ""}])
def test_another_identity_is_another_person(
    chest: Path, hospital: Organization, alice: Client, changed: dict[str, str]
) -> None:
    take_in(chest, hospital, "1.8", "20250101", **changed)
    assert priors(alice) == ([], [])


def test_priors_are_only_those_that_one_may_see(
    chest: Path, hospital: Organization, elsewhere: Organization, alice: Client, bob: Client, charlie: Client
) -> None:
    take_in(chest, elsewhere, "1.8", "20250101")
    assert priors(alice) == ([], []), "the same ID elsewhere is another person"
    Membership.objects.create(user=User.objects.get(username="alice"), organization=elsewhere, role=Role.RADIOLOGIST)
    assert priors(alice) == ([], []), "also for one who reads there"
    assert charlie.get("/api/studies/1.8/").json()["priors"] == []
    assert bob.get(NOW).status_code == charlie.get(NOW).status_code == 404


# --- how it hangs


def test_a_study_hangs_beside_its_prior(chest: Path, hospital: Organization, alice: Client) -> None:
    take_in(chest, hospital, "1.8", "20250101")
    take_in(chest, hospital, "1.7", "20200101")
    hanging = alice.get(HANGING).json()
    assert (hanging["protocol"]["name"], hanging["kind"]) == ("CT chest", "CT/chest")
    assert hanging["protocol"]["reason"] == "CT, chest by Body Part Examined"
    first = hanging["stages"][0]
    assert (first["name"], first["layout"]) == ("With prior", "1x2")
    assert [(one["role"], one["study_instance_uid"], one["series_instance_uid"]) for one in first["viewports"]] == [
        ("current", "1.2.3", "1.2.3.1"),
        ("prior", "1.8", "1.8.1"),
    ]
    assert set(hanging["studies"]) == {"1.8"}, "what is not shown is not sent"
    assert hanging["studies"]["1.8"]["series"][0]["series_instance_uid"] == "1.8.1"
    [pair] = hanging["counterparts"]
    assert (pair["series_instance_uid"], pair["prior"]["series_instance_uid"]) == ("1.2.3.1", "1.8.1")
    assert [one["name"] for one in hanging["others"]] == ["CT", "Default"]


def test_another_protocol_can_be_asked_for(chest: Path, alice: Client) -> None:
    other = next(one for one in alice.get(HANGING).json()["others"] if one["name"] == "Default")
    hanging = alice.get(f"{HANGING}?protocol={other['id']}").json()
    assert (hanging["protocol"]["name"], hanging["protocol"]["chosen"]) == ("Default", True)
    for wrong in ("x", "999999", "-1"):
        assert alice.get(f"{HANGING}?protocol={wrong}").status_code == 400


def test_a_readers_choice_for_this_kind_of_study_is_kept(chest: Path, alice: Client) -> None:
    other = alice.get(HANGING).json()["others"][0]
    user = User.objects.get(username="alice")
    ReaderSettings.objects.create(user=user, values={"hanging": {"CT/chest": other["id"], "MR/head": 1}})
    hanging = alice.get(HANGING).json()
    assert (hanging["protocol"]["id"], hanging["protocol"]["chosen"]) == (other["id"], True)
    for garbage in ({"hanging": []}, {"hanging": {"CT/chest": "x"}}, {"hanging": {"CT/chest": 10**6}}, {}):
        ReaderSettings.objects.filter(user=user).update(values=garbage)
        assert alice.get(HANGING).json()["protocol"]["name"] == "CT chest"


def test_how_it_hangs_is_as_if_it_did_not_exist_for_others(
    chest: Path, bob: Client, charlie: Client, client: Client
) -> None:
    assert [one.get(HANGING).status_code for one in (bob, charlie, client)] == [404, 404, 401]


def test_protocols_of_another_organization_hang_nothing_here(
    chest: Path, hospital: Organization, elsewhere: Organization, alice: Client
) -> None:
    rows = [{"name": "Own", "layout": "2x2", "viewports": [{}, None, None, None]}]
    for organization in (elsewhere, hospital):
        HangingProtocol.objects.create(
            organization=organization,
            name=organization.name,
            matches={"modality": ["CT"], "body_part": ["chest"]},
            stages=rows,
        )
    assert alice.get(HANGING).json()["protocol"]["name"] == "hospital", "its own comes before the one for all"
    HangingProtocol.objects.filter(name="hospital").update(active=False)
    assert alice.get(HANGING).json()["protocol"]["name"] == "CT chest"


def test_a_protocol_that_was_written_past_the_checks_is_left_out(
    chest: Path, hospital: Organization, alice: Client
) -> None:
    HangingProtocol.objects.create(
        organization=hospital, name="Broken", matches={"modality": "CT"}, stages=[{}], priority=99
    )
    assert alice.get(HANGING).json()["protocol"]["name"] == "CT chest"


def test_a_protocol_that_shows_nothing_of_this_study_gives_way(
    chest: Path, hospital: Organization, alice: Client
) -> None:
    slot = {"series": {"modality": ["CT"], "description": ["arterial"]}}
    HangingProtocol.objects.create(
        organization=hospital, name="Empty", matches={"modality": ["CT"], "body_part": ["chest"], "description": ["axial"]},
        stages=[{"name": "A", "layout": "1x1", "viewports": [slot]}],
    )  # fmt: skip
    assert alice.get(HANGING).json()["protocol"]["name"] == "CT chest"


# --- saved from the screen

MINE = {
    "name": "Mine",
    "organization": "hospital",
    "matches": {"modality": ["CT"], "body_part": ["chest"]},
    "stages": [
        {"name": "Lung", "layout": "1x1", "viewports": [{"view": {"window_center": -600, "window_width": 1500}}]}
    ],
}


def post(client: Client, body: Any) -> Any:
    return client.post(PROTOCOLS, json.dumps(body), content_type="application/json")


def test_an_administrator_saves_the_screen_and_the_study_hangs_by_it(chest: Path, boss: Client, alice: Client) -> None:
    assert (boss.get(HANGING).json()["may_save"], alice.get(HANGING).json()["may_save"]) == (True, False)
    answer = post(boss, MINE)
    assert answer.status_code == 201, answer.content
    assert answer.json()["text"].startswith("For CT, chest")
    hanging = alice.get(HANGING).json()
    assert hanging["protocol"]["name"] == "Mine"
    assert hanging["stages"][0]["viewports"][0]["view"] == {"window_center": -600, "window_width": 1500}
    event = AuditEvent.objects.get(action="hangingprotocol.make")
    assert (event.actor, event.organization, event.detail["object"]) == ("boss", "hospital", "Mine")


def test_limits_in_suv_become_a_window_of_the_series_or_say_why_not(
    hospital: Organization, boss: Client, shared_data: Path, tmp_path: Path
) -> None:
    files = sorted((shared_data / "series" / "pet_body").glob("*.dcm"))[:3]
    for path in files:
        ingest_file(path, hospital, "ingest", "")
    said = pydicom.dcmread(files[0], stop_before_pixels=True)
    # SUV by body weight of 1 Bq/ml, as shared/data/MANIFEST.md computes it.
    factor = 2.945e-4
    door = f"/api/studies/{said.StudyInstanceUID}/hanging/"
    of_farview = boss.get(door).json()
    assert of_farview["protocol"]["name"] == "PET"
    begun = of_farview["stages"][0]["viewports"][0]["view"]
    assert (begun["window_center"] * factor, begun["window_width"] * factor) == (
        pytest.approx(3.5, rel=1e-3), pytest.approx(7, rel=1e-3),
    )  # fmt: skip
    pet = {"series": {"modality": ["PT"]}, "view": {"suv": [1, 7], "inverted": True}}
    protocol = {"name": "PET", "organization": "hospital", "matches": {"modality": ["PT"]}}
    stage = {"name": "PET", "layout": "1x1", "viewports": [pet]}
    assert post(boss, {**protocol, "stages": [stage]}).status_code == 201
    (told,) = boss.get(door).json()["stages"]
    view = told["viewports"][0]["view"]
    assert "suv" not in view
    lower, upper = (view["window_center"] + half * view["window_width"] / 2 for half in (-1, 1))
    assert (lower * factor, upper * factor) == (pytest.approx(1, rel=1e-3), pytest.approx(7, rel=1e-3))
    assert (view["voi_lut_function"], view["inverted"]) == ("LINEAR_EXACT", True)
    bare = pydicom.dcmread(files[0])
    bare.StudyInstanceUID, bare.SeriesInstanceUID, bare.SOPInstanceUID = "1.7.7", "1.7.7.1", "1.7.7.1.1"
    bare.file_meta.MediaStorageSOPInstanceUID = "1.7.7.1.1"
    del bare.PatientWeight
    ingest_file(save(bare, tmp_path / "bare"), hospital, "ingest", "")
    (told,) = boss.get("/api/studies/1.7.7/hanging/").json()["stages"]
    assert "window_center" not in told["viewports"][0]["view"]
    assert told["missing"] == ["viewport 1: no SUV: Patient's Weight (0010,1030) is missing"]


def test_a_stage_is_added_to_one_that_is_there(chest: Path, boss: Client) -> None:
    number = post(boss, MINE).json()["id"]
    more = {**MINE, "protocol": number, "stages": [{"name": "Two", "layout": "1x2", "viewports": [{}, {"same_as": 1}]}]}
    assert [one["name"] for one in post(boss, more).json()["stages"]] == ["Lung", "Two"]
    assert HangingProtocol.objects.filter(organization__name="hospital").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_stages_that_are_added_at_once_none_is_lost(
    chest: Path, boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = post(boss, MINE).json()["id"]
    names = ["Two", "Three"]
    clients = [signed_in(User.objects.get(username="boss")) for _ in names]
    both_look, look = Barrier(2), protocols.problems

    def slowly(*given: Any) -> list[str]:
        with suppress(BrokenBarrierError):
            both_look.wait(0.5)
        return look(*given)

    monkeypatch.setattr(protocols, "problems", slowly)

    def add(client: Client, name: str) -> int:
        try:
            stage = {"name": name, "layout": "1x1", "viewports": [{}]}
            return int(post(client, {**MINE, "protocol": number, "stages": [stage]}).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as hands:
        assert list(hands.map(add, clients, names)) == [201, 201]
    stages = HangingProtocol.objects.get(pk=number).stages
    assert sorted(stage["name"] for stage in stages) == ["Lung", "Three", "Two"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", [PROTOCOLS, "/api/me/settings/"])
def test_a_database_that_is_busy_is_waited_for(
    hospital: Organization, boss: Client, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, locked = Model.save, [OperationalError("database is locked")]

    def once_locked(row: Model, *given: Any, **more: Any) -> None:
        if isinstance(row, HangingProtocol | ReaderSettings) and locked:
            raise locked.pop()
        save(row, *given, **more)

    monkeypatch.setattr(Model, "save", once_locked)
    if door == PROTOCOLS:
        assert post(boss, MINE).status_code == 201
    else:
        chosen = json.dumps({"texts": "none"})
        assert boss.put(door, chosen, content_type="application/json").json() == {"texts": "none"}
    assert not locked


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"stages": []}, "stages: a list with at least one stage is needed"),
        ({"stages": [{"name": "A", "layout": "9x9", "viewports": [{}]}]}, "stage 1, layout: rows x columns up to 4x4"),
        ({"matches": {"modality": ["ct"]}}, "matches, modality: a code in capital letters"),
        ({"name": ""}, "name: "),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_saved(boss: Client, changed: dict[str, Any], said: str) -> None:
    answer = post(boss, {**MINE, **changed})
    assert answer.status_code == 400
    assert answer.json()["problems"][0].startswith(said)
    assert not HangingProtocol.objects.filter(name__in=["Mine", ""]).exists()


def test_who_administers_nothing_saves_nothing(
    chest: Path, alice: Client, bob: Client, charlie: Client, client: Client, boss: Client, elsewhere: Organization
) -> None:
    assert [post(one, MINE).status_code for one in (alice, bob, charlie, client)] == [404, 404, 404, 401]
    assert post(boss, {**MINE, "organization": "elsewhere"}).status_code == 404
    theirs = HangingProtocol.objects.create(organization=elsewhere, name="Theirs", matches={}, stages=MINE["stages"])
    shipped = HangingProtocol.objects.get(slug="ct-chest")
    for row in (theirs, shipped):
        assert post(boss, {**MINE, "protocol": row.pk}).status_code == 404
    listed = boss.get(PROTOCOLS).json()["protocols"]
    assert "Theirs" not in [row["name"] for row in listed]
    assert len(listed) == len(seeds.SEEDS)


# --- those that come along


def test_those_that_come_along_are_there_once_and_follow_only_when_untouched(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(HangingProtocol.objects.values_list("slug", flat=True)) == set(seeds.SEEDS)
    touched, old, off = (HangingProtocol.objects.get(slug=slug) for slug in ("ct-head", "ct-chest", "ct"))
    own = [{"name": "Mine", "layout": "1x1", "viewports": [{}]}]
    HangingProtocol.objects.filter(pk=touched.pk).update(stages=own)
    HangingProtocol.objects.filter(pk=old.pk).update(stages=[{"name": "Old", "layout": "1x1", "viewports": [{}]}])
    HangingProtocol.objects.filter(pk=off.pk).update(active=False)
    before = HangingProtocol.objects.get(pk=old.pk)
    monkeypatch.setattr(seeds, "FORMER", {"ct-chest": {seeds.digest(before.matches, before.stages)}})
    for _ in range(2):
        seed()
    assert HangingProtocol.objects.count() == len(seeds.SEEDS)
    assert HangingProtocol.objects.get(pk=touched.pk).stages == own
    assert HangingProtocol.objects.get(pk=old.pk).stages == seeds.SEEDS["ct-chest"][2]
    assert not HangingProtocol.objects.get(pk=off.pk).active


@pytest.mark.django_db(transaction=True)
def test_migrating_brings_them() -> None:
    HangingProtocol.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert HangingProtocol.objects.count() == len(seeds.SEEDS)


# --- in the administration


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def form(**changed: Any) -> dict[str, Any]:
    return {
        "name": "Mine",
        "organization": Organization.objects.get(name="hospital").pk,
        "active": "on",
        "priority": 0,
        "matches": json.dumps(MINE["matches"]),
        "stages": json.dumps(MINE["stages"]),
        **changed,
    }


def test_an_administrator_reads_a_protocol_in_words_and_copies_it(boss: Client, hospital: Organization) -> None:
    shipped = HangingProtocol.objects.get(slug="mammography")
    assert "CT head" in page(boss, ADMIN_PAGE)
    text = page(boss, f"{ADMIN_PAGE}{shipped.pk}/change/")
    assert "chest wall right" in text
    assert boss.post(f"{ADMIN_PAGE}{shipped.pk}/change/", form()).status_code == 403
    boss.post(ADMIN_PAGE, {"action": "copy", "_selected_action": [shipped.pk]})
    made = HangingProtocol.objects.get(organization=hospital)
    assert (made.name, made.active, made.slug, made.stages) == ("Mammography (copy)", False, "", shipped.stages)
    boss.post(ADMIN_PAGE, {"action": "activate", "_selected_action": [made.pk, shipped.pk]})
    boss.post(ADMIN_PAGE, {"action": "deactivate", "_selected_action": [shipped.pk]})
    assert HangingProtocol.objects.get(pk=made.pk).active
    assert HangingProtocol.objects.get(pk=shipped.pk).active, "it is every organization's"


def test_an_administrator_writes_and_mends_one_with_help(boss: Client, hospital: Organization) -> None:
    wrong = boss.post(f"{ADMIN_PAGE}add/", form(stages='[{"name": "A", "layout": "2x2", "viewports": [{}]}]'))
    assert "layout 2x2 has 4 viewports, 1 are described" in wrong.content.decode()
    assert "Enter a valid JSON" in boss.post(f"{ADMIN_PAGE}add/", form(stages="[{")).content.decode()
    assert boss.post(f"{ADMIN_PAGE}add/", form()).status_code == 302
    made = HangingProtocol.objects.get(organization=hospital)
    assert "prior 1" in page(boss, f"{ADMIN_PAGE}add/"), "an example to begin with"
    assert " &quot;modality&quot;: [\n  &quot;CT&quot;" in page(boss, f"{ADMIN_PAGE}{made.pk}/change/"), (
        "a line for each part"
    )
    assert made.created_by is not None
    assert made.created_by.username == "boss"
    assert AuditEvent.objects.filter(action="hangingprotocol.make").exists()
    assert boss.post(f"{ADMIN_PAGE}{made.pk}/change/", form(matches="")).status_code == 302
    assert HangingProtocol.objects.get(pk=made.pk).matches == {}
    assert boss.post(f"{ADMIN_PAGE}{made.pk}/delete/", {"post": "yes"}).status_code == 302
    shipped = HangingProtocol.objects.get(slug="ct")
    assert boss.post(f"{ADMIN_PAGE}{shipped.pk}/delete/", {"post": "yes"}).status_code == 403


def test_an_administrator_of_one_organization_gives_nothing_to_another_or_to_all(
    boss: Client, elsewhere: Organization
) -> None:
    for organization in (elsewhere.pk, ""):
        assert boss.post(f"{ADMIN_PAGE}add/", form(organization=organization)).status_code == 200
    assert not HangingProtocol.objects.filter(name="Mine").exists()
    theirs = HangingProtocol.objects.create(organization=elsewhere, name="Theirs", matches={}, stages=MINE["stages"])
    assert "Theirs" not in page(boss, ADMIN_PAGE)
    assert boss.get(f"{ADMIN_PAGE}{theirs.pk}/change/").status_code in {302, 404}


def test_who_is_no_administrator_finds_no_such_page(alice: Client, charlie: Client) -> None:
    assert [one.get(ADMIN_PAGE).status_code for one in (alice, charlie)] == [404, 404]
