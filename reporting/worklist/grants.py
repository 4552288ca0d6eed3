"""What a referring physician may see because they asked for it."""

from __future__ import annotations

from accounts.models import Organization, User
from reporting.models import Order, ReadingItem, ReferrerIdentity
from viewer.models import Grant, Study

REASON = "order"


def referrer_of(organization: Organization, identifier: str) -> User | None:
    """Who an order's referring identifier stands for. A name is never taken for it."""
    if not identifier:
        return None
    found = ReferrerIdentity.objects.filter(organization=organization, identifier=identifier).select_related("user")
    identity = found.first()
    return identity.user if identity else None


def settle(study: Study | None) -> None:
    """Open the study to the referrers of its orders, and to no other by an order. Within the transaction of the change.

    While somebody doubts whose images these are, no referrer sees them.
    """
    if study is None:
        return
    items = ReadingItem.objects.filter(study=study, order__status="ordered", order__referrer__isnull=False)
    standing = items.exclude(status="cancelled").exclude(status="hold", held_reason="wrong_patient")
    wanted = set(standing.values_list("order__referrer", flat=True))
    given = {grant.user_id: grant for grant in Grant.objects.filter(study=study, reason=REASON).select_related("user")}
    for user_id in wanted - given.keys():
        Grant.objects.create(study=study, user_id=user_id, reason=REASON)
    for user_id in given.keys() - wanted:
        given[user_id].delete()
        given[user_id].user.withdraw()


def identity_changed(organization: Organization, identifier: str) -> None:
    """Orders that carry `identifier` belong to whoever it stands for now. Within the transaction of the change."""
    user = referrer_of(organization, identifier)
    orders = Order.objects.filter(organization=organization, referring_identifier=identifier)
    for order in orders.select_related("item__study").exclude(referrer=user):
        order.referrer = user
        order.save(update_fields=["referrer", "updated_at"])
        settle(order.item.study if hasattr(order, "item") else None)
