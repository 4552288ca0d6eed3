"""What is supported: SOP classes, presentation contexts, addresses, transfer syntaxes; and how requests are answered."""

from __future__ import annotations

from pydicom.uid import UID

from tests.viewer.conformance.markdown import Row, name_of, table
from viewer.dicom import syntaxes
from viewer.dicom.decode import DECODERS
from viewer.dicom.rewriting import web_syntax
from viewer.dicomweb import capabilities, media_types, rendering, storing
from viewer.dimse import calling, fetching, handlers, negotiation, performed, remote
from viewer.dimse.admission import NO_SEAT, NOT_NOW, UNKNOWN_CALLED, UNKNOWN_CALLER

STORAGE = "all of annex A.1, private and unknown ones"


def sop_classes() -> str:
    asked_for = {
        str(one) for module in (calling, remote, fetching) for one in vars(module).values() if isinstance(one, UID)
    }
    rows: list[Row] = [("Storage", STORAGE, "yes", "yes", "store; retrieve where the peer is the provider of a C-GET")]
    for row in handlers.CONTEXTS:
        uid = row.sop_class_uid
        rows.append((name_of(uid), uid, "yes" if uid in asked_for else "no", "yes", row.right or "none is needed"))
    return table("SOP class | UID | user (SCU) | provider (SCP) | right of the peer", rows)


def storage_classes() -> str:
    rows = sorted(negotiation.STORAGE_CLASSES, key=lambda uid: [int(part) for part in uid.split(".")])
    return table("UID | SOP class", [(uid, name_of(uid)) for uid in rows])


def contexts() -> str:
    taken = ", ".join(map(name_of, handlers.UNCOMPRESSED))
    rows: list[Row] = [(name_of(row.sop_class_uid), taken, "SCP") for row in handlers.CONTEXTS]
    last = ", ".join(name_of(uid) for uid in sorted(negotiation.LAST, key=negotiation.LAST.__getitem__))
    rows.append(
        (
            f"Storage ({STORAGE})",
            f"whatever is proposed, the first one that is neither {last.replace(', ', ' nor ')}; of these in this order",
            "SCP; both roles where role selection proposes them and the rights allow them",
        )
    )
    return table("abstract syntax | transfer syntaxes, the first that is proposed wins | role", rows)


def addresses() -> str:
    rows: list[Row] = []
    for one in capabilities.resources():
        for method in one["methods"]:
            produces = ", ".join(f"`{kind}`" for kind in (*method.get("consumes", ()), *method.get("produces", ())))
            rows.append((f"`/dicom-web/{one['path']}`", method["name"], produces or "-"))
    rows.append(("`/wado`", "GET", ", ".join(f"`{kind}`" for kind in (media_types.DICOM, *rendering.MEDIA_TYPES))))
    return table("address | method | media types, as the capabilities tell them", rows)


def transfer_syntaxes() -> str:
    known = {*DECODERS, *media_types.ENCAPSULATED, *syntaxes.VIDEO, *syntaxes.REFERENCED}
    rows: list[Row] = []
    for uid in sorted(known, key=lambda uid: [int(part) for part in uid.split(".")]):
        web = name_of(web_syntax(uid)) if web_syntax(uid) != uid else "as it is"
        frames = "not here" if uid in syntaxes.REFERENCED else f"`{media_types.type_of(uid)}`"
        drawn = "yes" if uid in DECODERS else "video" if uid in syntaxes.VIDEO else "no"
        rows.append((name_of(uid), uid, drawn, web, frames))
    return table("transfer syntax | UID | drawn | leaves by WADO-RS | its frames are", rows)


# --- statuses


def statuses(*rows: tuple[int, str]) -> str:
    return table("status | when", [(f"{status:04X}", when) for status, when in rows])


def c_store() -> str:
    from viewer.dimse import storing

    return statuses(
        (storing.SUCCESS, "the object is durable and recorded, or was held already with the same bytes"),
        (storing.KEPT_BESIDE_ANOTHER, "a warning: other bytes are held under this UID; these are kept beside them"),
        (
            storing.OUT_OF_RESOURCES,
            "the disk is nearly full or fails, the object is over the limit, the database is busy",
        ),
        (storing.DOES_NOT_MATCH, "the data set is of another instance or class than the command says"),
        (storing.CANNOT_UNDERSTAND, "cut short, damaged, over a limit or without the UIDs of the composite model"),
        (storing.NOT_AUTHORIZED, "the right to store was withdrawn"),
    )


def c_find() -> str:
    from viewer.dimse import finding, identifiers

    return statuses(
        (0x0000, "all matches were sent"),
        (finding.PENDING, "a match; all keys of the Identifier are supported or answered empty"),
        (finding.CANCELLED, "ended by C-CANCEL"),
        (identifiers.NO_MATCH_OF_CLASS, "no such level, a unique key above it is missing, a value is not of its kind"),
        (identifiers.CANNOT_PROCESS, "the Identifier cannot be read, asks for too much, or answering failed"),
        (identifiers.NOT_AUTHORISED, "the right to query was withdrawn"),
    )


