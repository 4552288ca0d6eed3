"""The Native DICOM Model (PS3.19 A.1) of an object, from its DICOM JSON model."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from pydicom.datadict import keyword_for_tag

from viewer.dicomweb.json_model import Model

HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE: Final = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
COMPONENTS: Final = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_of(model: Model) -> str:
    """A whole document."""
    inside = "".join(_attribute(tag, told, model) for tag, told in model.items())
    return f'{HEAD}<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">{inside}</NativeDicomModel>'


def _attribute(tag: str, told: dict[str, Any], model: Model) -> str:
    names = {"tag": tag, "vr": told["vr"], **_named(tag, model)}
    head = "".join(f" {name}={quoteattr(_plain(text))}" for name, text in names.items())
    return f"<DicomAttribute{head}>{_inside(told)}</DicomAttribute>"


def _named(tag: str, model: Model) -> dict[str, str]:
    """The keyword, or who reserved a private attribute."""
    keyword = keyword_for_tag(int(tag, 16))
    if keyword:
        return {"keyword": keyword}
    creator = model.get(f"{tag[:4]}00{tag[4:6]}", {}).get("Value", [""])[0]
    return {"privateCreator": creator} if int(tag[:4], 16) & 1 and creator and tag[4:6] != "00" else {}


def _inside(told: dict[str, Any]) -> str:
    if "BulkDataURI" in told:
        return f"<BulkData uri={quoteattr(told['BulkDataURI'])}/>"
    if "InlineBinary" in told:
        return f"<InlineBinary>{told['InlineBinary']}</InlineBinary>"
    write = WRITERS.get(told["vr"], _value)
    return "".join(write(number, value) for number, value in enumerate(told.get("Value", ()), 1))


def _value(number: int, value: Any) -> str:
    return f'<Value number="{number}">{escape(_plain("" if value is None else str(value)))}</Value>'


def _item(number: int, item: Model) -> str:
    inside = "".join(_attribute(tag, told, item) for tag, told in item.items())
    return f'<Item number="{number}">{inside}</Item>'


def _person_name(number: int, name: dict[str, str] | None) -> str:
    groups = "".join(f"<{group}>{_components(text)}</{group}>" for group, text in (name or {}).items())
    return f'<PersonName number="{number}">{groups}</PersonName>'


def _components(text: str) -> str:
    parts = zip(COMPONENTS, text.split("^"), strict=False)
    return "".join(f"<{name}>{escape(_plain(part))}</{name}>" for name, part in parts if part)


def _plain(text: str) -> str:
    """Without characters that XML 1.0 cannot hold."""
    return NOT_XML.sub("", text)


WRITERS: dict[str, Callable[[int, Any], str]] = {"SQ": _item, "PN": _person_name}
