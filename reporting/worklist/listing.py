"""The worklist as a person sees it: which items, in which order, and how many there are of each kind.

Scores move with the clock, so they are worked out here for all items of a tab, from a few columns of each; whole rows are
read for the page that is shown alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from accounts.models import READING_ROLES, User
from reporting.models import ReadingItem, ReportingSite
from reporting.worklist.claiming import EXPIRY
from reporting.worklist.classes import CLASSES, target_minutes
from reporting.worklist.events import WITH
from reporting.worklist.scoring import Score, score
from reporting.worklist.states import CLOSED, COSIGN, DONE, OPEN, QUALITY, UNREAD
from viewer.archive.query import WORDS, BadQuery, fold

PAGE, PAGE_AT_MOST = 100, 200
PAGES_AT_MOST = 500
SCORED_AT_MOST = 20_000
"""Open items whose places are worked out; of more only the oldest."""

TABS: dict[str, tuple[str, ...]] = {
    "unread": UNREAD,
    "mine": (*UNREAD, *COSIGN),
    "cosign": COSIGN,
    "quality": QUALITY,
    "held": ("hold",),
    "scheduled": ("scheduled",),
    "done": DONE,
    "cancelled": ("cancelled",),
    "open": OPEN,
}
COMING = "unread"
"""The tab that also tells of what still arrives and will be ready by itself: a stroke is not out of sight for a minute."""
SORTS = ("score", "due", "waiting", "patient", "newest")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the worklist. Empty fields say nothing."""

    tab: str = ""
    status: tuple[str, ...] = ()
    reading_class: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    body_part: str = ""
    organization: str = ""
    assigned: str = ""
    """me, nobody, or a person's name."""
    mine: bool = False
    """Claimed by or assigned to whoever asks."""
    held: str = ""
    """A reason, or "any"."""
    q: str = ""
    sort: str = "score"
    page: int = 1
    limit: int = PAGE


@dataclass(frozen=True, slots=True)
class Place:
    """An item's place in the list."""

    pk: int
    score: Score
    since: datetime | None
    target_minutes: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One page: rows with their places, in order, and how many there are in all."""

    rows: list[tuple[ReadingItem, Place]]
    total: int
    now: datetime


def visible_items(user: User) -> QuerySet[ReadingItem]:
    """Items of the organizations where this person reads. Nobody else sees any."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return ReadingItem.objects.none()
    return ReadingItem.objects.filter(organization__in=user.organizations_as(READING_ROLES))


def listed(user: User, asked: Question, now: datetime | None = None) -> Listed:
    """One page of the worklist. Raises BadQuery."""
    now = now or timezone.now()
    found = matching(user, asked, now)
    first = (asked.page - 1) * asked.limit
    if set(asked.status or TABS[asked.tab or "unread"]) <= set(CLOSED):
        ids = list(_closed_order(found, asked.sort).values_list("pk", flat=True)[first : first + asked.limit])
        total, places = found.count(), {pk: Place(pk, Score(0), None, 0) for pk in ids}
    else:
        ordered = ranked(found, asked.sort, now)
        total, ids = len(ordered), [place.pk for place in ordered[first : first + asked.limit]]
        places = {place.pk: place for place in ordered[first : first + asked.limit]}
    rows = {item.pk: item for item in ReadingItem.objects.filter(pk__in=ids).select_related(*WITH)}
    return Listed([(rows[pk], places[pk]) for pk in ids if pk in rows], total, now)


def _closed_order(found: QuerySet[ReadingItem], sort: str) -> QuerySet[ReadingItem]:
    """What is done stands by when it was, the newest first."""
    return (
        found.order_by("order__patient__name_folded", "-id")
        if sort == "patient"
        else found.order_by("-final_at", "-id")
    )


def matching(user: User, asked: Question, now: datetime) -> QuerySet[ReadingItem]:
    """The items that `user` may see and that are asked for, in no order. Raises BadQuery."""
    rows = visible_items(user).filter(_in_states(asked, now))
    for wanted in _conditions(user, asked):
        rows = rows.filter(wanted)
    return rows


