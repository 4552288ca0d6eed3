"""Macros as rows: a reader's own, and those of a site. A reader's own go before the site's of the same shortcut."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet

from accounts import audit
from accounts.models import Organization, User
from accounts.origin import Request
from reporting.models import Macro
from reporting.mrrt.macros import SHORTCUT, expand
from reporting.mrrt.words import line, lines, without_chips
from reporting.templating.rights import READING, managed_by
from viewer.archive import rows

MOST = 1000
"""Macros of one reader, or of one site."""
TEXT, SPOKEN = 8000, 100


class BadMacro(ValueError):
    """A macro that cannot be kept; `field` says what of it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


def macros_for(user: User) -> QuerySet[Macro]:
    """A reader's own, then those of sites where they report or manage."""
    ours = Q(owner=user) | Q(organization__in=user.organizations_as(READING))
    found = Macro.objects.filter(ours).select_related("organization")
    return found.order_by(F("owner").asc(nulls_last=True), "shortcut", "pk")


def by_shortcut(user: User) -> dict[str, str]:
    """Shortcut -> text, for writing out."""
    return {one.shortcut: one.text for one in reversed(list(macros_for(user)))}


def may_change(user: User, macro: Macro) -> bool:
    if macro.organization_id is None:
        return macro.owner_id == user.pk
    return managed_by(user).filter(pk=macro.organization_id).exists()


def checked(shortcut: str, text: str, spoken: str = "") -> tuple[str, str, str]:
    """The three as they are kept. Raises BadMacro."""
    if not SHORTCUT.fullmatch(shortcut) or line(shortcut, 32) != shortcut:
        raise BadMacro("shortcut", "2 to 32 characters without spaces, brackets, braces or bars are expected")
    kept = without_chips(lines(text, TEXT + 1))
    if not kept.strip() or len(kept) > TEXT:
        raise BadMacro("text", f"1 to {TEXT:,} characters are expected")
    if shortcut in expand(f"{{{shortcut}}}", {shortcut: kept}).loops:
        raise BadMacro("text", "it holds its own shortcut")
    if len(spoken) > SPOKEN:
        raise BadMacro("spoken_name", f"at most {SPOKEN} characters are expected")
    return shortcut, kept, line(spoken, SPOKEN)


def keep(
    user: User,
    organization: Organization | None,
    shortcut: str,
    text: str,
    spoken: str = "",
    request: Request | None = None,
) -> tuple[Macro, bool]:
    """A macro of `user`, or of a site that they manage; one of that shortcut gets the new text. Returns it and whether it is
    new. Raises BadMacro."""
    shortcut, text, spoken = checked(shortcut, text, spoken)
    whose = (
        {"owner": user, "organization": None} if organization is None else {"owner": None, "organization": organization}
    )

    def work() -> tuple[Macro, bool]:
        held = Macro.objects.filter(**whose)
        if held.count() >= MOST and not held.filter(shortcut=shortcut).exists():
            raise BadMacro("shortcut", f"there are {MOST} macros; delete one first")
        made = Macro.objects.update_or_create(
            **whose, shortcut=shortcut, defaults={"text": text, "spoken_name": spoken}
        )
        _audit("macro.save", made[0], user, request)
        return made

    return rows.patiently(work)


def drop(user: User, macro: Macro, request: Request | None = None) -> None:
    def work() -> None:
        _audit("macro.delete", macro, user, request)
        Macro.objects.filter(pk=macro.pk).delete()

    rows.patiently(work)


def _audit(action: str, macro: Macro, user: User, request: Request | None) -> None:
    where = macro.organization.name if macro.organization else ""
    audit.record(action, actor=user, request=request, organization=where, detail={"shortcut": macro.shortcut})
