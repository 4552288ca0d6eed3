"""Which studies the rules of retention would touch today, and what keeps them: looked up, and nothing changed.

A rule that names more puts one aside that names less; of those that name as much, the one that keeps longest counts, then the
one that does least. What stands above every rule: `KEEPERS`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Max, QuerySet

from viewer.archive.retention_derived import Derived, derived
from viewer.dicom.text import fold
from viewer.models import (
    Blob,
    Commitment,
    Conflict,
    CountedFrom,
    Hold,
    Instance,
    KeyImage,
    Patients,
    RetentionAction,
    RetentionRule,
    Study,
    Transfer,
    TransferState,
)

SETTLED_DAYS = 30
"""What came later than that is kept whatever a rule says: somebody sent or fetched it because they need it."""
ADULT_YEARS = 18
AT_ONCE = 200
GENTLE_FIRST = tuple(RetentionAction.values)

Keeper = Callable[[Collection[int]], Iterable[tuple[int, str]]]
"""Keys of studies -> (key, why nothing may touch it) of those that are to stay as they are."""
KEEPERS: list[Keeper] = []


def keep(keeper: Keeper) -> None:
    """Called from the `ready` of an app."""
    if keeper not in KEEPERS:
        KEEPERS.append(keeper)


# --- rules


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules ask of a study."""

    modalities: frozenset[str]
    description: str
    """Folded."""
    studied: date | None
    arrived: date
    """The newest object."""
    birth: date | None

    @property
    def adult(self) -> bool:
        """Known to have been 18 or older on the day of the study."""
        if self.birth is None or self.studied is None:
            return False
        years = self.studied.year - self.birth.year
        return years - ((self.studied.month, self.studied.day) < (self.birth.month, self.birth.day)) >= ADULT_YEARS


def suits(rule: RetentionRule, facts: Facts) -> bool:
    """Whether a rule speaks of such a study at all, however old."""
    if rule.modality and rule.modality not in facts.modalities:
        return False
    if rule.description and fold(rule.description) not in facts.description:
        return False
    return not rule.patients or facts.adult == (rule.patients == Patients.ADULTS)


def rule_for(rules: Iterable[RetentionRule], facts: Facts) -> RetentionRule | None:
    """The one rule that counts for a study."""
    return max((rule for rule in rules if suits(rule, facts)), key=_weight, default=None)


def _weight(rule: RetentionRule) -> tuple[Any, ...]:
    names = sum(map(bool, (rule.modality, rule.description, rule.patients)))
    return names, rule.action == RetentionAction.NOTHING, rule.days, -GENTLE_FIRST.index(rule.action), rule.pk


def is_over(rule: RetentionRule, facts: Facts, today: date) -> bool:
    """Whether a study is old enough for its rule."""
    since = facts.arrived if rule.counted_from == CountedFrom.ARRIVAL else facts.studied or facts.arrived
    return today - since >= timedelta(days=rule.days) and today - facts.arrived >= timedelta(days=SETTLED_DAYS)


# --- the plan


@dataclass(slots=True)
class Planned:
    """What a rule would do to one study today; `kept`: why it will not, in sentences."""

    study: int
    study_instance_uid: str
    rule: RetentionRule
    instances: int
    size: int
    kept: list[str] = field(default_factory=list)


def plan(
    rules: Iterable[RetentionRule], now: datetime, looked: Callable[[int], None] = lambda count: None
) -> Iterator[Planned]:
    """Study by study, of the organizations of these rules, the oldest rows first. `looked` is told of every so many studies
    that were looked at."""
    by_organization, frames = defaultdict(list), derived()
    for rule in rules:
        by_organization[rule.organization_id].append(rule)
    for organization, theirs in sorted(by_organization.items()):
        rows = settled(organization, now)
        after = 0
        while keys := list(rows.filter(pk__gt=after).order_by("id").values_list("pk", flat=True)[:AT_ONCE]):
            yield from planned(keys, theirs, now, frames)
            after = keys[-1]
            looked(len(keys))


def settled(organization: int, now: datetime) -> QuerySet[Study]:
    """Studies of an organization that rules look at: what came lately is kept whatever they say."""
    return Study.objects.filter(organization=organization, created_at__lte=now - timedelta(days=SETTLED_DAYS))


