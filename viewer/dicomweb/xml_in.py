"""The Native DICOM Model (PS3.19 A.1) of an instance that comes by STOW-RS, as its DICOM JSON model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final
from xml.etree.ElementTree import Element, TreeBuilder  # nosec B405  # builds, parses nothing
from xml.parsers import expat  # nosec B407  # a document type, and with it every entity, ends the reading

from viewer.dicomweb.multipart_in import BadMultipart, Part, Slice

DICOM_XML: Final = "application/dicom+xml"
XML_BYTES: Final = 16 << 20
"""Of one instance without its bulk data: a tree of elements takes several times that."""
DEEPEST: Final = 400
"""Elements within each other; a sequence within a sequence is three of them."""
COMPONENTS: Final = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")
Model = dict[str, dict[str, Any]]


def dataset(file: BinaryIO, part: Part) -> Model:
    """One instance. Raises BadMultipart."""
    if part.length > XML_BYTES:
        raise BadMultipart(f"the metadata of an instance are longer than {XML_BYTES >> 20} MiB")
    try:
        root = _tree(Slice(file, part.offset, part.length).read() or b"")
        if _name(root) != "NativeDicomModel":
            raise ValueError
        return _model(root)
    except (expat.ExpatError, ValueError, KeyError, AssertionError):
        raise BadMultipart("the metadata are not a Native DICOM Model") from None


def _tree(text: bytes) -> Element:
    """Without document types, and so without entities. Raises ValueError, ExpatError."""
    builder, depth = TreeBuilder(), 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise ValueError
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def refuse(*_: object) -> None:
        raise ValueError

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    parser.Parse(text, True)
    return builder.close()


def _name(element: Element) -> str:
    """Without its namespace, which some leave out."""
    return str(element.tag).rpartition(" ")[2]


def _model(holder: Element) -> Model:
    return {one.attrib["tag"].upper(): _attribute(one) for one in holder if _name(one) == "DicomAttribute"}


def _attribute(element: Element) -> dict[str, Any]:
    vr = element.attrib["vr"]
    for child in element:
        kind = _name(child)
        if kind == "BulkData":
            return {"vr": vr, "BulkDataURI": child.attrib.get("uri") or child.attrib["uuid"]}
        if kind == "InlineBinary":
            return {"vr": vr, "InlineBinary": "".join((child.text or "").split())}
    values = list(_values(element, vr))
    return {"vr": vr, "Value": values} if values else {"vr": vr}


def _values(element: Element, vr: str) -> Iterator[Any]:
    """In their order; a number that is left out is an empty value."""
    numbered = {int(child.attrib["number"]): child for child in element if _name(child) in READERS}
    if max(numbered, default=0) > len(element):
        raise ValueError
    for number in range(1, max(numbered, default=0) + 1):
        child = numbered.get(number)
        yield None if child is None else READERS[_name(child)](child, vr)


def _value(element: Element, vr: str) -> Any:
    text = element.text or ""
    return (NUMBERS.get(vr, str)(text) if text else None) if vr in NUMBERS else text


def _item(element: Element, vr: str) -> Model:
    return _model(element)


def _person_name(element: Element, vr: str) -> dict[str, str]:
    found = {_name(group): group for group in element}
    return {group: _components(found[group]) for group in GROUPS if group in found}


def _components(group: Element) -> str:
    said = {_name(part): part.text or "" for part in group}
    return "^".join(said.get(name, "") for name in COMPONENTS).rstrip("^")


READERS: Final[dict[str, Callable[[Element, str], Any]]] = {
    "Value": _value,
    "Item": _item,
    "PersonName": _person_name,
}
NUMBERS: Final[dict[str, Callable[[str], Any]]] = {
    **dict.fromkeys(("US", "UL", "UV", "SS", "SL", "SV"), int),
    **dict.fromkeys(("FL", "FD"), float),
}
"""Value representations whose values are numbers, not texts of them."""
