"""What a page may offer to whoever looks at it, so that it shows no link to a door that would not open."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import sharing
from accounts.models import Organization, Role, User
from accounts.policy import ADMIN, CORRECTOR, READER, REFERRER, REPORTER, SHARE_KEEPER, UPLOADER, organizations_for


class May:
    """`may.read`, `may.report`, `may.refer`, `may.upload`, `may.administer` in templates, and `may.correct` and
    `may.look_up`: the names of organizations, parted by blanks. The database is asked only when a page wants to know."""

    def __init__(self, user: Any, looked_at_shares: str = "") -> None:
        self._user = user
        self._looked_at_shares = looked_at_shares

    @cached_property
    def read(self) -> bool:
        return READER.allows(self._user)

    @cached_property
    def report(self) -> bool:
        return REPORTER.allows(self._user)

    @cached_property
    def refer(self) -> bool:
        return REFERRER.allows(self._user)

    @cached_property
    def upload(self) -> bool:
        return UPLOADER.allows(self._user)

    @cached_property
    def keep_shares(self) -> bool:
        """Whoever makes share links or looks after them."""
        return SHARE_KEEPER.allows(self._user)

    @cached_property
    def wrong_pins(self) -> int:
        """How many of their links wrong PINs have ended since they last looked at them."""
        return sharing.ended_by_wrong_pins(self._user, self._looked_at_shares)

    @cached_property
    def correct(self) -> str:
        seen = organizations_for(self._user, READER)
        found = organizations_for(self._user, CORRECTOR).filter(pk__in=seen.values("pk"))
        return _names(found)

    @cached_property
    def look_up(self) -> str:
        """Whose record they may search: names of organizations, parted by blanks."""
        return _names(organizations_for(self._user, ADMIN))

    @cached_property
    def break_glass(self) -> bool:
        """Whoever does not read everywhere that they belong may need what they have no right to."""
        return isinstance(self._user, User) and bool(
            self._user.is_active and self._user.organizations_as((Role.REFERRER, Role.ADMIN)).exists()
        )

    @property
    def sign_on(self) -> str:
        """What the provider of single sign-on is called; empty where there is none."""
        return settings.FARVIEW_OIDC_NAME if settings.FARVIEW_OIDC_ISSUER else ""

    @cached_property
    def administer(self) -> bool:
        return ADMIN.allows(self._user)


def _names(organizations: QuerySet[Organization]) -> str:
    return " ".join(organizations.order_by("name").values_list("name", flat=True))


def may(request: HttpRequest) -> dict[str, May]:
    """The context processor."""
    session = getattr(request, "session", {})
    return {"may": May(getattr(request, "user", None), session.get(sharing.LOOKED, ""))}
