"""Who may see, write and put in use which templates.

Templates of one organization are managed by its administrators, those of all organizations by the operator. Whoever
wrote a version does not put it in use themselves, unless nobody else could.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import REPORTING_ROLES, Organization, Role, User
from reporting.models import Template, TemplateVersion

MANAGING = (Role.ADMIN,)
READING = (*REPORTING_ROLES, *MANAGING)


class NotAllowed(Exception):
    """This person may see it and may not do this with it."""


def templates_for(user: User) -> QuerySet[Template]:
    """Templates that `user` may see: those of organizations in which they report or administer, and those for all."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return Template.objects.none()
    theirs = Organization.objects.all() if user.is_superuser else user.organizations_as(READING)
    if not theirs.exists():
        return Template.objects.none()
    return Template.objects.filter(Q(organization__in=theirs) | Q(organization=None))


def managed_by(user: User) -> QuerySet[Organization]:
    """Organizations whose templates `user` manages."""
    if user.is_superuser and user.is_active and user.organizations_as(MANAGING).exists():
        return Organization.objects.all()
    return user.organizations_as(MANAGING)


def may_manage(user: User, organization: Organization | None) -> bool:
    if organization is None:
        return bool(user.is_superuser and user.is_active)
    return managed_by(user).filter(pk=organization.pk).exists()


def must_manage(user: User, organization: Organization | None) -> None:
    """Raises NotAllowed."""
    if may_manage(user, organization):
        return
    if organization is None:
        raise NotAllowed(
            "Templates for all organizations are the operator's to change; clone it for your organization."
        )
    raise NotAllowed(f"You do not manage the templates of {organization}.")


def others_who_could(author: User | None, organization: Organization | None) -> bool:
    """Is there another active person who could put in use what `author` wrote?"""
    if organization is None:
        people = User.objects.filter(is_superuser=True, is_active=True)
    else:
        people = User.objects.filter(
            is_active=True, memberships__organization=organization, memberships__role__in=MANAGING
        )
    return people.exclude(pk=author.pk if author else None).exists()


def must_be_another(user: User, version: TemplateVersion) -> str:
    """Words for the record when the author is the only one there. Raises NotAllowed where another person has to do
    it."""
    if version.author_name != user.get_username():
        return ""
    if others_who_could(user, version.template.organization):
        raise NotAllowed("You wrote this version: another administrator has to look at it and put it in use.")
    return "put in use by its author, the only administrator there is"
