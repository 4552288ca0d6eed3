"""Templates as they are published, with all that is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reporting.mrrt import Read, Unusable, read
from reporting.mrrt.schema import Code, Condition, Field

INVALID = {
    "openmrs_MPL2_invalidMrrtReportTemplate-missingAttributesInCodeElement.html": "line 25: a code of the template attributes "
    "without meaning",
    "openmrs_MPL2_invalidMrrtReportTemplate-noTemplateAttributesElement.html": "there are no template attributes",
}


def taken(shared: Path, name: str) -> Read:
    [path] = (shared / "mrrt").glob(f"*{name}*.html")
    return read(path.read_text(encoding="utf-8"), path.stem)


def fields(told: Read) -> dict[str, Field]:
    return {field.id: field for field in told.document.schema.fields}


def test_every_published_template_is_taken_in_and_is_the_same_when_written(shared_data: Path) -> None:
    files = sorted((shared_data / "mrrt").glob("*.html"))
    assert len(files) >= 11
    for path in files:
        if path.name in INVALID:
            with pytest.raises(Unusable) as refused:
                read(path.read_text(encoding="utf-8"))
            assert any(said.startswith(INVALID[path.name]) for said in refused.value.problems)
            continue
        told = read(path.read_text(encoding="utf-8"), path.stem)
        again = read(told.html)
        assert again.document == told.document, path.name
        assert (again.repairs, again.dropped) == ((), ()), path.name


def controls_in(path: Path) -> int:
    """Counted in the text of the file, not by a parser: checkboxes of one name and their group count once."""
    text = path.read_text(encoding="utf-8").split("<body", 1)[1].lower()
    return text.count("<select") + text.count("<textarea") + text.count("<input")


@pytest.mark.parametrize("name", ["lungenembolie", "urolithiasis", "rectalca", "us_fast", "carotis", "recist11"])
def test_no_field_of_a_published_template_is_lost(shared_data: Path, name: str) -> None:
    [path] = (shared_data / "mrrt").glob(f"*{name}*.html")
    assert len(fields(read(path.read_text(encoding="utf-8")))) == controls_in(path)


@pytest.mark.parametrize("name", ["lungenembolie", "urolithiasis", "rectalca", "us_fast", "carotis", "recist11"])
def test_labels_of_a_section_tell_its_fields_apart(shared_data: Path, name: str) -> None:
    for section in taken(shared_data, name).document.schema.sections:
        labels = [field.label for field in section.fields]
        assert all(labels)
        assert len(set(labels)) == len(labels)


def test_a_side_named_over_a_table_is_in_the_label_of_every_field_of_it(shared_data: Path) -> None:
    held = fields(taken(shared_data, "carotis"))
    for name, field in held.items():
        if name.startswith(("us_ac_l", "us_ac_r")) and "stenosis" not in name:
            assert field.label.startswith("Links: " if name.startswith("us_ac_l") else "Rechts: "), field.label
    assert held["us_ac_raci_psv"].label == "Rechts: A. carotis interna: PSV"
    assert held["us_ac_raci_psv"].units == "cm/s"


def test_rows_of_nested_tables_name_what_stands_in_them(shared_data: Path) -> None:
    held = fields(taken(shared_data, "urolithiasis"))
    assert held["ureter_dilation_left"].label == "Aufweitung des Ureters: Links"
    assert held["periureteral_edema_right_distal"].label == "Periureterales Ödem: Rechts: im distalen Drittel"
    assert held["concrement_mean_density"].units == "[hnsf'U]"
    assert (held["concrement_mean_density"].minimum, held["concrement_mean_density"].maximum) == (-1024, 4096)


def test_the_first_option_is_what_a_browser_would_show_and_dashes_are_no_choice(shared_data: Path) -> None:
    held = fields(taken(shared_data, "us_fast"))
    assert held["mz_us_fast_perikard"].default == "unauffällig"
    held = fields(taken(shared_data, "lungenembolie"))
    assert held["ct_le_lungenembolie_select"].default == ""
    assert [option.value for option in held["ct_le_lungenembolie_select"].options] == ["ja", "nein"]


def test_two_fields_of_one_id_are_both_kept(shared_data: Path) -> None:
    told = taken(shared_data, "lungenembolie")
    held = fields(told)
    assert held["ct_le_ul_re"].label.endswith("Unterlappen: re")
    assert held["ct_le_ul_re_2"].label.endswith("Unterlappen: li")
    assert "line 151: there are two fields “ct_le_ul_re”; this one is called ct_le_ul_re_2" in told.repairs


def test_numbers_that_stand_for_choices_read_as_their_words(shared_data: Path) -> None:
    plaque = fields(taken(shared_data, "carotis"))["us_ac_lacc_plaque"]
    assert [option.value for option in plaque.options] == ["keine Auffälligkeiten", "atheromatöse Plaques"]


def test_scripts_styles_and_handlers_are_named_as_dropped(shared_data: Path) -> None:
    dropped = " | ".join(taken(shared_data, "lungenembolie").dropped)
    for said in ("line 33: a style sheet", "a script", "“onload” of <body>", "“onchange” of <input>"):
        assert said in dropped
    assert "the template attributes stand in a comment" in " ".join(taken(shared_data, "lungenembolie").repairs)


def test_codes_are_found_whatever_the_letters_of_origtxt(shared_data: Path) -> None:
    told = taken(shared_data, "rectalca")
    assert fields(told)["mr_rectalca_comparison"].codes == (Code("RID28483", "RADLEX", "Comparison"),)
    assert "the code for “mr_rectalca_comparison_info”, which is no part of the template" in told.dropped
    sections = {one.id: one for one in taken(shared_data, "urolithiasis").document.schema.sections}
    assert sections["findings"].code == Code("59776-5", "LN", "Procedure Findings")


def test_an_export_of_radreport_keeps_its_groups_lists_and_codes(shared_data: Path) -> None:
    told = taken(shared_data, "trex_style")
    held = fields(told)
    group = held["cb_1"]
    assert (group.type, group.label, group.default, group.completion) == (
        "selection",
        "Technique",
        ("IV contrast.",),
        "PROHIBIT",
    )
    assert [option.value for option in group.options] == ["IV contrast.", "Other"]
    assert held["cb_1_1_freetext"].show_if == Condition("cb_1", "contains", "Other")
    assert held["cb_1_1_freetext"].default == ""
    bladder = held["sel_1"]
    assert (bladder.type, bladder.default, bladder.suggestions) == (
        "text",
        "Normal.",
        ("Normal.", "Surgically absent."),
    )
    assert bladder.options[0].codes == (Code("RID13173", "RADLEX", "normal"),)
    assert held["t_9"].codes == (Code("RDE196", "RADELEMENT", "Appendiceal diameter"),)
    assert [section.level for section in told.document.schema.sections] == [1, 2]


def test_a_sound_template_needs_few_repairs(shared_data: Path) -> None:
    told = taken(shared_data, "minimal")
    held = fields(told)
    assert told.identifier == "2.25.329800735698586629295641978511506172918"
    assert held["indication"].merge == "order.reason"
    assert held["haem"].default == "None."
    assert [(option.value, option.label) for option in held["haem"].options][1] == (
        "Acute intracranial haemorrhage.",
        "acute",
    )
    assert (held["shift"].units, held["shift"].minimum, held["shift"].maximum, held["shift"].step) == ("mm", 0, 30, 0.1)
    assert held["imp"].type == "textarea"
    assert [(term.type, term.code.value) for term in told.document.terms] == [
        ("modality", "RID10321"),
        ("body part", "RID9080"),
    ]
    assert told.dropped == ()


def test_a_section_of_words_alone_can_be_edited(shared_data: Path) -> None:
    [field] = fields(taken(shared_data, "CTChestAbdomen")).values()
    assert (field.type, field.default) == ("textarea", "This is the CT Chest-Abdomen report template")


HEAD = "<title>T</title><script type='text/xml'><template_attributes></template_attributes></script>"


def body(text: str) -> Read:
    return read(f"<head>{HEAD}</head><body><section data-section-name='Findings'>{text}</section></body>")


def test_radio_buttons_of_one_name_are_one_choice() -> None:
    told = body(
        "<p>Side: <input type=radio name=side value=left checked>left <input type=radio name=side value=right>right</p>"
    )
    [field] = fields(told).values()
    assert (field.id, field.type, field.label, field.default) == ("side", "selection", "Side", "left")
    assert [option.value for option in field.options] == ["left", "right"]


def test_checkboxes_of_one_name_are_one_group_and_of_several_names_are_several() -> None:
    told = body("<p><input type=checkbox name=c value=a>a<input type=checkbox name=c value=b checked>b</p>")
    [group] = fields(told).values()
    assert (group.type, group.multiple, group.default) == ("selection", True, ("b",))
    told = body("<p><input type=checkbox name=c>a<input type=checkbox name=d checked>b</p>")
    assert [(one.label, one.default) for one in fields(told).values()] == [("a", False), ("b", True)]


def test_conditions_are_taken_over_and_bad_ones_named() -> None:
    told = body(
        "<p><select id='N-1'><option>no<option>yes</select>"
        "<input id=size type=number data-x-show-if='N-1 = yes'><input id=b type=text data-x-show-if='nowhere filled'>"
        "<input id=c type=text data-x-show-if='d filled'><input id=d type=text data-x-show-if='c filled'>"
        "<input id=e type=text data-x-show-if='alert(1)'></p>"
    )
    held = fields(told)
    assert held["size"].show_if == Condition("n_1", "=", "yes")
    assert held["b"].show_if is None
    assert (held["c"].show_if, held["d"].show_if) == (Condition("d", "filled"), None)
    said = " ".join(told.dropped)
    assert "“nowhere”, which is not there" in said
    assert "leads back to the field itself" in said
    assert "the condition “alert(1)” cannot be read" in said


def test_merge_names_are_taken_over_and_others_named() -> None:
    told = body(
        "<p><input id=a type=text data-x-merge='patient.name'><input id=b type=text data-x-merge='os.system'>"
        "<span id=m data-field-type='MERGE' data-x-merge='measurement:G-D705'></span>"
        "<input id=q type=text data-field-merge-flag=true></p>"
    )
    held = fields(told)
    assert (held["a"].merge, held["b"].merge) == ("patient.name", "")
    assert (held["m"].type, held["m"].merge) == ("merge", "measurement:G-D705")
    assert "“os.system” is no value to merge" in " ".join(told.dropped)
    assert "does not say with what" in " ".join(told.dropped)


def test_fields_outside_of_any_section_are_kept() -> None:
    told = read(f"<head>{HEAD}</head><body><p>Size <input id=a type=number> mm</p></body>")
    [section] = told.document.schema.sections
    assert (section.id, section.fields[0].label, section.fields[0].units) == ("report", "Size", "mm")


@pytest.mark.parametrize(
    "attributes",
    [
        "<!-- {} -->",
        "<script type='text/xml'><!-- {} --></script>",
        "<script type='text/xml'><?xml version='1.0'?>{}</script>",
        "<script type='application/xml'>{}</script>",
        "{}",
    ],
)
def test_template_attributes_are_found_wherever_they_stand(attributes: str) -> None:
    block = (
        "<TEMPLATE_ATTRIBUTES><status>active</status>"
        "<term type='modality'><code meaning='CT' value='RID10321' scheme='RadLex'></term>"
        "<coded_content><entry origtxt='A'><term>"
        "<code value='RID1' meaning='one' scheme='RADLEX'><code meaning='two' value='RID2'"
        " scheme='RADLEX'></entry></coded_content></template_attributes>"
    )
    told = read(
        f"<head><title>T</title>{attributes.format(block)}</head><body><section><input id=a type=text></section></body>"
    )
    assert told.document.status == "ACTIVE"
    assert [term.code.value for term in told.document.terms] == ["RID10321"]
    assert [code.value for code in fields(told)["a"].codes] == ["RID1", "RID2"]
    assert any("were not closed" in said for said in told.repairs)


def test_a_template_without_an_identifier_is_given_the_same_one_again() -> None:
    first, second = body("<input id=a type=text>"), body("<input id=a type=text>")
    assert first.identifier == second.identifier
    assert first.identifier.startswith("2.25.")
    assert first.identifier != body("<input id=b type=text>").identifier


def test_lists_of_suggestions_that_are_missing_or_belong_to_nobody_are_named() -> None:
    told = body(
        "<p><input id=a type=text list=gone><input id=b type=number list=here><datalist id=here><option value=1></datalist>"
        "<datalist id=alone><option value=2></datalist></p>"
    )
    said = " ".join(told.dropped)
    assert "its list “gone” is not there" in said
    assert "field “b”: its list of suggestions, which its type does not know" in said
    assert "a <datalist> that belongs to no field" in said


def test_what_no_report_asks_for_is_named() -> None:
    told = body(
        "<button onclick='x()'>Go</button><input type=file><input type=hidden value=x><meter value=1></meter>"
        "<p><label for=a>A</label><input id=a type=text title='at least 3'></p>"
    )
    assert list(fields(told)) == ["a"]
    said = " ".join(told.dropped)
    for one in (
        "a <button>",
        "<input type=“file”>",
        "<input type=“hidden”>",
        "a <meter>",
        "the hint “at least 3”",
        "“onclick”",
    ):
        assert one in said, one


def test_bounds_that_mean_nothing_are_named_or_turned_round() -> None:
    told = body(
        "<p><input id=a type=number min=9 max=1 step=0 value=x>"
        "<input id=b type=number min=1e999 max=abc step=any value='2,5'></p>"
    )
    a, b = fields(told).values()
    assert (a.minimum, a.maximum, a.step, a.default) == (1, 9, None, "")
    assert (b.minimum, b.maximum, b.step, b.default) == (None, None, None, 2.5)
    assert any("they are exchanged" in said for said in told.repairs)
    assert sum("is no number" in said for said in told.dropped) == 4


def test_of_several_selected_options_the_last_is_taken_where_one_may_be() -> None:
    options = "<option>a<option selected>b<option selected>c</select>"
    assert fields(body(f"<select id=s>{options}"))["s"].default == "c"
    assert fields(body(f"<select id=s multiple>{options}"))["s"].default == ("b", "c")
    told = body("<select id=s><option>-</select>")
    assert (fields(told)["s"].type, fields(told)["s"].default) == ("text", "")
