"""Making people and what they may do; used by the commands."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify

from accounts import audit
from accounts.models import GIVEN_ROLES, Membership, Organization, User

DEFAULT_ORGANIZATION = "default"


def organization_named(name: str) -> Organization:
    """The organization of this name, made when it is named for the first time. Raises ValidationError."""
    printable = name.isprintable()  # a terminal can hand over bytes that are no text, which no database takes
    found = Organization.objects.filter(name=name).first() if printable else None
    if found:
        return found
    made = Organization(name=name)
    try:
        made.full_clean()
    except ValidationError as error:
        suggestion = slugify(name)[:64]
        instead = f"; try {suggestion!r}" if suggestion else ""
        raise ValidationError(
            f"{name!r} cannot name an organization: letters, digits, hyphens and underscores, 64 at most{instead}"
        ) from error
    made.save(force_insert=True)
    return made


def give_roles(
    user: User, roles: Iterable[str], organizations: Iterable[Organization], origin: str
) -> list[Membership]:
    """Give `user` every one of `roles` in every one of `organizations`; the memberships that are new. Written down."""
    wanted = [(organization, role) for organization in organizations for role in roles]
    given = []
    with transaction.atomic():
        for organization, role in wanted:
            membership, new = Membership.objects.get_or_create(user=user, organization=organization, role=role)
            if new:
                given.append(membership)
                audit.record(
                    "membership.give",
                    actor="",
                    origin=origin,
                    organization=organization.name,
                    detail={"person": user.get_username(), "role": str(role)},
                )
    return given


def new_person(name: str, password: str | None, origin: str) -> User:
    """A new person; without a password they come in by a link or not at all. Raises ValidationError."""
    person = User(username=name)
    person.set_password(password)
    person.full_clean(exclude=["password"])
    with transaction.atomic():
        person.save(force_insert=True)
        audit.record("person.make", actor="", origin=origin, detail={"person": name})
    return person


def role_named(name: str) -> str:
    """The role of this name. Raises ValidationError that lists them all."""
    if name not in GIVEN_ROLES:
        raise ValidationError(f"there is no role {name!r}; the roles are {', '.join(GIVEN_ROLES)}")
    return name
