"""Fetching a study of another archive: series by series, those of which something is not here yet."""

from __future__ import annotations

from viewer.dimse.fetching import Fetched, get, move
from viewer.dimse.queue_work import InVain, TryAgain, Work
from viewer.dimse.remote import RemoteSeries, find_objects
from viewer.models import Conflict, Instance

AT_ONCE = 500


def run(work: Work) -> None:
    """Raises NotReached, NotAnswered, TryAgain, InVain, Stopped, StorageFull."""
    transfer = work.transfer
    there = _there(work)
    if not there:
        raise InVain(f"{transfer.peer.ae_title} does not hold this study")
    wanted = {uid for series in there for uid in series.objects}
    here = _here(work, wanted)
    work.begin(len(wanted), len(here))
    refused: dict[str, str] = {}
    problems = []
    for series in there:
        if set(series.objects) <= here:
            continue
        work.check()
        fetched = _fetch(work, series)
        refused.update(fetched.refused)
        problems += [fetched.problem] if fetched.problem else []
    work.check()
    missing = wanted - _here(work, wanted)
    work.transfer.done, work.transfer.failed = len(wanted) - len(missing), len(missing)
    if missing:
        raise _incomplete(len(missing), len(wanted), missing, refused, problems)


def _there(work: Work) -> list[RemoteSeries]:
    transfer = work.transfer
    found = find_objects(transfer.peer, transfer.study_instance_uid, transfer.series_instance_uid, work.stop)
    work.check()
    if not transfer.sop_instance_uids:
        return found
    only = set(transfer.sop_instance_uids)
    narrowed = (
        RemoteSeries(one.series_instance_uid, {uid: kind for uid, kind in one.objects.items() if uid in only})
        for one in found
    )
    return [one for one in narrowed if one.objects]


def _fetch(work: Work, series: RemoteSeries) -> Fetched:
    transfer, before = work.transfer, work.transfer.done
    study, uid = transfer.study_instance_uid, series.series_instance_uid
    if transfer.peer.retrieve_by == "get":
        return get(
            transfer.peer,
            study,
            uid,
            series.objects.values(),
            lambda _: work.come_to(work.transfer.done + 1),
            work.stop,
        )
    return Fetched(problem=move(transfer.peer, study, uid, lambda count: work.come_to(before + count), work.stop))


def _here(work: Work, wanted: set[str]) -> set[str]:
    """Of these objects, those that are kept here: as they are, or beside others that came first."""
    transfer, uids = work.transfer, sorted(wanted)
    found: set[str] = set()
    for start in range(0, len(uids), AT_ONCE):
        some = {"organization": transfer.organization, "sop_instance_uid__in": uids[start : start + AT_ONCE]}
        found.update(Instance.objects.filter(**some).values_list("sop_instance_uid", flat=True))
        found.update(Conflict.objects.filter(**some).values_list("sop_instance_uid", flat=True))
    return found


def _incomplete(
    count: int, of: int, missing: set[str], refused: dict[str, str], problems: list[str]
) -> TryAgain | InVain:
    reasons = sorted({refused[uid] for uid in missing if uid in refused} | set(problems))
    said = "; ".join(reasons[:3]) or "the archive says that it has sent all"
    words = f"{count} of {of} objects did not arrive: {said}"
    return InVain(words) if missing <= refused.keys() else TryAgain(words)
