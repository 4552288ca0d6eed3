"""WADO-URI (PS3.18 9) for clients that know no other: one object or one picture, named by query parameters."""

from __future__ import annotations

from collections.abc import Mapping

from asgiref.sync import sync_to_async
from django.http import HttpResponseBase
from rest_framework.request import Request

from viewer.archive.query import BadQuery, NotFound
from viewer.dicom.header import EXPLICIT_LITTLE_ENDIAN
from viewer.dicomweb.accepting import Accepted, accepted, not_acceptable
from viewer.dicomweb.media_types import DICOM
from viewer.dicomweb.picturing import Region, Wish, numbers, window_of, wish_of
from viewer.dicomweb.rendering import MEDIA_TYPES, alone, drawable, middle, shots_of
from viewer.dicomweb.retrieving import chosen, offered, one_object
from viewer.dicomweb.selecting import Leaving, RetrieveDoor, note_retrieval, selected
from viewer.rendering.fields import LARGEST_SIDE

UIDS = {"studyUID": "study_instance_uid", "seriesUID": "series_instance_uid", "objectUID": "sop_instance_uid"}
FILE_ONLY = ("transferSyntax", "anonymize")
PICTURE_ONLY = (
    *("charset", "rows", "columns", "region", "windowCenter", "windowWidth", "frameNumber", "imageQuality"),
    *("annotation", "presentationUID"),
)


class WadoUri(RetrieveDoor):
    """`/wado?requestType=WADO&studyUID=...&seriesUID=...&objectUID=...`: application/dicom or a picture, by `contentType`."""

    async def get(self, request: Request) -> HttpResponseBase:
        asked = request.query_params
        uids = uids_of(asked)
        (leaving,) = await sync_to_async(selected)(request, uids, index=True)
        types = accepted(asked.get("contentType", ""))
        if not asked.get("contentType"):
            types = [Accepted("image/jpeg" if drawable(leaving) else DICOM, None, {})]
        if types and types[0].media_type == DICOM:
            return await _file(request, leaving)
        media_type = next((name for one in types for name in MEDIA_TYPES if one.covers(name)), None)
        number = _frame_number(asked, leaving)
        if media_type is None or not drawable(leaving) or "presentationUID" in asked:
            return not_acceptable([DICOM, *(MEDIA_TYPES if drawable(leaving) else ())])
        shots = shots_of([leaving], number)
        return await alone(request, middle(shots), _wish(asked, leaving), media_type)


def uids_of(asked: Mapping[str, str]) -> dict[str, str]:
    """The three UIDs of a request. Raises BadQuery."""
    if asked.get("requestType") != "WADO":
        raise BadQuery("requestType", "WADO is expected")
    for name in UIDS:
        if not asked.get(name):
            raise BadQuery(name, "a UID is expected")
    return {ours: asked[theirs] for theirs, ours in UIDS.items()}


async def _file(request: Request, leaving: Leaving) -> HttpResponseBase:
    asked = request.query_params
    if asked.get("anonymize", "no").lower() != "no":
        return not_acceptable([DICOM])
    if any(name in asked for name in PICTURE_ONLY):
        raise BadQuery(
            next(name for name in PICTURE_ONLY if name in asked), "is for pictures, not for application/dicom"
        )
    # Said nothing, the standard's answer is Explicit VR Little Endian; who can read what is stored names it, or "*".
    wanted = asked.get("transferSyntax") or EXPLICIT_LITTLE_ENDIAN
    choice = chosen([Accepted(DICOM, False, {"transfer-syntax": wanted})], [leaving])
    if choice is None and "transferSyntax" not in asked:
        choice = chosen([Accepted(DICOM, False, {})], [leaving])
    if choice is None:
        return not_acceptable([f"{DICOM};transfer-syntax={syntax}" for syntax in offered(leaving.instance)])
    await sync_to_async(note_retrieval)(request, [leaving], {"as": "objects", "by": "wado-uri"})
    return await one_object(request, *choice.objects[0], multipart=False)


def _frame_number(asked: Mapping[str, str], leaving: Leaving) -> str | None:
    text = asked.get("frameNumber")
    if text is not None and "," in text:
        raise BadQuery("frameNumber", "one number is expected")
    if text is not None and not leaving.instance.number_of_frames:
        raise NotFound("this object has no frames")
    return text


def _wish(asked: Mapping[str, str], leaving: Leaving) -> Wish:
    """PS3.18 9.1.2.2. A region is a part of the whole, 0 to 1."""
    for name in FILE_ONLY:
        if name in asked and asked[name].lower() not in ("no", ""):
            raise BadQuery(name, "is for application/dicom, not for pictures")
    plain = wish_of({"quality": asked.get("imageQuality", ""), "annotation": asked.get("annotation", "")})
    window = None
    if "windowCenter" in asked or "windowWidth" in asked:
        window = window_of(
            "windowCenter, windowWidth", f"{asked.get('windowCenter', '')},{asked.get('windowWidth', '')}"
        )
    pixels = leaving.instance.index["pixels"]
    region = None
    if "region" in asked:
        left, top, right, bottom = numbers("region", asked["region"], 4)
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise BadQuery("region", "xmin,ymin,xmax,ymax from 0 to 1 are expected")
        columns, rows = pixels["columns"], pixels["rows"]
        region = Region(left * columns, top * rows, (right - left) * columns, (bottom - top) * rows)
    return Wish(_viewport(asked), region, window, plain.quality)


def _viewport(asked: Mapping[str, str]) -> tuple[int, int] | None:
    """`rows` and `columns` are the most there may be; one of them alone leaves the other to the shape of the frame."""
    if "rows" not in asked and "columns" not in asked:
        return None
    return wish_of({"viewport": f"{asked.get('columns', LARGEST_SIDE)},{asked.get('rows', LARGEST_SIDE)}"}).viewport
