"""The administration of templates: who comes in, and what each page does."""

from __future__ import annotations

import io
import re
import zipfile
from html import unescape
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from accounts.models import AuditEvent, Organization, Role, User
from reporting.models import Macro, Template, TemplateChoice, TemplateEvent, TemplateVersion
from reporting.templating import storing
from tests.reporting.conftest import person, signed_in
from tests.reporting.test_templates import packed, page, taken

HOME = "/admin/reporting/template/"


def text_of(answer: HttpResponse) -> str:
    body = re.sub(r"(?s)<script.*?</script>|<[^>]+>", " ", answer.content.decode())
    return " ".join(unescape(body).split())


@pytest.fixture
def bea(site: Organization) -> User:
    return person("bea", site, Role.ADMIN)


@pytest.fixture
def own(boss: User, site: Organization) -> TemplateVersion:
    """Written by boss for the hospital, in two versions, none in use."""
    taken(boss, site)
    return taken(boss, site, label="Spleen").version


@pytest.fixture
def theirs(db: None) -> TemplateVersion:
    """A template of another organization."""
    other = Organization.objects.create(name="other")
    return taken(person("far", other, Role.ADMIN), other, identifier="far-1", title="Far away").version


def addresses(version: TemplateVersion) -> list[str]:
    pk, number = version.template_id, version.number
    of_version = [f"{HOME}{pk}/versions/{number}/", f"{HOME}{pk}/versions/{number}/edit/"]
    return [*of_version, f"{HOME}{pk}/versions/{number}/export/", f"{HOME}{pk}/change/", f"{HOME}{pk}/difference/"]


def test_only_administrators_come_in(
    alice: User, bob: User, rita: User, tess: User, charlie: User, boss: User, own: TemplateVersion
) -> None:
    pages = [HOME, f"{HOME}upload/", f"{HOME}export/", *addresses(own), "/admin/reporting/macro/"]
    for address in pages:
        assert Client().get(address).status_code == 302, address
        for user in (alice, bob, rita, tess, charlie):
            assert signed_in(user).get(address).status_code == 404, (user, address)
        assert signed_in(boss).get(address).status_code == 200, address


def test_templates_of_another_organization_do_not_exist(boss: User, theirs: TemplateVersion) -> None:
    client = signed_in(boss)
    assert "Far away" not in text_of(client.get(HOME))
    for address in addresses(theirs):
        assert client.get(address).status_code == 404, address
        assert client.post(address, {"html": page(), "save": "1"}).status_code == 404, address
    act = client.post(f"{HOME}{theirs.template_id}/act/", {"number": "1", "activate": "1"})
    assert act.status_code == 404
    data = client.get(f"{HOME}export/").content
    assert "far-1.html" not in zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert Template.objects.get(pk=theirs.template_id).active_version is None


def test_files_are_taken_in_with_what_was_mended_and_left_out(boss: User, shared_data: Path) -> None:
    client = signed_in(boss)
    names = ("drg_CC-BY-4.0_041807.4.1706140001-us_carotis.html", "openmrs_MPL2_CTChestAbdomen.html")
    given = [SimpleUploadedFile(name, (shared_data / "mrrt" / name).read_bytes()) for name in names]
    bad = "openmrs_MPL2_invalidMrrtReportTemplate-missingAttributesInCodeElement.html"
    given.append(SimpleUploadedFile("many.zip", packed({"x.html": (shared_data / "mrrt" / bad).read_bytes()})))
    answer = client.post(f"{HOME}upload/", {"file": given, "organization": "default", "note": "of the society"})
    said = text_of(answer)
    assert "lines 112, 113" in said or "cm/s of a number is taken from the words behind it" in said
    assert "“onchange” of <input>, which would run a script" in said
    assert "refused: line 25: a code of the template attributes without meaning" in said
    assert set(Template.objects.filter(organization__name="default").values_list("title", flat=True)) == {
        "Ultraschall Carotis",
        "CT Chest-Abdomen",
    }
    assert set(TemplateVersion.objects.filter(note="of the society").values_list("author_name", flat=True)) == {"boss"}
    assert AuditEvent.objects.filter(action="template.import", actor="boss").count() == 2


def test_templates_are_taken_in_for_organizations_that_one_manages(boss: User, theirs: TemplateVersion) -> None:
    for named in ("other", "", "no-such"):
        given = {"file": SimpleUploadedFile("a.html", page("n-1").encode()), "organization": named}
        answer = signed_in(boss).post(f"{HOME}upload/", given)
        assert answer.status_code == 200
    assert not Template.objects.filter(identifier="n-1").exists()


