"""Sending objects of a study to a peer: those that it has not acknowledged yet."""

from __future__ import annotations

from collections import Counter

from viewer.dimse import leaving
from viewer.dimse.leaving import Part
from viewer.dimse.queue_work import InVain, TryAgain, Work
from viewer.dimse.sending import NO_CONTEXT, good, store
from viewer.models import Instance, Transfer

FOR_GOOD = (0xA900, 0xC000, 0x0117, NO_CONTEXT)
"""Refusals that are about the object, so that it is refused again."""


def run(work: Work) -> None:
    """Raises NotReached, TryAgain, InVain, Stopped."""
    transfer = work.transfer
    wanted = instances_of(transfer)
    if not wanted:
        raise InVain("there is nothing to send: the study, or this part of it, is no longer here")
    left = [key for key, uid in wanted if not work.has(uid)]
    work.begin(len(wanted), len(wanted) - len(left))
    files = list(leaving.files([Part("", transfer.study_instance_uid, tuple(left))]))

    def on_each(uid: str, status: int) -> None:
        if good(status):
            work.one_more(uid)
        else:
            work.one_failed()

    result = store(transfer.peer, files, on_each, work.stop)
    work.check()
    if result.broken:
        raise TryAgain(result.broken)
    if result.failed:
        raise _refused(result.failed, len(wanted))


def instances_of(transfer: Transfer) -> list[tuple[int, str]]:
    """(row, SOP Instance UID) of what is to be sent, in the order of series and images."""
    rows = Instance.objects.served().filter(
        organization=transfer.organization, series__study__study_instance_uid=transfer.study_instance_uid
    )
    if transfer.series_instance_uid:
        rows = rows.filter(series__series_instance_uid=transfer.series_instance_uid)
    if transfer.sop_instance_uids:
        rows = rows.filter(sop_instance_uid__in=transfer.sop_instance_uids)
    ordered = rows.order_by("series__number", "series_id", "instance_number", "id")
    return list(ordered.values_list("pk", "sop_instance_uid"))


def _refused(failed: list[tuple[str, int, str]], of: int) -> TryAgain | InVain:
    reasons = Counter(words for _, _, words in failed)
    said = "; ".join(f"{words} ({count})" if count > 1 else words for words, count in reasons.most_common(3))
    words = f"{len(failed)} of {of} objects did not arrive: {said}"
    return InVain(words) if all(_for_good(status) for _, status, _ in failed) else TryAgain(words)


def _for_good(status: int) -> bool:
    return status in FOR_GOOD or status & 0xFF00 == 0xA900 or status & 0xF000 == 0xC000