def c_move() -> str:
    from viewer.dimse import identifiers, leaving, retrieving

    return statuses(
        (retrieving.SUCCESS, "every object has left"),
        (retrieving.PENDING, "after each object, with the counts so far"),
        (retrieving.CANCELLED, "ended by C-CANCEL"),
        (retrieving.SOME_FAILED, "some objects failed or left with a warning; Failed SOP Instance UID List"),
        (leaving.TOO_MANY, f"more than {leaving.MOST:,} objects"),
        (retrieving.ALL_FAILED, "not one object has left; Failed SOP Instance UID List"),
        (leaving.UNKNOWN_DESTINATION, "C-MOVE: the destination is no active peer of the organization with a port"),
        (identifiers.NO_MATCH_OF_CLASS, "no such level, or a unique key is missing or no UID"),
        (identifiers.CANNOT_PROCESS, "the Identifier cannot be read, or sending failed here"),
        (identifiers.NOT_AUTHORISED, "the right to retrieve was withdrawn"),
    )


def n_action() -> str:
    from viewer.dimse import commitment

    return statuses(
        (0x0000, "the request is durable; the answer follows by N-EVENT-REPORT"),
        (commitment.NO_SUCH_INSTANCE, f"not the well-known instance {commitment.WELL_KNOWN_INSTANCE}"),
        (commitment.NO_SUCH_ACTION, f"an action type other than {commitment.REQUEST_COMMITMENT}"),
        (commitment.INVALID_VALUE, "what stands for a UID is none"),
        (commitment.MISSING_ATTRIBUTE, "no Transaction UID, or no references"),
        (commitment.NOT_AUTHORIZED, "the right was withdrawn"),
        (commitment.NO_RESOURCES, "the database is busy, or the disk is full"),
    )


def failure_reasons() -> str:
    from viewer.dimse import commitment

    return statuses(
        (commitment.PROCESSING_FAILURE, "the stored bytes are missing or are not those that came"),
        (commitment.NO_SUCH_OBJECT, "not held in the organization of the peer"),
        (commitment.CLASS_CONFLICT, "held, of another SOP class"),
    )


def performed_step() -> str:
    return statuses(
        (performed.SUCCESS, "kept"),
        (performed.INVALID_VALUE, "a new step that is not IN PROGRESS, or no status of a step"),
        (performed.FAILED, f"cannot be read or kept; with Error ID {performed.NO_LONGER_CHANGED:04X}: it has ended"),
        (performed.DUPLICATE, "N-CREATE of a UID that is known"),
        (performed.NO_SUCH_INSTANCE, "N-SET of a UID that is not"),
        (performed.MISSING, "N-CREATE without Performed Procedure Step Status"),
        (performed.NOT_ALLOWED, "the right was withdrawn"),
    )


def rejections_of_associations() -> str:
    when = {
        UNKNOWN_CALLER: "no active peer has this AE title at this address",
        UNKNOWN_CALLED: "the called AE title is not ours",
        NO_SEAT: "as many associations as there may be, of all peers or of this one",
        NOT_NOW: "the database does not answer",
    }
    return table("result, source, reason | when", [(", ".join(map(str, one.code)), why) for one, why in when.items()])


def http_statuses() -> str:
    from viewer.api.doors import STATUSES

    when = {
        "BadQuery": "a parameter or body that is not right; `detail` names it",
        "BadView": "or that makes no picture",
        "NotFound": "not there, or not for this person to see or do: the same answer",
        "Ambiguous": "held in several organizations of this person: ask again with `?organization=`",
        "CannotDraw": "the pixels cannot be decoded or drawn",
        "Busy": "too much waits at this moment",
        "DatabaseBusy": "the database is busy; both with Retry-After",
        "StorageFull": "the disk is nearly full",
    }
    words: dict[str, list[str]] = {}
    for kind, status in STATUSES.items():
        words.setdefault(str(status), []).append(when[kind.__name__])
    rows = [(status, "; ".join(said)) for status, said in words.items()]
    rows += [
        ("200, 206", "all of it; a range, or those objects of several that can be had as wished"),
        ("204", "a search without matches; deleted"),
        ("304", "unchanged since the ETag of If-None-Match"),
        ("401", "nobody is signed in, or with a token that is unknown, expired or revoked"),
        ("403", "a cookie that changes something, without the token against forged pages"),
        ("406", "in none of the accepted media types and transfer syntaxes; `available` lists those there are"),
        ("413", "a body over the limit"),
        ("415", "STOW-RS: a body of another media type"),
        ("416", "a range that is not there"),
        ("405", "a method that this address has not"),
    ]
    return table("status | when", sorted(rows))


def stow() -> str:
    reasons = [
        (storing.OUT_OF_RESOURCES, "the disk is nearly full, or the database is busy"),
        (storing.WRONG_STUDY, "of another study than the address names"),
        (storing.CANNOT_UNDERSTAND, "no DICOM, cut short, damaged, or over a limit"),
        (storing.DUPLICATE, "other bytes are held under this UID; these are kept beside them"),
    ]
    assert {one for one, _ in reasons} >= set(storing.FAILURES.values())
    return table("Failure Reason (0008,1197) | when", [(f"{one:04X}", why) for one, why in reasons])
