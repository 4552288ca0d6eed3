"""What one rule of retention would do today, told in numbers: at once where there is little to look through, else by a process
aside (`manage.py plan_retention`), with how far it is and then the answer kept in the data folder.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from viewer.archive import aside, retention
from viewer.models import Hold, RetentionRule

AT_ONCE = 1000
"""Studies that are looked through while the page waits: a second or two."""
LISTED = 200
GOOD_SECONDS = 900.0
"""How long a kept answer is shown, while rules and holds stay as they were."""
STARTS_SECONDS = 60.0
"""In which a process that was begun is given time to come up."""
BUSY = "This rule's plan is being made already."


@dataclass(slots=True)
class Told:
    """A plan as a page shows it. `rows`: Study Instance UID, objects, bytes, why it is kept."""

    studies: int = 0
    instances: int = 0
    size: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    rows: list[tuple[str, int, int, str]] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """What a person has seen, and means when they turn the rule on."""
        return f"{self.studies}.{self.instances}.{self.size}"


@dataclass(frozen=True, slots=True)
class Underway:
    """It is being looked through; `problem`: why that ended."""

    done: int
    total: int
    problem: str = ""


def told(rule: RetentionRule, looked: Callable[[int], None] = lambda count: None) -> Told:
    """What this rule would do today if it were on beside those that are."""
    found = Told()
    for one in retention.plan(retention.rules_of(rule), timezone.now(), looked):
        if one.rule.pk != rule.pk:
            continue
        if one.kept:
            found.kept.update({why.partition(":")[0] for why in one.kept})
        else:
            found.studies, found.instances = found.studies + 1, found.instances + one.instances
            found.size += one.size
        if len(found.rows) < LISTED:
            found.rows.append((one.study_instance_uid, one.instances, one.size, "; ".join(one.kept)))
    return found


def told_or_underway(rule: RetentionRule) -> Told | Underway:
    """The plan; where that takes long, how far it is. Begins it where nobody has."""
    rows = retention.settled(rule.organization_id, timezone.now())
    if rows.order_by()[: AT_ONCE + 1].count() <= AT_ONCE:
        return told(rule)
    state = _state(rule)
    if state and state["told"]:
        return _told_of(state["told"])
    if state and not state["problem"] and (_is_made(rule) or _age(state) < STARTS_SECONDS):
        return Underway(state["done"], state["total"])
    if state and state["problem"]:
        _path(rule).unlink(missing_ok=True)  # said once; who asks again has it begun again
        return Underway(state["done"], state["total"], state["problem"])
    beginning = _beginning(rule)
    aside.keep_state(_path(rule).name, beginning)  # so that whoever looks meanwhile begins no other
    _begin(rule)
    return Underway(0, beginning["total"])


def make(rule: RetentionRule) -> None:
    """Look through everything, and keep the answer; in a process of its own. Raises aside.Busy."""
    with aside.alone(_lock(rule), BUSY):
        state = _beginning(rule)
        aside.keep_state(_path(rule).name, state)

        def looked(count: int) -> None:
            state["done"] += count
            aside.keep_state(_path(rule).name, state)

        try:
            state["told"] = asdict(told(rule, looked))
        except Exception as problem:
            state["problem"] = f"{type(problem).__name__}: {problem}"[:300]
            raise
        finally:
            aside.keep_state(_path(rule).name, state)


def _beginning(rule: RetentionRule) -> dict[str, Any]:
    now = timezone.now()
    total = retention.settled(rule.organization_id, now).count()
    return {
        **{"of": _depends_on(rule), "at": now.isoformat(), "done": 0, "total": total},
        **{"told": None, "problem": ""},
    }


def _age(state: dict[str, Any]) -> float:
    return (timezone.now() - datetime.fromisoformat(state["at"])).total_seconds()


def _begin(rule: RetentionRule) -> None:
    manage = Path(settings.BASE_DIR) / "manage.py"
    silent = subprocess.DEVNULL
    subprocess.Popen(
        [sys.executable, str(manage), "plan_retention", str(rule.pk)], stdin=silent, stdout=silent, stderr=silent
    )


def _is_made(rule: RetentionRule) -> bool:
    try:
        with aside.alone(_lock(rule), BUSY):
            return False
    except aside.Busy:
        return True


def _state(rule: RetentionRule) -> dict[str, Any] | None:
    """What is kept, where it is of today's rules and holds and not old."""
    try:
        found: dict[str, Any] = json.loads(_path(rule).read_text())
        age = _age(found)
    except (OSError, ValueError, KeyError):
        return None
    return found if found["of"] == _depends_on(rule) and age < GOOD_SECONDS else None


def _depends_on(rule: RetentionRule) -> str:
    """A digest of what a person changes that makes the answer another."""
    says = ("pk", "modality", "description", "patients", "days", "counted_from", "action")
    rules = sorted([getattr(one, name) for name in says] for one in retention.rules_of(rule))
    holds = list(Hold.objects.in_force().filter(organization=rule.organization_id).order_by("pk").values_list("pk"))
    said = json.dumps([rules, holds, timezone.now().date().isoformat()])
    return hashlib.sha256(said.encode()).hexdigest()


def _told_of(said: dict[str, Any]) -> Told:
    rows = [(uid, count, size, kept) for uid, count, size, kept in said["rows"]]
    return Told(said["studies"], said["instances"], said["size"], Counter(said["kept"]), rows)


def _path(rule: RetentionRule) -> Path:
    return Path(settings.FARVIEW_DATA_DIR) / f"retention_plan_{rule.pk}.json"


@receiver(post_delete, sender=RetentionRule)
def forget(sender: type[RetentionRule], instance: RetentionRule, **_: Any) -> None:
    """A rule that is deleted takes its kept answer along."""
    path = _path(instance)
    transaction.on_commit(lambda: path.unlink(missing_ok=True))


def _lock(rule: RetentionRule) -> str:
    return f"retention_plan_{rule.pk}.lock"
