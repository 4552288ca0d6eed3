"""Which template a report begins with: the order of the specification, and the reason in words."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organization, User
from reporting.models import Order, ReadingItem, Template, TemplateChoice, TemplateVersion
from reporting.worklist.choosing import Examination, age_of, choose, suits
from viewer.models import Series, Study

pytestmark = pytest.mark.usefixtures("store")


def made(identifier: str, owner: Organization | None = None, **asked: Any) -> Template:
    """A template in use that is set for an examination."""
    source = Template.objects.get(identifier="free-text").active_version
    template = Template.objects.create(identifier=identifier, title=identifier, organization=owner)
    held = {one: getattr(source, one) for one in ("title", "html", "schema", "sha256", "created_at")}
    version = TemplateVersion.objects.create(template=template, number=1, **held)
    Template.objects.filter(pk=template.pk).update(active_version=version)
    if asked:
        TemplateChoice.objects.create(template=template, **asked)
    return template


def chosen(user: User, study: Study, order: Order | None) -> tuple[str, str]:
    found = choose(user, study, order)
    return found.template_version.template.identifier, found.why


def test_a_head_ct_begins_with_the_template_for_it(alice: User, study: Study, item: ReadingItem) -> None:
    assert chosen(alice, study, item.order) == ("farview-ct-head", "Set for CT of the head.")
    assert chosen(alice, study, None)[0] == "farview-ct-head"  # by its images alone


def test_an_examination_that_no_template_is_set_for_begins_with_free_text(alice: User, study: Study) -> None:
    TemplateChoice.objects.all().delete()
    assert chosen(alice, study, None) == ("free-text", "No template is set for this examination.")


def test_words_of_the_procedure_tell_a_stroke_from_a_headache(alice: User, study: Study, item: ReadingItem) -> None:
    order = item.order
    order.procedure_text = "CT head, CTA and perfusion, stroke protocol"
    assert chosen(alice, study, order)[0] == "farview-ct-stroke"


def test_the_order_of_the_specification(alice: User, study: Study, item: ReadingItem, site: Organization) -> None:
    """From the last to the first: each new choice goes before those made so far."""
    TemplateChoice.objects.all().delete()
    order = item.order
    steps = [
        (made("modality", modality="CT"), "Set for CT."),
        (made("part", modality="CT", body_part="HEAD"), "Set for CT of the head."),
        (made("narrow", modality="CT", body_part="HEAD", words="*head*"), "Set for CT of the head described as …head…."),
        (made("own part", site, organization=site, modality="CT", body_part="HEAD"),
         "Set for CT of the head at Harbour Hospital."),
        (made("code", procedure_code="CTHEAD"), "Set for procedure CTHEAD."),
        (made("own code", site, organization=site, procedure_code="CTHEAD"), "Set for procedure CTHEAD at Harbour Hospital."),
        (made("default", reader=alice, modality="CT"), "Your default for CT."),
        (made("default part", reader=alice, modality="CT", body_part="HEAD"), "Your default for CT of the head."),
    ]  # fmt: skip
    for place in range(1, len(steps) + 1):
        Template.objects.update(retired_at=None)
        gone = [one.pk for one, _ in steps[place:]]
        held = dict(Template.objects.filter(pk__in=gone).values_list("pk", "active_version"))
        Template.objects.filter(pk__in=gone).update(active_version=None)
        template, why = steps[place - 1]
        assert chosen(alice, study, order) == (template.identifier, why)
        for pk, version in held.items():
            Template.objects.filter(pk=pk).update(active_version=version)
    listed = [one.template_version.template.identifier for one in choose(alice, study, order).others]
    assert listed[: len(steps)] == [*[one.identifier for one, _ in reversed(steps[:-1])], "free-text"]
    assert len(listed) == Template.objects.exclude(active_version=None).count() - 1


def test_defaults_of_others_and_templates_of_other_organizations_are_not_chosen(
    alice: User, rita: User, study: Study, item: ReadingItem
) -> None:
    elsewhere = Organization.objects.create(name="elsewhere")
    made("theirs", elsewhere, organization=elsewhere, procedure_code="CTHEAD")
    made("hidden", elsewhere, procedure_code="CTHEAD")
    made("of rita", reader=rita, modality="CT")
    found = choose(alice, study, item.order)
    assert found.template_version.template.identifier == "farview-ct-head"
    assert not {"theirs", "hidden"} & {one.template_version.template.identifier for one in found.others}
    assert chosen(rita, study, item.order)[0] == "of rita"


def test_one_that_is_not_in_use_is_not_chosen(alice: User, study: Study, item: ReadingItem) -> None:
    template = made("gone", procedure_code="CTHEAD")
    Template.objects.filter(pk=template.pk).update(active_version=None)
    assert chosen(alice, study, item.order)[0] == "farview-ct-head"


@pytest.mark.parametrize(
    ("asked", "true"),
    [
        ({}, True),
        ({"sex": "F"}, True),
        ({"sex": "M"}, False),
        ({"age_from": 40}, True),
        ({"age_from": 41}, False),
        ({"age_to": 40}, True),
        ({"age_to": 39}, False),
        ({"age_from": 18, "age_to": 60}, True),
        ({"modality": "ct"}, True),
        ({"modality": "MR"}, False),
        ({"body_part": "ABDOMEN"}, True),
        ({"body_part": "CHEST_ABDOMEN"}, False),
        ({"body_part": "XYZ"}, True),
        ({"body_part": "QQQ"}, False),
        ({"words": "nothing, liver*"}, True),
        ({"words": "nothing"}, False),
        ({"procedure_code": "ct-1"}, True),
        ({"procedure_code": "CT-2"}, False),
    ],
)
def test_everything_that_a_choice_asks_for_has_to_hold(asked: dict[str, Any], true: bool) -> None:
    about = Examination(
        "CT-1", frozenset({"CT"}), frozenset(), frozenset({"abdomen"}), "CT Liver", "F", 40, frozenset({"xyz"})
    )
    assert suits(TemplateChoice(**asked), about) is true


def test_a_choice_by_age_asks_for_a_known_age() -> None:
    assert not suits(TemplateChoice(age_to=100), Examination())


@pytest.mark.parametrize(
    ("age", "born", "on", "years"),
    [
        ("045Y", "", "", 45),
        ("018M", "", "", 1),
        ("006W", "", "", 0),
        ("", "19800615", "20260614", 45),
        ("", "19800615", "20260615", 46),
        ("", "1980", "20260615", None),
        ("xxxY", "", "", None),
    ],
)
def test_age_is_in_whole_years_at_the_time_of_the_study(age: str, born: str, on: str, years: int | None) -> None:
    assert age_of(age, born, on) == years


@pytest.mark.parametrize(
    ("modality", "part", "text", "identifier"),
    [
        ("CT", "CHEST", "CT Thorax", "farview-ct-chest"),
        ("CT", "CHEST", "CT pulmonary angiography, PE?", "farview-ct-pulmonary-embolism"),
        ("CT", "", "CT abdomen and pelvis with contrast", "farview-ct-abdomen-pelvis"),
        ("MR", "BRAIN", "MRI Brain", "farview-mr-brain"),
        ("MR", "LSPINE", "MR lumbar spine", "farview-mr-lumbar-spine"),
        ("MR", "CSPINE", "MR cervical spine", "free-text"),
        ("MR", "KNEE", "MR Knie rechts", "farview-mr-knee"),
        ("DX", "CHEST", "Thorax pa", "farview-chest-radiograph"),
        ("CR", "WRIST", "Wrist two views", "farview-bone-radiograph"),
        ("MG", "BREAST", "Mammography", "farview-mammography"),
        ("US", "ABDOMEN", "US Abdomen", "farview-us-abdomen"),
        ("US", "THYROID", "US thyroid", "farview-us-thyroid"),
        ("PT\\CT", "", "PET/CT skull base to thigh", "farview-pet-ct"),
        ("XA", "HEART", "Coronary angiography", "free-text"),
    ],
)
def test_common_examinations_find_their_template(
    alice: User, study: Study, modality: str, part: str, text: str, identifier: str
) -> None:
    Series.objects.filter(study=study).update(
        modality=modality.partition("\\")[0], body_part_examined=part, description="", protocol_name=""
    )
    Study.objects.filter(pk=study.pk).update(modalities=modality, description=text)
    study.refresh_from_db()
    assert chosen(alice, study, None)[0] == identifier