def planned(
    keys: Collection[int], rules: Collection[RetentionRule], now: datetime, frames: Derived | None = None
) -> list[Planned]:
    """Of these studies of one organization. An empty answer for one: no rule has anything to do there."""
    found: dict[int, Planned] = {}
    for study, facts in _facts(keys):
        rule = rule_for(rules, facts)
        if rule is None or rule.action == RetentionAction.NOTHING or not is_over(rule, facts, now.date()):
            continue
        instances, size = _what(study, rule, frames or derived())
        if instances:
            found[study.pk] = Planned(study.pk, study.study_instance_uid, rule, instances, size)
    for keeper in (*OWN_KEEPERS, *KEEPERS) if found else ():
        for key, why in keeper(list(found)):
            found[key].kept.append(why)
    return list(found.values())


def _facts(keys: Collection[int]) -> Iterator[tuple[Study, Facts]]:
    came = dict(
        Instance.objects.filter(series__study__in=keys)
        .values_list("series__study")
        .annotate(Max("stored_at"))
        .order_by()
    )
    for study in Study.objects.filter(pk__in=came).select_related("patient").order_by("id"):
        yield (
            study,
            Facts(
                frozenset(filter(None, study.modalities.split("\\"))),
                study.description_folded,
                day_of(study.date),
                came[study.pk].astimezone(UTC).date(),
                day_of(study.stated_patient["birth_date"]),
            ),
        )


def _what(study: Study, rule: RetentionRule, frames: Derived) -> tuple[int, int]:
    """How many objects, and their bytes: equal bytes count once."""
    rows = touched(study, rule.action)
    if rule.action == RetentionAction.DERIVED:
        return frames.of(set(rows.values_list("blob", flat=True)))
    sizes = Blob.objects.filter(pk__in=rows.values("blob")).values_list("size", flat=True)
    return rows.count(), sum(sizes)


def touched(study: Study, action: str) -> QuerySet[Instance]:
    """The objects of a study that an action is about; rejected ones, too."""
    rows = Instance.objects.filter(series__study=study)
    if action != RetentionAction.IMAGES:
        return rows
    shown = KeyImage.objects.filter(study=study, deleted_at=None).exclude(sop_instance_uid="")
    return rows.filter(number_of_frames__gt=0).exclude(sop_instance_uid__in=shown.values("sop_instance_uid"))


def day_of(text: str) -> date | None:
    """Of YYYYMMDD."""
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None


# --- what stands above every rule


def _held(keys: Collection[int]) -> Iterator[tuple[int, str]]:
    rows = Hold.objects.in_force()
    for key, reason in rows.filter(study__in=keys).values_list("study", "reason"):
        yield key, f"held: {reason}"
    for key, reason in rows.filter(patient__studies__in=keys).values_list("patient__studies", "reason"):
        if key in set(keys):
            yield key, f"its patient is held: {reason}"


def _in_conflict(keys: Collection[int]) -> Iterator[tuple[int, str]]:
    for key in Conflict.objects.open().filter(study__in=keys).values_list("study", flat=True).distinct():
        yield key, "other bytes came under the same UID, and nobody has decided"


def _on_their_way(keys: Collection[int]) -> Iterator[tuple[int, str]]:
    waiting = Transfer.objects.exclude(state__in=(TransferState.DONE, TransferState.CANCELLED))
    for key, uid, organization in Study.objects.filter(pk__in=keys).values_list(*_NAMED):
        if waiting.filter(organization=organization, study_instance_uid=uid).exists():
            yield key, "it is on its way to or from another archive"


_NAMED = ("pk", "study_instance_uid", "organization")


def _to_be_committed(keys: Collection[int]) -> Iterator[tuple[int, str]]:
    """Few are open at a time, but each may name thousands of objects."""
    asked = Commitment.objects.exclude(state__in=("answered", "given_up")).values_list("organization", "references")
    named: dict[int, set[str]] = defaultdict(set)
    for organization, references in asked:
        named[organization].update(str(reference[1]) for reference in references)
    for organization, uids in named.items():
        rows = Instance.objects.filter(organization=organization, series__study__in=keys)
        ours = rows.values_list("sop_instance_uid", "series__study")
        for key in {study for uid, study in ours.iterator() if uid in uids}:
            yield key, "a storage commitment was asked for and is not answered"


OWN_KEEPERS: tuple[Keeper, ...] = (_held, _in_conflict, _on_their_way, _to_be_committed)


def rules_in_force() -> QuerySet[RetentionRule]:
    return RetentionRule.objects.filter(active=True).select_related("organization").order_by("id")


def rules_of(rule: RetentionRule) -> list[RetentionRule]:
    """A rule beside those that are on already where it would count: what others keep from it, it does not touch."""
    others = rules_in_force().filter(organization=rule.organization_id).exclude(pk=rule.pk)
    return [*others, rule]
