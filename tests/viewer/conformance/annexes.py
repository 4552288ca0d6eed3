"""Bounds, and what is in the annexes."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.datadict import dictionary_VR, tag_for_keyword

from reporting.exports import dicom_subject, rejection, sr_codes
from tests.viewer.conformance.markdown import Row, name_of, size, table, tag_of
from viewer.archive import correcting_facts
from viewer.dicom import directory, rejection_note, rewriting, text
from viewer.dicom.limits import Limits as ObjectLimits
from viewer.dicomweb import json_in
from viewer.dimse import calling, fetching
from viewer.dimse.limits import Limits
from viewer.objects import captured_picture, codes, key_object, presentation_state
from viewer.objects.content import Code


def limits() -> str:
    ours, objects = Limits(), ObjectLimits()
    rows: list[Row] = [
        ("one PDU", size(ours.pdu_bytes), "`FARVIEW_MAX_PDU_BYTES`"),
        ("a command set, a PDU that carries no data", size(ours.control_bytes), "-"),
        ("an Identifier, a list of references", size(ours.identifier_bytes), "-"),
        ("one object", size(ours.object_bytes), "`FARVIEW_MAX_OBJECT_BYTES`"),
        ("associations, of all peers", ours.associations, "`FARVIEW_DICOM_ASSOCIATIONS`"),
        ("associations of one peer", ours.of_one_peer, "half of them"),
        ("nothing moves; one PDU takes", f"{ours.idle_s:g} s", "`FARVIEW_DICOM_IDLE_SECONDS`"),
        ("from the connection to the whole A-ASSOCIATE-RQ", f"{ours.negotiation_s:g} s", "-"),
        ("connections that have said nothing, of one address", f"{ours.waiting}, {ours.waiting_of_one}", "-"),
        (
            "associations that are not admitted yet, of one address",
            f"{ours.negotiating}, {ours.negotiating_of_one}",
            "-",
        ),
        ("requests of one association that wait", ours.requests_ahead, "-"),
        ("rows x columns x samples of a frame", f"{objects.max_pixels:,}", "`FARVIEW_MAX_PIXELS`"),
        ("frames of an object", f"{objects.max_frames:,}", "`FARVIEW_MAX_FRAMES`"),
        ("nesting of sequences", objects.max_sequence_depth, "`FARVIEW_MAX_SEQUENCE_DEPTH`"),
        ("a deflated object, inflated", size(objects.max_inflated_bytes), "`FARVIEW_MAX_INFLATED_BYTES`"),
        ("elements of an object", f"{objects.max_elements:,}", "-"),
    ]
    return table("what | limit, unless set otherwise | setting", rows)


def patience() -> str:
    rows: list[Row] = [
        ("until the connection stands", f"{calling.CONNECT_S:g} s"),
        ("until the association is answered", f"{calling.ACSE_S:g} s"),
        ("for an answer, and for a piece the peer does not read", f"{calling.ANSWER_S:g} s"),
        ("between two answers of a C-GET or C-MOVE", f"{fetching.RETRIEVE_S:g} s"),
        ("longest PDU that we take", size(calling.LONGEST_PDU)),
        ("presentation contexts of one association", f"{calling.MOST_CONTEXTS}"),
    ]
    return table("what | limit", rows)


# --- annexes


def created() -> str:
    rows = [
        ("key images", key_object.SOP_CLASS, "KO", "TID 2010"),
        ("rejection of objects, of a withdrawn report", key_object.SOP_CLASS, "KO", "TID 2010, IHE RAD-66"),
        ("how a grey picture was shown", presentation_state.GREY, "PR", "-"),
        ("how a colour picture was shown", presentation_state.COLOUR, "PR", "-"),
        ("a picture that no state describes", captured_picture.SOP_CLASS, "OT", "-"),
        ("measurements, some in the patient", "1.2.840.10008.5.1.4.1.1.88.34", "SR", "TID 1500"),
        ("measurements on images alone", "1.2.840.10008.5.1.4.1.1.88.33", "SR", "TID 1500"),
        ("a signed report", dicom_subject.REPORT_CLASS, "SR", "TID 2000"),
        ("its document", dicom_subject.DOCUMENT_CLASS, "DOC", "PDF/A-2a inside"),
    ]
    return table("what | SOP class | UID | Modality | template", [(a, name_of(b), b, c, d) for a, b, c, d in rows])


def titles() -> str:
    found = dict.fromkeys((*key_object.TITLES.values(), *key_object.REJECTIONS.values()), "made")
    rows = [
        (code[0], code[1], code[2], "read and made" if code[0] in rejection_note.CODES else use)
        for code, use in found.items()
    ]
    assert {code[0] for code in rejection.TITLES.values()} <= set(rejection_note.CODES) <= {row[0] for row in rows}
    return table("code | scheme | title | here", rows)


def corrected() -> str:
    names = dict.fromkeys((*correcting_facts.PERSONAL, *correcting_facts.OF_STUDY))
    rows = sorted((tag_for_keyword(name) or 0, name) for name in names)
    return table("tag | attribute | VR", [(tag_of(tag), name, dictionary_VR(tag)) for tag, name in rows])


def _codes_in(value: object) -> Iterable[Code]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _codes_in(one)
    elif isinstance(value, tuple) and len(value) == 3 and all(isinstance(part, str) for part in value):
        yield value


def terminology() -> str:
    found = {code for module in (codes, sr_codes) for value in vars(module).values() for code in _codes_in(value)}
    kept = sorted(code for code in found if code[1] in ("DCM", "SCT", "LN", codes.OWN))
    return table(
        "scheme | code | meaning",
        [(scheme, value, meaning) for value, scheme, meaning in sorted(kept, key=lambda c: (c[1], c[0]))],
    )


def stow_syntaxes() -> str:
    return table(
        "bulk data of the media type | without a parameter are in",
        [(f"`{kind}`", name_of(str(uid))) for kind, uid in json_in.SYNTAXES.items()],
    )


def implementation() -> str:
    caller = calling._Caller(ae_title="FARVIEW")
    name = rewriting.IMPLEMENTATION_VERSION_NAME
    rows: list[Row] = [
        ("associations that we accept, objects that we store and make", rewriting.IMPLEMENTATION_CLASS_UID, name),
        ("associations that we ask for", caller.implementation_class_uid, caller.implementation_version_name),
        ("files that STOW-RS makes of DICOM JSON or XML", json_in.IMPLEMENTATION_CLASS_UID, "-"),
    ]
    return table("where | Implementation Class UID | Implementation Version Name", rows)


def character_sets() -> str:
    """Defined Terms (PS3.3 C.12.1.1.2), as the standard writes them."""
    terms = {term.replace("ISO IR ", "ISO_IR ") for term in text._TERMS if term and not term.startswith("UTF")}
    single = sorted(term for term in terms if not term.startswith("ISO 2022"))
    extended = sorted(term for term in terms if term.startswith("ISO 2022"))
    return table("without code extensions | with code extensions", [(", ".join(single), ", ".join(extended))])


def directory_records() -> str:
    rows: dict[str, list[str]] = {}
    for root, kind in directory.KINDS.items():
        rows.setdefault(kind, []).append(f"{directory._STORAGE}{root}")
    return table(
        "Directory Record Type | SOP classes that are this or begin with it",
        [*((kind, ", ".join(uids)) for kind, uids in sorted(rows.items())), ("IMAGE", "all others")],
    )
