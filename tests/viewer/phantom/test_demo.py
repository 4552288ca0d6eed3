"""`manage.py demo`: what a newcomer finds, and what an archive in use never gets."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

import viewer.phantom
from viewer.management.commands.demo import Steps
from viewer.models import Instance, Study
from viewer.phantom.studies import write_ct, write_ultrasound


class Made:
    """Stands in for half a minute of painting: two small studies. Counts how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, folder: Path, progress: Any) -> list[Path]:
        self.times += 1
        progress("CT", 0.0)
        paths = [*write_ct(folder, shape=(4, 64, 64)), *write_ultrasound(folder, frames=2)]
        progress("CT", 1.0)
        return paths


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    made = Made()
    monkeypatch.setattr(viewer.phantom, "write_demonstration", made)
    return made


def demo(*arguments: str) -> str:
    out = StringIO()
    call_command("demo", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def leftovers() -> list[Path]:
    return [*settings.FARVIEW_TMP_DIR.glob("demonstration-*"), *settings.FARVIEW_DATA_DIR.glob("demonstration*")]


@pytest.mark.django_db(transaction=True)
def test_an_empty_archive_gets_the_studies(made: Made) -> None:
    said = demo("--if-empty")
    assert "5 images taken in" in said
    assert "CT: " in said
    assert {study.patient.name for study in Study.objects.all()} == {"Phantom^Ada", "Phantom^Clara"}
    assert {study.organization.name for study in Study.objects.all()} == {"default"}
    assert leftovers() == []


@pytest.mark.django_db(transaction=True)
def test_an_archive_with_a_study_is_left_alone(made: Made) -> None:
    demo("--if-empty")
    assert demo("--if-empty") == ""
    assert made.times == 1


@pytest.mark.django_db(transaction=True)
def test_running_it_again_adds_nothing(made: Made) -> None:
    demo()
    before = set(Instance.objects.values_list("sop_instance_uid", flat=True))
    assert "5 held already" in demo()
    assert set(Instance.objects.values_list("sop_instance_uid", flat=True)) == before


@pytest.mark.django_db(transaction=True)
def test_a_run_that_was_cut_off_is_made_whole_by_the_next_one(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(folder: Path, progress: Any) -> list[Path]:
        write_ultrasound(folder, frames=2)
        raise KeyboardInterrupt

    monkeypatch.setattr(viewer.phantom, "write_demonstration", cut_off)
    with pytest.raises(KeyboardInterrupt):
        demo("--if-empty")
    monkeypatch.setattr(viewer.phantom, "write_demonstration", made)
    assert "5 images taken in" in demo("--if-empty")
    assert leftovers() == []


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, progress: Any) -> list[Path]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(viewer.phantom, "write_demonstration", full)
    with pytest.raises(CommandError, match=r"No space left on device.*MB.*manage.py demo"):
        demo()
    settings.FARVIEW_DATA_DIR.joinpath("demonstration.unfinished").unlink()


@pytest.mark.django_db(transaction=True)
def test_another_organization_may_have_its_own(made: Made) -> None:
    demo("--organization", "training")
    assert {study.organization.name for study in Study.objects.all()} == {"training"}
    with pytest.raises(CommandError, match="cannot name an organization"):
        demo("--organization", "no such name!")


def test_every_step_gets_one_line_where_output_is_kept() -> None:
    out = StringIO()
    steps = Steps(out)
    for share in (0.0, 0.2, 0.5, 1.0, 1.0):
        steps("CT", share)
    steps("MR", 0.0)
    steps("MR", 1.0)
    lines = out.getvalue().splitlines()
    assert [line.partition(":")[0].strip() for line in lines] == ["CT", "MR"]
    assert all(line.endswith(" s") for line in lines)
