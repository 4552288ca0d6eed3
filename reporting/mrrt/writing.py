"""A template as MRRT HTML, the way it is written here: always the same for the same content, and read back as what it
was.

IHE RAD TF MRRT says what stands where; what it has no word for stands in `data-x-`: show-if conditions and merge names.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from reporting.mrrt import showing
from reporting.mrrt.document import MRRT_NAMES, SCHEMES, Document
from reporting.mrrt.schema import FIELD_TYPES, Code, Field, Section

WRITTEN_HERE = ("data-x-written", "1")
"""On <body>: nothing of it needs guessing."""
_INPUTS = {"number": "number", "date": "date", "time": "time"}


def write(document: Document) -> str:
    """The whole document."""
    lines = ["<!DOCTYPE html>", f'<html lang="{_a(document.schema.language)}">', "<head>"]
    lines += _head(document)
    lines += ["</head>", f'<body {WRITTEN_HERE[0]}="{WRITTEN_HERE[1]}">']
    lines += _sections(document.schema.sections)
    lines += ["</body>", "</html>", ""]
    return "\n".join(lines)


def _a(text: str) -> str:
    """Text for an attribute; a line end stays one however the file is carried."""
    return escape(text, quote=True).replace("\n", "&#10;").replace("\t", "&#9;")


def _t(text: str) -> str:
    return escape(text, quote=False)


def _tag(element: str, /, **attributes: Any) -> str:
    """A start tag; None and False are left out, True stands alone. Names with "_" are written with "-"."""
    parts = [element]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        named = key.rstrip("_").replace("_", "-")
        parts.append(named if value is True else f'{named}="{_a(str(value))}"')
    return f"<{' '.join(parts)}>"


# --- the head


def _head(document: Document) -> Iterator[str]:
    schema = document.schema
    yield f"<title>{_t(schema.title)}</title>"
    yield '<meta charset="UTF-8">'
    pairs = [("title", schema.title), ("identifier", document.identifier), ("type", "IMAGE_REPORT_TEMPLATE")]
    for name, value in [*pairs, ("language", schema.language), *document.metadata]:
        yield _tag("meta", name=f"dcterms.{name}", content=value)
    yield '<script type="text/xml">'
    yield from _attributes(document)
    yield "</script>"


def _attributes(document: Document) -> Iterator[str]:
    yield "<template_attributes>"
    yield f"<top-level-flag>{'true' if document.top_level else 'false'}</top-level-flag>"
    if document.status:
        yield f"<status>{document.status}</status>"
    coded = list(_coded(document))
    codes = [term.code for term in document.terms] + [code for _, held in coded for code in held]
    yield from _schemes(codes)
    for term in document.terms:
        yield f'<term type="{_a(term.type)}">{_code(term.code)}</term>'
    yield "<coded_content>"
    for name, held in coded:
        terms = "".join(f"<term>{_code(code)}</term>" for code in held)
        yield f'<entry ORIGTXT="{_a(name)}">{terms}</entry>'
    yield "</coded_content>"
    yield "</template_attributes>"


def _schemes(codes: list[Code]) -> Iterator[str]:
    yield "<coding_schemes>"
    for scheme in dict.fromkeys(code.scheme for code in codes):
        name = MRRT_NAMES.get(scheme, scheme)
        oid = SCHEMES.get(scheme, ("", ""))[1]
        yield f'<coding_scheme name="{_a(name)}" designator="{_a(oid or name)}"/>'
    yield "</coding_schemes>"


def _code(code: Code) -> str:
    scheme = MRRT_NAMES.get(code.scheme, code.scheme)
    return f'<code meaning="{_a(code.meaning)}" value="{_a(code.value)}" scheme="{_a(scheme)}"/>'


def _coded(document: Document) -> Iterator[tuple[str, tuple[Code, ...]]]:
    """Ids of elements that have codes."""
    for section in document.schema.sections:
        if section.code is not None:
            yield f"section-{section.id}", (section.code,)
        for field in section.fields:
            if field.codes:
                yield field.id, field.codes
            for place, option in enumerate(field.options):
                if option.codes:
                    yield f"{field.id}-{place}", option.codes


# --- the body


def _sections(sections: tuple[Section, ...]) -> Iterator[str]:
    depth = 0
    for section in sections:
        while depth >= section.level:
            yield "</section>"
            depth -= 1
        depth = section.level
        yield _tag(
            "section",
            id=f"section-{section.id}",
            class_=f"level{section.level}",
            data_section_name=section.title,
            data_section_required="true" if section.required else "false",
        )
        yield f'<header class="level{section.level}">{_t(section.title)}</header>'
        for field in section.fields:
            yield f'<p><label for="{field.id}">{_t(field.label)}</label>'
            yield from CONTROLS[field.type](field)
            yield "</p>"
    yield from ["</section>"] * depth


def _common(field: Field) -> dict[str, Any]:
    return {
        "data_field_type": FIELD_TYPES[field.type],
        "data_field_completion_action": field.completion,
        "data_field_units": field.units or None,
        "data_field_merge_flag": "true" if field.merge else None,
        "data_field_verbal_trigger": field.spoken or None,
        "data_x_merge": field.merge or None,
        "data_x_show_if": showing.written(field.show_if) if field.show_if else None,
        "required": field.required,
    }


def _line(field: Field) -> Iterator[str]:
    listed = f"{field.id}-list" if field.suggestions else None
    bounds = {"min": field.minimum, "max": field.maximum, "step": field.step} if field.type == "number" else {}
    kind = _INPUTS.get(field.type, "text")
    yield _tag(
        "input",
        **{"id": field.id, "name": field.id, "type": kind, "list": listed},
        **_common(field),
        **{key: number_text(value) for key, value in bounds.items()},
        value=number_text(field.default) if field.type == "number" else field.default,
    )
    yield from _datalist(field)


def number_text(value: Any) -> str | None:
    return None if value is None else str(value)


def _datalist(field: Field) -> Iterator[str]:
    if field.suggestions:
        yield f'<datalist id="{field.id}-list">'
        coded = {option.value: place for place, option in enumerate(field.options)}
        for said in field.suggestions:
            named = f"{field.id}-{coded[said]}" if said in coded else None
            yield f"{_tag('option', id=named, value=said)}{_t(said)}</option>"
        yield "</datalist>"


def _area(field: Field) -> Iterator[str]:
    listed = f"{field.id}-list" if field.suggestions else None
    start = _tag("textarea", id=field.id, name=field.id, list=listed, **_common(field))
    yield f"{start}\n{_t(field.default)}</textarea>"
    yield from _datalist(field)


def _select(field: Field) -> Iterator[str]:
    chosen = set(field.default) if field.several else {field.default}
    yield _tag("select", id=field.id, name=field.id, multiple=field.multiple, **_common(field))
    if not field.several and not field.default:
        yield '<option value="" selected></option>'
    for place, option in enumerate(field.options):
        start = _tag("option", id=f"{field.id}-{place}", value=option.value, selected=option.value in chosen)
        yield f"{start}{_t(option.label)}</option>"
    yield "</select>"


def _box(field: Field) -> Iterator[str]:
    yield _tag("input", id=field.id, name=field.id, type="checkbox", checked=field.default is True, **_common(field))


CONTROLS = {
    **dict.fromkeys(("text", "number", "date", "time", "merge"), _line),
    **{"textarea": _area, "selection": _select, "checkbox": _box},
}
"""Field type -> how its control is written."""
