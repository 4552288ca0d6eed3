"""Versions of templates: taken in, cloned, put in use, retired. Nothing is ever changed or deleted.

Every version has an identifier of its own, for MRRT knows no two bodies under one: the first that of the template, the
second "IDENTIFIER.2", and so on.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.utils import timezone

from accounts import audit
from accounts.models import Organization, User
from accounts.origin import Request
from reporting.models import Template, TemplateEvent, TemplateVersion
from reporting.mrrt import Read, read
from reporting.mrrt.document import IDENTIFIER
from reporting.mrrt.reading import again
from reporting.templating.rights import must_be_another, must_manage
from viewer.archive import rows

NOTE = 1000


class Conflict(Exception):
    """There is something else under this identifier."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a template that was taken in: "new", "version" (a new one of a known template) or "unchanged"."""

    version: TemplateVersion
    outcome: str


def identifier_of(version: TemplateVersion, template: Template | None = None) -> str:
    """The identifier of one version."""
    return numbered((template or version.template).identifier, version.number)


def numbered(identifier: str, number: int) -> str:
    return identifier if number == 1 else f"{identifier}.{number}"


def versions_named(identifier: str, organization: Organization | None) -> TemplateVersion | None:
    """The version that has this identifier among the templates of one organization (None: those for all)."""
    held = TemplateVersion.objects.filter(template__organization=organization).select_related("template__organization")
    first = held.filter(template__identifier=identifier, number=1).first()
    base, _, number = identifier.rpartition(".")
    if first is not None or not (
        base and number.isascii() and number.isdigit() and len(number) < 6 and int(number) > 1
    ):
        return first
    return held.filter(template__identifier=base, number=int(number)).first()


# --- taking in


def take_in(
    found: Read,
    source: str,
    user: User,
    organization: Organization | None,
    request: Request | None = None,
    note: str = "",
    onto: Template | None = None,
    strict: bool = False,
) -> Stored:
    """Store a template that was read; it is not in use by that.

    One with a known identifier is a new version of that template, unless it is the same. `onto`: a new version of this
    template, whatever its identifier. `strict` (RAD-104): a changed body under a known identifier is refused. Raises
    NotAllowed, Conflict.
    """
    must_manage(user, organization)
    return rows.patiently(lambda: _take_in(found, source, user, organization, request, note, onto, strict))


def _take_in(
    found: Read,
    source: str,
    user: User,
    organization: Organization | None,
    request: Request | None,
    note: str,
    onto: Template | None,
    strict: bool,
) -> Stored:
    template = onto
    if template is None:
        known = versions_named(found.identifier, organization)
        if known is not None and strict and not _same(known, found):
            raise Conflict(
                f"There is another template under {found.identifier!r}: a changed body needs a new identifier"
                " (dcterms.identifier)."
            )
        if known is not None and _same(known, found):
            return Stored(known, "unchanged")
        template = known.template if known is not None else None
    outcome = "version"
    if template is None:
        template = Template.objects.create(organization=organization, identifier=found.identifier, title=found.title)
        outcome = "new"
    else:
        template = Template.objects.select_for_update(of=("self",)).get(pk=template.pk)
        newest = template.versions.order_by("-number").first()
        if newest is not None and _same(newest, found):
            return Stored(newest, "unchanged")
    version = add_version(template, found, source, user.get_username(), note)
    kind = "imported" if not strict else "stored"
    event(version, kind, user, note)
    _audit(f"template.{'store' if strict else 'import'}", version, user, request, {"outcome": outcome})
    return Stored(version, outcome)


def _same(version: TemplateVersion, found: Read) -> bool:
    """Does a version hold what was read? Its identifier may be that of another version of the template."""
    if version.sha256 == found.sha256:
        return True
    held = read(version.html)
    return again(held.document, identifier=found.identifier).sha256 == found.sha256