def test_a_version_is_tried_out_and_gives_the_text_of_a_report(boss: User) -> None:
    version = Template.objects.get(identifier="farview-ct-head").active_version
    address = f"{HOME}{version.template_id}/versions/1/"
    client = signed_in(boss)
    assert "Sample reason for the examination." in text_of(client.get(address))
    given = {
        "haemorrhage": "Subdural haematoma.",
        "haemorrhage_location": "left convexity <b>",
        "haemorrhage_volume": "12",
        "midline_shift": "4.5",
        "impression": "Subdural haematoma.",
    }
    answer = client.post(address, given)
    told = text_of(answer).partition("The text it gives")[2].partition("HTML as it is kept")[0]
    assert "Location of haemorrhage: left convexity <b>" in told
    assert "Midline shift: 4.5 mm" in told
    assert "Estimated volume" not in told  # hangs on another kind of haemorrhage
    assert "&lt;b&gt;" in answer.content.decode()
    answer = client.post(address, {"midline_shift": "x", "haemorrhage": "nothing that is offered"})
    assert "midline_shift: a number is expected" in text_of(answer)
    assert not TemplateEvent.objects.filter(template=version.template).exclude(kind="activated").exists()


def test_no_template_can_run_anything_in_the_administration(boss: User, site: Organization) -> None:
    nasty = "</script><script>alert(1)</script>'\"><img src=x onerror=alert(1)>"
    quoted = nasty.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    version = taken(boss, site, title=quoted, label=quoted).version
    assert "alert(1)" in version.schema["sections"][0]["fields"][0]["label"]
    client = signed_in(boss)
    for address in [HOME, *addresses(version)]:
        if address.endswith("export/"):
            continue
        body = client.get(address).content.decode()
        assert "<script>alert" not in body
        assert "<img src=x" not in body


def test_html_is_checked_and_stored_as_the_next_version(boss: User, own: TemplateVersion) -> None:
    client = signed_in(boss)
    address = f"{HOME}{own.template_id}/versions/2/edit/"
    html = own.html.replace(">Spleen<", ">Kidney<").replace("<p>", "<p onclick='x()'>")
    said = text_of(client.post(address, {"html": html, "check": "1"}))
    assert "Field “Kidney”, label: “Spleen” is now “Kidney”." in said
    assert "“onclick” of <p>, which would run a script" in said
    assert own.template.versions.count() == 2
    answer = client.post(address, {"html": html, "save": "1", "note": "Kidney, not spleen"})
    assert answer["Location"] == f"{HOME}{own.template_id}/versions/3/"
    third = own.template.versions.get(number=3)
    assert (third.author_name, third.note, "onclick" in third.html) == ("boss", "Kidney, not spleen", False)
    assert Template.objects.get(pk=own.template_id).active_version is None
    said = text_of(client.post(address, {"html": "<p>nothing</p>", "save": "1"}))
    assert "there are no template attributes" in said
    client.post(address, {"html": third.html, "save": "1"})
    assert own.template.versions.count() == 3  # the same again


def test_two_versions_are_compared_in_words_and_line_by_line(boss: User, own: TemplateVersion) -> None:
    client = signed_in(boss)
    said = text_of(client.get(f"{HOME}{own.template_id}/difference/"))
    assert "Field “Spleen”, label: “Liver” is now “Spleen”." in said
    assert '-<p><label for="a">Liver</label>' in said
    assert "They mean the same." in text_of(client.get(f"{HOME}{own.template_id}/difference/?from=1&to=1"))
    for wrong in ("?from=9", "?to=x9", "?from=" + "9" * 30):
        assert client.get(f"{HOME}{own.template_id}/difference/{wrong}").status_code in (200, 404)


def test_another_administrator_puts_a_version_in_use(boss: User, bea: User, own: TemplateVersion) -> None:
    act = f"{HOME}{own.template_id}/act/"
    answer = signed_in(boss).post(act, {"number": "2", "activate": "1"}, follow=True)
    assert "another administrator has to look at it" in text_of(answer)
    assert Template.objects.get(pk=own.template_id).active_version is None
    answer = signed_in(bea).post(act, {"number": "2", "activate": "1", "note": "agreed"}, follow=True)
    assert "Version 2 is in use." in text_of(answer)
    assert Template.objects.get(pk=own.template_id).active_version.number == 2
    assert TemplateEvent.objects.get(kind="activated", template=own.template).note == "agreed"
    signed_in(boss).post(act, {"retire": "1"})
    assert Template.objects.get(pk=own.template_id).retired_at is not None
    assert signed_in(boss).get(act).status_code == 403


