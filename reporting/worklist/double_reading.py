"""Double reading: two radiologists read an examination, neither seeing what the other writes or marks, before its report.

An organization names the procedures (`ReportingSite.double_reading`). The examination stays one row of the worklist: it is
offered to a first reader, then to another one, then once more for the report of both. Each read is a `Report` of its own
that never leaves (`ReportState.BLIND`, `READ`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import QuerySet

from accounts.models import Role, User
from reporting.models import ReadingItem, Report, ReportingSite, ReportState
from reporting.visibility import BOTH
from reporting.workflow.states import APART
from viewer.models import Study

NOT_YOURS = "Two radiologists read this examination, each alone; a resident's report comes after both."
YOURS_IS_DONE = "You have read this examination: the second read is another radiologist's."


def asked_for(item: ReadingItem) -> bool:
    """Whether the organization has examinations like this one read twice."""
    site = ReportingSite.objects.filter(organization=item.organization_id).first()
    if site is None:
        return False
    order, study = item.order, item.study
    code = order.procedure_code.strip().casefold()
    words = " ".join(filter(None, (order.procedure_text, study.description if study else ""))).casefold().split()
    return any(line == code or _within(line.split(), words) for line in lines_of(site.double_reading))


def lines_of(text: str) -> list[str]:
    """The procedures that an organization names, one a line, folded."""
    return [line for line in (" ".join(one.split()).casefold() for one in text.splitlines()) if line]


def _within(wanted: Iterable[str], words: Collection[str]) -> bool:
    """All of them, whole, in any order."""
    return all(word in words for word in wanted)


def is_open(item: ReadingItem) -> bool:
    """Whether one of the two reads is still missing."""
    return item.double_reading and item.blind_reads < BOTH


def read_of(item: ReadingItem, user: User) -> Report | None:
    """The read apart that this person has begun or ended."""
    return Report.objects.filter(item=item, author=user, state__in=APART).order_by("-pk").first()


def why_not(item: ReadingItem, user: User) -> str:
    """Why this person cannot read it now; empty: they can."""
    if not is_open(item):
        return ""
    if not user.organizations_as((Role.RADIOLOGIST,)).filter(pk=item.organization_id).exists():
        return NOT_YOURS
    own = read_of(item, user)
    return YOURS_IS_DONE if own is not None and own.state == ReportState.READ else ""


def ended_by(user: User, items: Iterable[int]) -> set[int]:
    """Those of the items (keys) of which this person has ended their read."""
    rows = Report.objects.filter(item__in=list(items), author=user, state=ReportState.READ)
    return set(rows.values_list("item", flat=True))


def not_for(user: User) -> QuerySet[ReadingItem]:
    """Items that wait for another reader than this person."""
    waiting = ReadingItem.objects.filter(double_reading=True, blind_reads__lt=BOTH)
    theirs = Report.objects.filter(author=user, state=ReportState.READ).values("item")
    here = user.organizations_as((Role.RADIOLOGIST,))
    return waiting.filter(pk__in=theirs) | waiting.exclude(organization__in=here)


def count(item: ReadingItem) -> int:
    """How many different people have ended their read."""
    return Report.objects.filter(item=item, state=ReportState.READ).values("author").distinct().count()


def reads_of(item: ReadingItem) -> list[Report]:
    """The two reads, the older first; none while one of them is missing."""
    if not item.double_reading or is_open(item):
        return []
    found = Report.objects.filter(item=item, state=ReportState.READ).select_related("author", "template_version")
    return list(found.order_by("pk"))


def apart(study: Study) -> set[int]:
    """Keys of the people whose marks on a study nobody else sees for now: those who read it while a read is missing."""
    rows = Report.objects.filter(study=study, state__in=APART, item__blind_reads__lt=BOTH)
    return set(rows.values_list("author", flat=True))
