"""Single sign-on: whom the provider's subject is here, and which roles its groups give and take."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.checks import CheckMessage, register
from django.core.checks import Error as CheckError
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from accounts import audit
from accounts.models import GIVEN_ROLES, Membership, Organization, User
from accounts.openid import PROVIDER

logger = logging.getLogger(__name__)

Given = tuple[str, str]
"""(organization name, role)."""
BY = "single sign-on"


class NotLetIn(Exception):
    """Somebody whom the provider knows and we do not let in; says why in words for them, and in one for the record."""

    def __init__(self, words: str, reason: str, person: User | None = None) -> None:
        super().__init__(words)
        self.words, self.reason, self.person = words, reason, person


def roles_of(groups: Iterable[str], table: Mapping[str, Any]) -> set[Given]:
    """What `groups` give by `table`: {"group": "organization:role"} or a list of them."""
    found: set[Given] = set()
    for group in groups:
        told = table.get(group, ())
        for one in (told,) if isinstance(told, str) else told:
            organization, _, role = one.partition(":")
            found.add((organization, role))
    return found


def groups_in(claims: Mapping[str, Any]) -> list[str]:
    """The names of groups in the claim that the settings name; none where it is no list of texts."""
    said = claims.get(settings.FARVIEW_OIDC_GROUPS)
    listed = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    return [one for one in listed if isinstance(one, str)]


def second_factor_in(claims: Mapping[str, Any], wanted: str) -> bool:
    """Whether the provider says that it asked for a second factor: `wanted` is one of "amr" (RFC 8176), or "acr"."""
    said = claims.get("amr")
    methods = said if isinstance(said, list) else []
    return bool(wanted) and (wanted in methods or claims.get("acr") == wanted)


def let_in(person: User | None, claims: Mapping[str, Any], request: HttpRequest) -> User:
    """The person of these claims with the roles that their groups give by now. Raises NotLetIn.

    `person` is whose subject it is; None: nobody's yet.
    """
    wanted = roles_of(groups_in(claims), settings.FARVIEW_OIDC_ROLES)
    with transaction.atomic():
        if person is None:
            if not wanted:
                raise NotLetIn(NO_ROLE, "no role")
            person = _made(claims, request)
            follow(person, wanted, request)
            if not person.memberships.exists():
                raise NotLetIn(NO_ROLE, "no role")
        elif not person.is_active:
            raise NotLetIn("Your account here is disabled. Ask your administrator.", "disabled", person)
        else:
            follow(person, wanted, request)
    if not person.memberships.exists():
        raise NotLetIn(NO_ROLE, "no role", person)
    return person


NO_ROLE = "Your groups give you no role here. Ask your administrator to put you into one that does."


def follow(person: User, wanted: set[Given], request: HttpRequest) -> None:
    """Give what the groups give, and take what they gave and give no more; roles that an administrator gave stay.

    A role that people do not give (a guest's comes with a share link alone) no group gives either.
    """
    wanted = {(name, role) for name, role in wanted if role in GIVEN_ROLES}
    homes = {one.name: one for one in Organization.objects.filter(name__in={name for name, _ in wanted})}
    for name in {name for name, _ in wanted} - homes.keys():
        logger.warning("FARVIEW_OIDC_ROLES names the organization %r, which is not here", name)
    for held in person.memberships.filter(by_provider=True).select_related("organization"):
        if (held.organization.name, held.role) not in wanted:
            held.delete()
            _note("membership.take", person, held.organization.name, held.role, request)
    for name, role in sorted(wanted):
        if name not in homes:
            continue
        _, new = Membership.objects.get_or_create(
            user=person, organization=homes[name], role=role, defaults={"by_provider": True}
        )
        if new:
            _note("membership.give", person, name, role, request)


def connect(person: User, subject: str, request: HttpRequest) -> None:
    """From now on the provider's `subject` is `person`. Raises NotLetIn."""
    held = SocialAccount.objects.filter(provider=PROVIDER, uid=subject).first()
    if held is not None and held.user_id != person.pk:
        raise NotLetIn("This account of the provider belongs to another person here.", "subject taken", person)
    if held is None:
        with transaction.atomic():
            SocialAccount.objects.create(user=person, provider=PROVIDER, uid=subject)
            audit.record("sign_on.connect", actor=person, request=request)


def disconnect(person: User, request: HttpRequest) -> None:
    """The provider opens this account no more, and the roles that its groups gave go."""
    with transaction.atomic():
        gone, _ = SocialAccount.objects.filter(user=person, provider=PROVIDER).delete()
        if gone:
            follow(person, set(), request)
            audit.record("sign_on.disconnect", actor=person, request=request)


def is_connected(person: User) -> bool:
    return SocialAccount.objects.filter(user=person, provider=PROVIDER).exists()


def _made(claims: Mapping[str, Any], request: HttpRequest) -> User:
    """A new person for a subject that nobody has. Never one who is here already, whatever name or address is claimed."""
    name = name_in(claims)
    if User.objects.filter(username__iexact=name).exists():
        raise NotLetIn(
            f"There is an account named {name} here already, and it is not connected with the provider. "
            "If it is yours, sign in with its password and connect it under Sessions.",
            "name taken",
        )
    person = User(username=name, first_name=_text(claims, "given_name"), last_name=_text(claims, "family_name"))
    if claims.get("email_verified") is True:
        person.email = _text(claims, "email", 254)
    person.set_unusable_password()
    try:
        person.full_clean(exclude=["password"])
    except ValidationError:
        person.email = ""
    person.save(force_insert=True)
    SocialAccount.objects.create(user=person, provider=PROVIDER, uid=str(claims["sub"]))
    audit.record("person.make", actor=person, request=request, detail={"person": name, "by": BY})
    return person


def name_in(claims: Mapping[str, Any]) -> str:
    """The name that the provider prefers, where it can be one here; else one made of the subject."""
    name = str(claims.get("preferred_username") or "")
    if re.fullmatch(r"[\w.@+-]{1,150}", name) and not name.startswith("share-"):
        return name
    return f"sso-{hashlib.sha256(str(claims['sub']).encode()).hexdigest()[:16]}"


def _text(claims: Mapping[str, Any], name: str, longest: int = 150) -> str:
    said = claims.get(name)
    return said[:longest] if isinstance(said, str) and said.isprintable() else ""


def _note(action: str, person: User, organization: str, role: str, request: HttpRequest) -> None:
    detail = {"person": person.get_username(), "role": role, "by": BY}
    audit.record(action, actor=person, request=request, organization=organization, detail=detail)


@register("security")
def check_the_table_of_roles(**_: Any) -> list[CheckMessage]:
    """`manage.py check` names what FARVIEW_OIDC_ROLES gives and nobody can have."""
    given = roles_of(settings.FARVIEW_OIDC_ROLES, settings.FARVIEW_OIDC_ROLES)
    return [
        CheckError(f"FARVIEW_OIDC_ROLES: there is no role {role!r} to give", id="accounts.E002")
        for _, role in sorted(given)
        if role not in GIVEN_ROLES
    ]
