"""Templates as rows: those that come with Farview, versions, who puts one in use."""

from __future__ import annotations

import pytest

from accounts.models import User
from reporting.models import Template, TemplateVersion
from reporting.seeds import seed
from reporting.worklist.choosing import choose
from viewer.models import Study


def test_free_text_is_there_without_anybody_doing_anything(db: None) -> None:
    template = Template.objects.get(identifier="free-text", organization=None)
    assert template.built_in
    required = [one["id"] for one in template.active_version.schema["sections"] if one["required"]]
    assert required == ["findings", "impression"]
    for section in template.active_version.schema["sections"]:
        assert [field["id"] for field in section["fields"]] == [section["id"]]


def test_seeding_again_changes_nothing(db: None) -> None:
    before = list(TemplateVersion.objects.values_list("pk", "sha256"))
    seed()
    assert list(TemplateVersion.objects.values_list("pk", "sha256")) == before


@pytest.mark.usefixtures("store")
def test_an_examination_that_no_template_is_set_for_begins_with_free_text(alice: User, study: Study) -> None:
    chosen = choose(alice, study, None)
    assert chosen.template_version.template.identifier == "free-text"
    assert chosen.why