def test_templates_for_all_are_looked_at_and_cloned_and_not_changed(boss: User, site: Organization) -> None:
    shared = Template.objects.get(identifier="farview-mr-knee")
    client, act = signed_in(boss), f"{HOME}{shared.pk}/act/"
    for given in ({"retire": "1"}, {"number": "1", "activate": "1"}, {"number": "1", "clone": "1", "organization": ""}):
        assert "operator" in text_of(client.post(act, given, follow=True))
    html = shared.active_version.html.replace("Menisci", "Meniscus")
    client.post(f"{HOME}{shared.pk}/versions/1/edit/", {"html": html, "save": "1"})
    shared.refresh_from_db()
    assert (shared.versions.count(), shared.retired_at) == (1, None)
    answer = client.post(act, {"number": "1", "clone": "1", "organization": "default"}, follow=True)
    assert "“MR knee (copy)” is made, and not in use yet." in text_of(answer)
    assert Template.objects.get(title="MR knee (copy)").organization == site
    assert "You do not manage" in text_of(
        client.post(act, {"number": "1", "clone": "1", "organization": "no-such"}, follow=True)
    )


def test_templates_go_out_one_by_one_and_in_a_zip(boss: User, own: TemplateVersion) -> None:
    client = signed_in(boss)
    answer = client.get(f"{HOME}{own.template_id}/versions/2/export/")
    assert answer.content.decode() == own.html
    assert answer["Content-Disposition"] == 'attachment; filename="t-1.2.html"'
    names = zipfile.ZipFile(io.BytesIO(client.get(f"{HOME}export/").content)).namelist()
    assert {"free-text.html", "farview-ct-head.html", "t-1.2.html", "templates.txt"} <= set(names)
    chosen = {"action": "export", "_selected_action": [own.template_id]}
    data = client.post(HOME, chosen).content
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["t-1.2.html", "templates.txt"]


def test_nothing_of_a_template_is_deleted(boss: User, own: TemplateVersion) -> None:
    client = signed_in(boss)
    assert client.post(f"{HOME}{own.template_id}/delete/", {"post": "yes"}).status_code in (403, 404)
    client.post(HOME, {"action": "delete_selected", "_selected_action": [own.template_id], "post": "yes"})
    assert Template.objects.filter(pk=own.template_id).exists()
    assert client.get(f"{HOME}add/").status_code in (403, 404)


# --- for which examinations, and macros


def test_an_examination_is_given_a_template(
    boss: User, bea: User, own: TemplateVersion, theirs: TemplateVersion
) -> None:
    storing.activate(own, bea)
    client, home = signed_in(boss), "/admin/reporting/templatechoice/"
    site = own.template.organization
    given = {"template": own.template_id, "organization": site.pk, "modality": "CT", "body_part": "ABDOMEN"}
    assert client.post(f"{home}add/", given).status_code == 302
    made = TemplateChoice.objects.get(template=own.template)
    assert "CT of the abdomen" in text_of(client.get(home))
    assert AuditEvent.objects.filter(action="templatechoice.make").count() == 1
    for wrong in ({**given, "organization": ""}, {**given, "template": theirs.template_id}):
        assert client.post(f"{home}add/", wrong).status_code == 200
    assert TemplateChoice.objects.filter(organization=site).count() == 1
    shared = TemplateChoice.objects.filter(organization=None).first()
    assert client.post(f"{home}{shared.pk}/change/", given).status_code == 403
    assert client.post(f"{home}{shared.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"{home}{made.pk}/delete/", {"post": "yes"}).status_code == 302
    mine = TemplateChoice.objects.create(template=own.template, reader=bea)
    assert client.get(f"{home}{mine.pk}/change/").status_code == 302  # a reader's own: as if it were not there


def test_macros_of_a_site_are_kept_here_and_readers_own_are_not_seen(
    boss: User, alice: User, site: Organization
) -> None:
    client, home = signed_in(boss), "/admin/reporting/macro/"
    given = {"organization": site.pk, "shortcut": "nl", "text": "Normal lungs."}
    assert client.post(f"{home}add/", given).status_code == 302
    Macro.objects.create(owner=alice, shortcut="secret", text="mine")
    said = text_of(client.get(home))
    assert "Normal lungs." in said
    assert "secret" not in said
    for wrong in (
        {**given, "organization": ""},
        {**given, "shortcut": "a b"},
        {**given, "shortcut": "x1", "text": "{x1}"},
    ):
        assert client.post(f"{home}add/", wrong).status_code == 200
    assert Macro.objects.filter(owner=None).count() == 1