def add_version(template: Template, found: Read, source: str, author: str, note: str = "") -> TemplateVersion:
    """The next version of a template, written under its own identifier."""
    number = (template.versions.order_by("-number").values_list("number", flat=True).first() or 0) + 1
    while (
        number > 1
        and Template.objects.filter(
            organization=template.organization, identifier=numbered(template.identifier, number)
        ).exists()
    ):
        number += 1
    named = again(found.document, identifier=numbered(template.identifier, number))
    return TemplateVersion.objects.create(
        template=template,
        number=number,
        title=found.title,
        language=found.language,
        html=named.html,
        source=source,
        schema=named.schema,
        sha256=named.sha256,
        repairs=list(found.repairs),
        dropped=list(found.dropped),
        note=note[:NOTE],
        author_name=author,
        created_at=timezone.now(),
    )


def clone(
    version: TemplateVersion, user: User, organization: Organization | None, request: Request | None = None
) -> TemplateVersion:
    """A template of its own, like this version, for this organization; not in use. Raises NotAllowed."""
    must_manage(user, organization)
    identifier = f"2.25.{uuid.uuid4().int}"[:IDENTIFIER]

    def work() -> TemplateVersion:
        title = f"{version.title} (copy)"[:300]
        found = read(version.html)
        named = again(
            found.document,
            identifier=identifier,
            schema=type(found.document.schema)(title, found.language, found.document.schema.sections),
            metadata=(*found.document.metadata, ("source", identifier_of(version))),
        )
        template = Template.objects.create(organization=organization, identifier=identifier, title=title)
        made = add_version(template, named, "", user.get_username(), f"Cloned from {version}.")
        event(made, "cloned", user, f"from {version}")
        _audit("template.clone", made, user, request, {"from": identifier_of(version)})
        return made

    return rows.patiently(work)


# --- in use, or not


def activate(version: TemplateVersion, user: User, request: Request | None = None, note: str = "") -> None:
    """Put a version in use in place of the one that was. Raises NotAllowed."""
    must_manage(user, version.template.organization)
    alone = must_be_another(user, version)

    def work() -> None:
        template = Template.objects.select_for_update(of=("self",)).get(pk=version.template_id)
        if template.active_version_id == version.pk and template.retired_at is None:
            return
        template.active_version, template.retired_at, template.title = version, None, version.title
        template.save(update_fields=["active_version", "retired_at", "title"])
        event(version, "activated", user, "; ".join(filter(None, [note, alone])))
        _audit("template.activate", version, user, request, {"alone": bool(alone)})

    rows.patiently(work)


def retire(template: Template, user: User, request: Request | None = None, note: str = "") -> None:
    """Offer a template to readers no more; reports that were made with it keep it. Raises NotAllowed."""
    must_manage(user, template.organization)
    if template.organization is None and template.identifier == ALWAYS:
        raise Conflict("Free text cannot be retired: it is what reports begin with where no template suits.")

    def work() -> None:
        held = Template.objects.select_for_update(of=("self",)).get(pk=template.pk)
        version = held.active_version
        if held.retired_at is not None:
            return
        held.active_version, held.retired_at = None, timezone.now()
        held.save(update_fields=["active_version", "retired_at"])
        last = version or held.versions.order_by("-number").first()
        TemplateEvent.objects.create(
            template=held,
            version=last,
            kind="retired",
            at=timezone.now(),
            actor_name=user.get_username(),
            note=note[:NOTE],
        )
        if last is not None:
            _audit("template.retire", last, user, request, {})

    rows.patiently(work)


ALWAYS = "free-text"


def status_of(version: TemplateVersion) -> str:
    """As MRRT says: ACTIVE is in use, RETIRED was, DRAFT was never."""
    if version.template.active_version_id == version.pk:
        return "ACTIVE"
    was = (
        version.template.retired_at is not None
        or version.template.events.filter(kind="activated", version=version).exists()
    )
    return "RETIRED" if was else "DRAFT"


def event(version: TemplateVersion, kind: str, user: User | str, note: str = "") -> None:
    """Written inside the caller's transaction."""
    name = user if isinstance(user, str) else user.get_username()
    TemplateEvent.objects.create(
        template_id=version.template_id,
        version=version,
        kind=kind,
        at=timezone.now(),
        actor_name=name,
        note=note[:NOTE],
    )


def _audit(action: str, version: TemplateVersion, user: User, request: Request | None, more: dict[str, object]) -> None:
    template = version.template
    audit.record(
        action,
        actor=user,
        request=request,
        organization=template.organization.name if template.organization else "",
        detail={"template": template.identifier, "title": version.title, "version": version.number, **more},
    )