def _in_states(asked: Question, now: datetime) -> Q:
    """By what the state is for everybody: a claim that has run out is none."""
    states = set(asked.status or TABS[asked.tab or "unread"])
    run_out = Q(status="claimed") & (Q(claim_seen_at=None) | Q(claim_seen_at__lte=now - EXPIRY))
    wanted = Q(status__in=states - {"claimed"})
    if not asked.status and (asked.tab or COMING) == COMING:
        wanted |= _coming()
    if "claimed" in states:
        wanted |= Q(status="claimed") & ~run_out
    for state, whose in (("assigned", Q(assigned_to__isnull=False)), ("ready", Q(assigned_to=None))):
        if state in states:
            wanted |= run_out & whose
    return wanted


def _coming() -> Q:
    """Images still come, and nobody has to look at them before they are read."""
    controlled = ReportingSite.objects.filter(quality_control=True).values("organization")
    return Q(status="arriving") & ~Q(organization__in=controlled)


def _conditions(user: User, asked: Question) -> Iterable[Q]:
    if asked.reading_class:
        yield Q(reading_class__in=asked.reading_class)
    if asked.modality:
        yield _modality(asked.modality)
    if asked.body_part:
        yield Q(order__body_part__iexact=asked.body_part)
    if asked.organization:
        yield Q(organization__name=asked.organization)
    if asked.assigned:
        yield _assigned(user, asked.assigned)
    if asked.mine or asked.tab == "mine":
        yield Q(claimed_by=user) | Q(assigned_to=user)
    if asked.held:
        yield Q(status="hold") & (Q() if asked.held == "any" else Q(held_reason=asked.held))
    for word in asked.q.split()[:WORDS]:
        yield _somewhere(word)


def _assigned(user: User, to: str) -> Q:
    if to == "nobody":
        return Q(assigned_to=None)
    return Q(assigned_to=user) if to == "me" else Q(assigned_to__username=to)


def _modality(codes: Iterable[str]) -> Q:
    wanted = Q(pk__in=[])
    for code in codes:
        column = "study__modalities"
        wanted |= Q(order__modality=code) | Q(**{column: code}) | Q(**{f"{column}__startswith": f"{code}\\"})
        wanted |= Q(**{f"{column}__endswith": f"\\{code}"}) | Q(**{f"{column}__contains": f"\\{code}\\"})
    return wanted


def _somewhere(word: str) -> Q:
    """In a number, an ID, or the name of the patient, of order or images."""
    wanted = Q(order__accession_number__icontains=word) | Q(study__accession_number__icontains=word)
    wanted |= Q(order__patient__patient_id__icontains=word) | Q(study__patient__patient_id__icontains=word)
    wanted |= Q(order__placer_order_number__icontains=word) | Q(study__study_instance_uid=word)
    for part in fold(word).split()[:WORDS]:
        wanted |= Q(order__patient__name_folded__contains=part) | Q(study__patient__name_folded__contains=part)
    return wanted


# --- places


COLUMNS = (
    *("pk", "organization_id", "reading_class", "status", "ready_at", "last_image_at", "ordered_at", "created_at"),
    "order__patient__name_folded",
)


def ranked(found: QuerySet[ReadingItem], sort: str, now: datetime) -> list[Place]:
    """The places of items, the first to be read first."""
    rows = list(found.order_by("id").values_list(*COLUMNS)[:SCORED_AT_MOST])
    targets = targets_of({row[1] for row in rows})
    keyed = []
    for pk, organization, reading_class, _, ready_at, last_image_at, ordered_at, created_at, name in rows:
        place = placed(pk, reading_class, ready_at or last_image_at, targets.get(organization), now)
        began = place.since or ordered_at or created_at
        keyed.append((_key(sort, place, began, name), place))
    keyed.sort(key=lambda pair: pair[0])
    return [place for _, place in keyed]


