"""Who came by a share link, and what is drawn into the pictures they get. Asks the database: call it in a thread."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from accounts import sharing
from accounts.models import Role, ShareLink, User
from viewer.models import Grant
from viewer.rendering.stamping import Stamp


def stamp_of(user: Any) -> Stamp | None:
    """For whom the pictures are, the day, and the number of the link; None for people with an account."""
    if not isinstance(user, User) or not user.memberships.filter(role=Role.GUEST).exists():
        return None
    link = sharing.link_of(user)
    return stamp_of_link(link) if link is not None else Stamp((user.get_username(),))


def stamp_of_link(link: ShareLink) -> Stamp:
    return Stamp((link.recipient or str(link.organization), f"{timezone.now():%Y-%m-%d} \N{MIDDLE DOT} link {link.pk}"))


@receiver(sharing.ended)
def end_grants(sender: type[ShareLink], link: ShareLink, **_: Any) -> None:
    """What the link opened is shut from now on."""
    Grant.objects.filter(user=link.guest_id).update(until=timezone.now())
