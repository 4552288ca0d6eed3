"""Templates as rows: those that come with Farview, versions, who puts one in use, zips."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from accounts.models import AuditEvent, Organization, Role, User
from reporting import seeds
from reporting.models import Template, TemplateChoice, TemplateEvent, TemplateVersion
from reporting.mrrt import read
from reporting.mrrt.showing import shown
from reporting.templating import files, rights, storing
from reporting.templating.rights import NotAllowed
from reporting.templating.storing import Conflict, status_of
from tests.reporting.conftest import person

PAGE = """<!DOCTYPE html><html><head><title>{title}</title><meta name="dcterms.identifier" content="{identifier}">
<script type="text/xml"><template_attributes></template_attributes></script></head>
<body><section id="findings" data-section-name="Findings"><p><label for="a">{label}</label>
<input id="a" type="text" data-field-type="TEXT"></p></section></body></html>"""


def page(identifier: str = "t-1", label: str = "Liver", title: str = "Liver CT") -> str:
    return PAGE.format(identifier=identifier, label=label, title=title)


def taken(user: User, site: Organization | None, **given: str) -> storing.Stored:
    html = page(**given)
    return storing.take_in(read(html), html, user, site)


# --- those that come with Farview


def test_free_text_is_there_without_anybody_doing_anything(db: None) -> None:
    template = Template.objects.get(identifier="free-text", organization=None)
    assert template.built_in
    sections = template.active_version.schema["sections"]
    assert [one["id"] for one in sections] == ["clinical_information", "comparison", "findings", "impression"]
    assert [one["id"] for one in sections if one["required"]] == ["findings", "impression"]
    for section in sections:
        assert [field["id"] for field in section["fields"]] == [section["id"]]


@pytest.mark.parametrize("path", sorted(seeds.FOLDER.glob("*.html")), ids=lambda path: path.stem)
def test_a_template_that_comes_with_farview_is_sound(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    told = read(text)
    assert (told.html, told.repairs, told.dropped) == (text, (), ())
    schema = told.document.schema
    kinds = {section.code.value for section in schema.sections if section.code}
    assert {"59776-5", "19005-8", "55752-0"} <= kinds
    [impression] = [one for one in schema.sections if one.id == "impression"]
    assert impression.fields[0].completion == "PROHIBIT"
    for field in schema.fields:
        assert field.label
        if field.type == "number" and field.maximum is not None:
            assert field.minimum is not None
            assert field.units or "ratio" in field.label.lower()


@pytest.mark.parametrize("path", sorted(seeds.FOLDER.glob("*.html")), ids=lambda path: path.stem)
def test_follow_up_questions_are_not_asked_before_their_question_is_answered(path: Path) -> None:
    """As a report begins, only what hangs on an open "not so" is shown; every condition can be true and can be false."""
    schema = read(path.read_text(encoding="utf-8")).schema
    fields = {field["id"]: field for section in schema["sections"] for field in section["fields"]}
    begun = {name: field["default"] for name, field in fields.items()}
    for name, field in fields.items():
        condition = field["show_if"]
        if condition is None:
            continue
        source = fields[condition["field"]]
        answers = [option["value"] for option in source["options"]] or [*source["suggestions"], 0, 1, 5, 30, "x"]
        answers = [[one] for one in answers] + [[]] if isinstance(begun[source["id"]], list) else [*answers, ""]
        seen = {name in shown(schema, {**begun, **_opened(fields, source), condition["field"]: one}) for one in answers}
        assert seen == {True, False}, (name, condition)


def _opened(fields: dict, source: dict) -> dict:
    """Answers that show `source` itself."""
    condition = source["show_if"]
    if condition is None:
        return {}
    above = fields[condition["field"]]
    for option in [option["value"] for option in above["options"]] or [30, 1, "x"]:
        answer = [option] if isinstance(above["default"], list) else option
        given = {**_opened(fields, above), condition["field"]: answer}
        if source["id"] in shown({"sections": [{"fields": list(fields.values())}]}, given):
            return given
    raise AssertionError(f"{source['id']} is never shown")


def test_a_dozen_templates_come_with_farview_and_are_in_use(db: None) -> None:
    built_in = Template.objects.filter(built_in=True)
    assert built_in.count() >= 14
    assert not built_in.filter(active_version=None).exists()
    assert set(seeds.CHOICES) <= set(built_in.values_list("identifier", flat=True))
    assert TemplateChoice.objects.count() == sum(len(rows) for rows in seeds.CHOICES.values())


def test_seeding_again_changes_nothing(db: None) -> None:
    before = list(TemplateVersion.objects.values_list("pk", "sha256"))
    seeds.seed()
    assert list(TemplateVersion.objects.values_list("pk", "sha256")) == before


def test_a_file_that_has_changed_is_a_new_version_in_use_where_nobody_chose_otherwise(
    db: None, monkeypatch: pytest.MonkeyPatch, operator: User
) -> None:
    head, knee = (Template.objects.get(identifier=f"farview-{one}") for one in ("ct-head", "mr-knee"))
    stroke = Template.objects.get(identifier="farview-ct-stroke")
    own = storing.add_version(knee, read(page("x", "Own")), "", "operator")
    Template.objects.filter(pk=knee.pk).update(active_version=own)
    storing.retire(stroke, operator)
    TemplateChoice.objects.filter(template=head).delete()
    changed = {
        one: (
            text.replace("Clear where shown", "Aerated"),
            read(text.replace("Clear where shown", "Aerated").replace("Side", "Laterality")),
        )
        for one, (text, _) in seeds.shipped().items()
    }
    monkeypatch.setattr(seeds, "shipped", lambda: {one: (f"{text} ", found) for one, (text, found) in changed.items()})
    seeds.seed()
    for one in (head, knee, stroke):
        one.refresh_from_db()
    assert (head.active_version.number, head.active_version.author_name) == (2, seeds.FARVIEW)
    assert "Aerated" in head.active_version.html
    assert 'content="farview-ct-head.2"' in head.active_version.html
    assert knee.active_version == own
    assert stroke.active_version is None
    assert not TemplateChoice.objects.filter(template=head).exists()


# --- taking in


@pytest.fixture
def operator(db: None, site: Organization) -> User:
    user = person("operator", site, Role.ADMIN, "Olga Operator")
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    user.refresh_from_db()
    return user


def test_what_is_taken_in_is_kept_as_it_came_and_as_it_is_written_here(boss: User, site: Organization) -> None:
    html = page().replace("<p>", "<script>x</script><p>")
    found = read(html)
    version = storing.take_in(found, html, boss, site).version
    assert (version.source, version.html, version.sha256) == (html, found.html, found.sha256)
    assert version.schema == found.schema
    assert version.dropped == list(found.dropped) != []
    assert (version.number, version.author_name, version.template.active_version) == (1, "boss", None)
    assert status_of(version) == "DRAFT"
    [event] = TemplateEvent.objects.filter(template=version.template)
    assert (event.kind, event.actor_name) == ("imported", "boss")
    assert AuditEvent.objects.filter(action="template.import", actor="boss", organization="default").count() == 1


def test_the_same_again_is_nothing_new_and_a_change_is_a_new_version_with_an_identifier_of_its_own(
    boss: User, site: Organization
) -> None:
    first = taken(boss, site)
    assert taken(boss, site) == storing.Stored(first.version, "unchanged")
    second = taken(boss, site, label="Spleen")
    assert (second.outcome, second.version.number) == ("version", 2)
    assert second.version.template == first.version.template
    assert storing.identifier_of(second.version) == "t-1.2"
    assert read(second.version.html).identifier == "t-1.2"
    html = second.version.html  # what was exported comes back
    assert storing.take_in(read(html), html, boss, site) == storing.Stored(second.version, "unchanged")


def test_one_identifier_in_two_organizations_is_two_templates(boss: User, site: Organization) -> None:
    other = Organization.objects.create(name="other")
    far = person("far", other, Role.ADMIN)
    one, two = taken(boss, site), taken(far, other, label="Spleen")
    assert one.version.template != two.version.template
    assert two.outcome == "new"


def test_an_identifier_that_another_template_has_is_passed_over_when_versions_are_counted(
    boss: User, site: Organization
) -> None:
    taken(boss, site, identifier="a.2")
    taken(boss, site, identifier="a")
    third = taken(boss, site, identifier="a", label="Spleen").version
    assert storing.identifier_of(third) == "a.3"


def test_a_template_is_taken_in_only_by_who_manages_there(
    alice: User, bob: User, rita: User, tess: User, charlie: User, boss: User, site: Organization
) -> None:
    html = page()
    for user in (alice, bob, rita, tess, charlie):
        with pytest.raises(NotAllowed):
            storing.take_in(read(html), html, user, site)
    with pytest.raises(NotAllowed, match="operator"):
        storing.take_in(read(html), html, boss, None)
    assert not Template.objects.filter(identifier="t-1").exists()


def test_a_clone_is_a_template_of_its_own(boss: User, site: Organization) -> None:
    shared = Template.objects.get(identifier="farview-ct-head").active_version
    made = storing.clone(shared, boss, site)
    assert made.template.organization == site
    assert made.title == "CT head (copy)"
    assert made.template.identifier.startswith("2.25.")
    assert made.schema["sections"] == shared.schema["sections"]
    assert made.template.active_version is None
    assert read(made.html).identifier == made.template.identifier
    assert dict(read(made.html).document.metadata)["source"] == "farview-ct-head"


# --- in use


def test_a_version_is_put_in_use_and_retired_and_never_deleted(boss: User, site: Organization) -> None:
    first, second = taken(boss, site).version, taken(boss, site, label="Spleen").version
    storing.activate(first, boss)
    storing.activate(second, boss)
    template = Template.objects.get(pk=first.template_id)
    assert template.active_version == second
    first, second = TemplateVersion.objects.get(pk=first.pk), TemplateVersion.objects.get(pk=second.pk)
    assert (status_of(first), status_of(second)) == ("RETIRED", "ACTIVE")
    storing.retire(template, boss, note="too long")
    template.refresh_from_db()
    assert (template.active_version, template.versions.count()) == (None, 2)
    assert template.retired_at is not None
    kinds = list(template.events.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["imported", "imported", "activated", "activated", "retired"]
    storing.activate(first, boss)
    template.refresh_from_db()
    assert (template.active_version, template.retired_at) == (first, None)


def test_who_wrote_a_version_does_not_put_it_in_use_where_somebody_else_could(boss: User, site: Organization) -> None:
    version = taken(boss, site).version
    other = person("bea", site, Role.ADMIN)
    with pytest.raises(NotAllowed, match="another administrator"):
        storing.activate(version, boss)
    storing.activate(version, other)
    assert Template.objects.get(pk=version.template_id).active_version == version


def test_the_only_administrator_may_and_it_is_written_down(boss: User, site: Organization) -> None:
    other = person("bea", site, Role.ADMIN)
    User.objects.filter(pk=other.pk).update(is_active=False)
    version = taken(boss, site).version
    storing.activate(version, boss)
    event = TemplateEvent.objects.get(kind="activated", template=version.template)
    assert "the only administrator" in event.note


def test_a_template_is_put_in_use_only_by_who_manages_it(
    alice: User, bob: User, rita: User, tess: User, charlie: User, boss: User, operator: User, site: Organization
) -> None:
    version = taken(boss, site).version
    shared = Template.objects.get(identifier="farview-ct-head")
    for user in (alice, bob, rita, tess, charlie):
        with pytest.raises(NotAllowed):
            storing.activate(version, user)
    for user in (alice, boss, charlie):
        with pytest.raises(NotAllowed):
            storing.retire(shared, user)
    storing.activate(version, operator)
    storing.retire(shared, operator)


def test_free_text_cannot_be_retired(operator: User) -> None:
    with pytest.raises(Conflict):
        storing.retire(Template.objects.get(identifier="free-text"), operator)


def test_who_sees_which_templates(
    alice: User, bob: User, rita: User, tess: User, charlie: User, boss: User, operator: User, site: Organization
) -> None:
    own = taken(boss, site).version.template
    shared = Template.objects.get(identifier="free-text")
    for user, sees in (
        (alice, {own, shared}),
        (rita, {own, shared}),
        (boss, {own, shared}),
        (operator, {own, shared}),
        (charlie, {shared}),
        (bob, set()),
        (tess, set()),
    ):
        assert set(rights.templates_for(user).filter(pk__in=[own.pk, shared.pk])) == sees, user


# --- files


@pytest.mark.parametrize(
    ("data", "text", "mended"),
    [
        ("<p>ä</p>".encode(), "<p>ä</p>", ""),
        (b"\xef\xbb\xbf<p>\xc3\xa4</p>", "<p>ä</p>", ""),
        (b"\xff\xfe<\x00p\x00>\x00", "<p>", "utf-16-le"),
        (b"<p>\xe4</p>", "<p>ä</p>", "no UTF-8"),
        (b'<meta charset="iso-8859-1"><p>\x80\xe4</p>', '<meta charset="iso-8859-1"><p>€ä</p>', "cp1252"),
        (b'<meta charset="iso-8859-15"><p>\xa4</p>', '<meta charset="iso-8859-15"><p>€</p>', "iso-8859-15"),
        (b'<meta charset="latin1"><p>\xc3\xa4</p>', '<meta charset="latin1"><p>ä</p>', "is UTF-8"),
        (b'<meta charset="base64"><p>\xe4</p>', '<meta charset="base64"><p>ä</p>', ""),
        (b'<meta charset="no-such"><p>\xe4</p>', '<meta charset="no-such"><p>ä</p>', ""),
    ],
)
def test_a_file_is_decoded_as_a_browser_would(data: bytes, text: str, mended: str) -> None:
    found, said = files.decoded(data)
    assert found == text
    assert mended in said


def packed(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_a_zip_of_many_is_taken_in_with_a_word_for_each(boss: User, site: Organization, shared_data: Path) -> None:
    entries = {f"mrrt/{path.name}": path.read_bytes() for path in (shared_data / "mrrt").glob("*.html")}
    told = files.take_in_many("all.zip", packed({**entries, "notes.txt": b"x", "bad.html": b"<p>"}), boss, site)
    said = {one.name.rpartition("/")[2]: one for one in told}
    assert len(told) == len(entries) + 2
    assert said["minimal_mrrt.html"].outcome == "new"
    assert said["drg_CC-BY-4.0_041807.4.1706140000-us_fast.html"].repairs
    refused = {name: one.said for name, one in said.items() if one.outcome == "refused"}
    assert len(refused) == 4
    assert "without meaning" in refused["openmrs_MPL2_invalidMrrtReportTemplate-missingAttributesInCodeElement.html"]
    assert refused["notes.txt"] == "it is no .html file"
    assert Template.objects.filter(organization=site).count() == len(entries) - 2


def test_a_zip_goes_out_and_comes_in_as_it_was(boss: User, site: Organization) -> None:
    versions = [one.active_version for one in Template.objects.filter(built_in=True).order_by("pk")]
    data = files.zipped(versions)
    assert files.zipped(versions) == data
    told = files.take_in_many("all.zip", data, boss, site)
    assert [one.outcome for one in told if one.name != "templates.txt"] == ["new"] * len(versions)
    assert {one.version.sha256 for one in told if one.version} == {one.sha256 for one in versions}


@pytest.mark.parametrize(
    "data",
    [
        packed({"bomb.html": b"\0" * 60_000_000}),
        packed({f"{one}.html": b"<p>" for one in range(600)}),
        b"PK\x05\x06" + b"\0" * 18,
        packed({"a.html": b"<p>"})[:-10],
        packed({"../../etc/passwd.html": page().encode()}).replace(b"PK\x01\x02", b"PK\x01\x03", 1),
        b"",
        b"\x00" * 100,
    ],
    ids=["bomb", "many", "empty zip", "cut", "broken", "nothing", "zeros"],
)
def test_a_zip_that_means_harm_is_refused_with_words(boss: User, site: Organization, data: bytes) -> None:
    told = files.take_in_many("x.zip", data, boss, site)
    assert all(one.outcome == "refused" and one.said for one in told)
    assert len(told) <= 501
    assert not Template.objects.filter(organization=site).exists()