def _key(sort: str, place: Place, began: datetime, name: str) -> Any:
    if sort == "patient":
        return (name, began.timestamp(), place.pk)
    if sort == "newest":
        return (-began.timestamp(), -place.pk)
    if sort == "waiting":
        return (began.timestamp(), place.pk)
    if sort == "due":
        return (began.timestamp() + 60 * place.target_minutes, place.pk)
    return (-place.score.points, began.timestamp(), place.pk)


def placed(pk: int, reading_class: str, since: datetime | None, targets: dict[str, Any] | None, now: datetime) -> Place:
    """The place of one item. It has waited since it was ready, or since its last image."""
    minutes = target_minutes(reading_class, targets)
    waited = None if since is None else (now - since).total_seconds() / 60
    return Place(pk, score(reading_class, waited, minutes), since, minutes)


def place_of(item: ReadingItem, now: datetime) -> Place:
    if item.status in CLOSED:
        return Place(item.pk, Score(0), None, 0)
    targets = targets_of([item.organization_id]).get(item.organization_id)
    return placed(item.pk, item.reading_class, item.ready_at or item.last_image_at, targets, now)


def targets_of(organizations: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What organizations have written about their targets."""
    rows = ReportingSite.objects.filter(organization__in=list(organizations))
    return dict(rows.values_list("organization_id", "targets"))


# --- how many


def counts(user: User, organization: str = "") -> dict[str, int]:
    """How many items each tab has; what is done is not counted: it only grows."""
    rows = visible_items(user).filter(status__in=OPEN)
    if organization:
        rows = rows.filter(organization__name=organization)
    by_status = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    found = {
        tab: sum(by_status.get(status, 0) for status in states)
        for tab, states in TABS.items()
        if tab != "mine" and not set(states) & set(CLOSED)
    }
    found[COMING] += rows.filter(_coming()).count()
    mine = rows.filter(Q(claimed_by=user) | Q(assigned_to=user), status__in=TABS["mine"])
    return {**found, "mine": mine.count()}


# --- from a query string


def question(asked: Any) -> Question:
    """What a query string (or a saved filter) asks. Raises BadQuery."""
    texts = {name: str(asked.get(name, "")).strip()[:200] for name in PARAMETERS}
    lists = {name: tuple(word.strip() for word in texts[name].split(",") if word.strip()) for name in ALLOWED}
    for name, allowed in ALLOWED.items():
        wrong = [word for word in lists[name] if allowed and word not in allowed]
        if wrong:
            raise BadQuery(name, f"one or several of {', '.join(allowed)}, parted by commas")
    for name, allowed in (("tab", tuple(TABS)), ("sort", SORTS)):
        if texts[name] and texts[name] not in allowed:
            raise BadQuery(name, f"one of {', '.join(allowed)}")
    return Question(
        tab=texts["tab"],
        status=lists["status"],
        reading_class=lists["class"],
        modality=tuple(code.upper() for code in lists["modality"]),
        body_part=texts["body_part"],
        organization=texts["organization"],
        assigned=texts["assigned"],
        mine=texts["mine"] in ("1", "true"),
        held="any" if texts["held"] in ("1", "true") else texts["held"],
        q=texts["q"],
        sort=texts["sort"] or "score",
        page=_number("page", texts["page"], 1, PAGES_AT_MOST),
        limit=_number("limit", texts["limit"], PAGE, PAGE_AT_MOST),
    )


def _number(name: str, text: str, default: int, most: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
        raise BadQuery(name, f"a whole number from 1 to {most} is expected")
    return int(text)


ALLOWED: dict[str, tuple[str, ...]] = {"status": (*OPEN, *CLOSED), "class": CLASSES, "modality": ()}
PARAMETERS = (
    *("tab", "status", "class", "modality", "body_part", "organization", "assigned", "mine", "held", "q"),
    *("sort", "page", "limit"),
)
