"""Administration of report templates: taken in, looked at, tried out, compared, written anew, put in use, retired;
choices and macros.

Nothing of a version is changed here: whatever is edited becomes the next version.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse

from accounts.admin import Managed, administered
from accounts.models import Organization, User
from accounts.policy import administers
from reporting.administration.template_forms import EditForm, MacroForm, UploadForm
from reporting.models import Macro, Template, TemplateChoice, TemplateVersion
from reporting.mrrt import Unusable, read
from reporting.mrrt.difference import differences
from reporting.templating import files, rights, storing, trying
from reporting.templating.rights import NotAllowed
from reporting.templating.storing import Conflict
from reporting.workflow.content import BadContent
from reporting.worklist.choosing import in_words
from viewer.archive.rows import DatabaseBusy

PAGES = "admin/reporting/template/"
SHOWN_LINES = 2000


class InUse(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("in-use", "in use"), ("draft", "never in use"), ("retired", "retired")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Template]) -> QuerySet[Template]:
        return {
            "in-use": queryset.exclude(active_version=None),
            "retired": queryset.exclude(retired_at=None),
            "draft": queryset.filter(active_version=None, retired_at=None),
        }.get(self.value() or "", queryset)


@admin.register(Template)
class TemplateAdmin(Managed):
    """Templates of the organizations that one manages, and those of all."""

    list_display = ("title", "in_use", "belongs_to", "versions_held", "origin", "short_identifier")
    list_filter = (InUse, "built_in")
    search_fields = ("title", "identifier")
    ordering = ("title", "id")
    actions = ("export",)
    change_list_template = f"{PAGES}list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        ours = Q(organization__in=administered(request)) | Q(organization=None)
        rows: Any = super().get_queryset(request)
        return rows.filter(ours).select_related("organization", "active_version").prefetch_related("versions")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    @admin.display(description="in use")
    def in_use(self, template: Template) -> str:
        if template.active_version is not None:
            return f"version {template.active_version.number}"
        return "retired" if template.retired_at else "not yet"

    @admin.display(description="for", ordering="organization")
    def belongs_to(self, template: Template) -> str:
        return str(template.organization or "all organizations")

    @admin.display(description="identifier", ordering="identifier")
    def short_identifier(self, template: Template) -> str:
        said = template.identifier
        return said if len(said) <= 24 else f"{said[:11]}…{said[-11:]}"

    @admin.display(description="versions")
    def versions_held(self, template: Template) -> int:
        return len(template.versions.all())

    @admin.display(description="origin")
    def origin(self, template: Template) -> str:
        return "Farview" if template.built_in else "here"

    @admin.action(description="Export as a zip")
    def export(self, request: HttpRequest, queryset: QuerySet[Template]) -> HttpResponse:
        return _zip([_newest(one) for one in queryset])

    # --- pages

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"reporting_template_{name}")

        own = [
            page("upload/", self.upload, "upload"),
            page("export/", self.export_all, "export"),
            page("<int:pk>/change/", self.page, "change"),
            page("<int:pk>/act/", self.act, "act"),
            page("<int:pk>/difference/", self.difference, "difference"),
            page("<int:pk>/versions/<int:number>/", self.preview, "version"),
            page("<int:pk>/versions/<int:number>/edit/", self.edit, "edit"),
            page("<int:pk>/versions/<int:number>/export/", self.export_one, "export_one"),
        ]
        return own + super().get_urls()

    def found(self, request: HttpRequest, pk: int) -> Template:
        template = self.get_queryset(request).filter(pk=pk).first() if pk < 2**63 else None
        if template is None:
            raise Http404
        return template

    def version(self, request: HttpRequest, pk: int, number: int) -> TemplateVersion:
        template = self.found(request, pk)
        version = template.versions.filter(number=number).first() if number < 2**31 else None
        if version is None:
            raise Http404
        version.template = template
        return version

    def shown(self, request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
        known = {**self.admin_site.each_context(request), "opts": self.model._meta, "title": title, **context}
        return render(request, f"{PAGES}{name}.html", known)

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Files, or zips of them; told is what became of each."""
        form = UploadForm(request.POST or None, request.FILES or None, homes=homes_of(request))
        outcomes: list[files.Outcome] = []
        if request.method == "POST" and form.is_valid():
            for one in form.cleaned_data["file"]:
                if one.size > files.ALL:
                    outcomes.append(files.Outcome(one.name, "refused", f"it is larger than {files.ALL:,} bytes"))
                    continue
                told = files.take_in_many(
                    one.name, one.read(), _user(request), form.home(), request, form.cleaned_data["note"]
                )
                outcomes += told
            form = UploadForm(homes=homes_of(request))
        return self.shown(request, "upload", "Take in templates", form=form, outcomes=outcomes)

    def export_all(self, request: HttpRequest) -> HttpResponse:
        return _zip([_newest(one) for one in self.get_queryset(request).order_by("title", "pk")])

    def export_one(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        version = self.version(request, pk, number)
        named = files.file_name(version)
        return HttpResponse(
            version.html,
            content_type="text/html; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{named}"'},
        )

    def page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One template: its versions, what happened to it, for which examinations it is set."""
        template = self.found(request, pk)
        versions = list(template.versions.order_by("-number"))
        for one in versions:
            one.template = template
        listed = [{"version": one, "state": storing.status_of(one).lower()} for one in versions]
        return self.shown(
            request,
            "page",
            template.title,
            template=template,
            versions=listed,
            events=template.events.select_related("version").order_by("-pk")[:50],
            choices=[{"row": one, "words": in_words(one)} for one in template.choices.filter(reader=None)],
            may_manage=rights.may_manage(_user(request), template.organization),
            homes=homes_of(request),
        )

    def act(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put in use, retire or clone: by POST alone."""
        template = self.found(request, pk)
        if request.method != "POST":
            raise PermissionDenied
        home = reverse("admin:reporting_template_change", args=[pk])
        number = request.POST.get("number", "")
        version = self.version(request, pk, int(number)) if number.isdecimal() and len(number) < 9 else None
        note = request.POST.get("note", "")[:1000]
        try:
            if "activate" in request.POST and version is not None:
                storing.activate(version, _user(request), request, note)
                self.message_user(request, f"Version {version.number} is in use.")
            elif "retire" in request.POST:
                storing.retire(template, _user(request), request, note)
                self.message_user(request, "It is retired: readers are not offered it any more.")
            elif "clone" in request.POST and version is not None:
                made = storing.clone(version, _user(request), _home(request), request)
                home = reverse("admin:reporting_template_change", args=[made.template_id])
                self.message_user(request, f"“{made.title}” is made, and not in use yet.")
        except (NotAllowed, Conflict, DatabaseBusy) as refused:
            self.message_user(request, str(refused), level=messages.ERROR)
        return HttpResponseRedirect(home)

    def preview(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """A version as a form that can be filled in, and the text it would give."""
        version = self.version(request, pk, number)
        problems: list[str] = []
        content = trying.begun(version.schema)
        if request.method == "POST":
            try:
                content = trying.filled(version.schema, request.POST)
            except BadContent as wrong:
                problems = [f"{name}: {said}" for name, said in wrong.problems]
        return self.shown(
            request,
            "version",
            f"{version.title}, version {version.number}",
            version=version,
            template=version.template,
            identifier=storing.identifier_of(version),
            state=storing.status_of(version).lower(),
            sections=_form(version.schema, content),
            schema=version.schema,
            tried=request.method == "POST" and not problems,
            text=trying.text_of(version.schema, content),
            problems=problems,
            may_manage=rights.may_manage(_user(request), version.template.organization),
        )

    def edit(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """The HTML of a version, written anew as the next one."""
        version = self.version(request, pk, number)
        template = version.template
        may = rights.may_manage(_user(request), template.organization)
        form = EditForm(request.POST or None, initial={"html": version.html})
        found = None
        if request.method == "POST" and form.is_valid():
            html = form.cleaned_data["html"]
            try:
                found = read(html, version.title)
                if "save" in request.POST:
                    told = storing.take_in(
                        found,
                        html,
                        _user(request),
                        template.organization,
                        request,
                        form.cleaned_data["note"],
                        onto=template,
                    )
                    said = "That is what the newest version says: nothing was stored."
                    new = told.outcome != "unchanged"
                    self.message_user(
                        request, f"Version {told.version.number} is stored, and not in use yet." if new else said
                    )
                    where = reverse("admin:reporting_template_version", args=[pk, told.version.number])
                    return HttpResponseRedirect(where)
            except Unusable as refused:
                for said in refused.problems:
                    form.add_error("html", said)
            except (NotAllowed, Conflict, DatabaseBusy) as refused:
                form.add_error(None, str(refused))
        changed = differences(read(version.html).document, found.document) if found is not None else []
        title = f"Edit {version.title}"
        return self.shown(
            request,
            "edit",
            title,
            form=form,
            version=version,
            template=template,
            found=found,
            changed=changed,
            may_manage=may,
        )

    def difference(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Two versions of a template: in sentences, and line by line."""
        template = self.found(request, pk)
        held = {one.number: one for one in template.versions.order_by("number")}
        numbers = sorted(held)
        old = _chosen(request, "from", numbers, numbers[-2] if len(numbers) > 1 else numbers[-1])
        new = _chosen(request, "to", numbers, numbers[-1])
        before, after = held[old], held[new]
        said = differences(read(before.html).document, read(after.html).document)
        return self.shown(
            request,
            "difference",
            f"{template.title}: version {old} and version {new}",
            template=template,
            numbers=numbers,
            old=old,
            new=new,
            said=[one for one in said if not one.startswith("Head, identifier")],
            lines=_lines(before.html, after.html),
        )


def _chosen(request: HttpRequest, name: str, numbers: list[int], default: int) -> int:
    said = request.GET.get(name, "")
    number = int(said) if said.isdecimal() and len(said) < 9 else default
    if number not in numbers:
        raise Http404
    return number


def _lines(old: str, new: str) -> list[tuple[str, str]]:
    """(kind, line) of what differs, with a little of what does not."""
    kinds = {"+": "come", "-": "gone", "@": "place"}
    found = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2))[2:]
    return [(kinds.get(one[:1], "same"), one) for one in found[:SHOWN_LINES]]


def _form(schema: dict[str, Any], content: dict[str, Any]) -> list[dict[str, Any]]:
    """Sections with fields, each with what stands in it."""

    def field_of(field: dict[str, Any]) -> dict[str, Any]:
        value = content.get(field["id"])
        chosen = value if isinstance(value, list) else [value]
        options = [{**option, "chosen": option["value"] in chosen} for option in field["options"]]
        return {**field, "value": "" if value is None else value, "offered": options}

    return [{**section, "held": [field_of(field) for field in section["fields"]]} for section in schema["sections"]]


def _zip(versions: list[TemplateVersion | None]) -> HttpResponse:
    data = files.zipped(one for one in versions if one is not None)
    named = {"Content-Disposition": 'attachment; filename="templates.zip"'}
    return HttpResponse(data, content_type="application/zip", headers=named)


def _newest(template: Template) -> TemplateVersion | None:
    """The version in use, else the newest."""
    version = template.active_version or template.versions.order_by("-number").first()
    if version is not None:
        version.template = template
    return version


def homes_of(request: HttpRequest) -> list[tuple[str, str]]:
    """(name, title) of where templates may be kept; "" is for all organizations."""
    found = [(one.name, str(one)) for one in rights.managed_by(_user(request)).order_by("name")]
    return [*found, ("", "all organizations")] if _user(request).is_superuser else found


def _home(request: HttpRequest) -> Organization | None:
    """The organization that a clone is for. Raises NotAllowed."""
    named = request.POST.get("organization", "")
    if not named:
        return None
    found = rights.managed_by(_user(request)).filter(name=named).first()
    if found is None:
        raise NotAllowed("You do not manage the templates of this organization.")
    return found


def _user(request: HttpRequest) -> User:
    user: User = request.user  # type: ignore[assignment]
    return user


# --- for which examinations, and macros


class OfOurs(Managed):
    """Rows of organizations that one manages, and those of all, which the operator alone changes."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.filter(Q(organization__in=administered(request)) | Q(organization=None))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "organization":
            kwargs["queryset"] = administered(request)
            kwargs["required"] = not request.user.is_superuser  # type: ignore[union-attr]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administers(request) and (obj is None or rights.may_manage(_user(request), obj.organization))

    has_delete_permission = has_change_permission

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for row in queryset:
            self._write(request, row, "delete", row.pk)
        return super().log_deletions(request, queryset)

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found


@admin.register(TemplateChoice)
class TemplateChoiceAdmin(OfOurs):
    """For which examinations templates are set. Readers' own defaults are theirs and do not show."""

    list_display = ("template", "examination", "belongs_to")
    list_filter = ("modality",)
    search_fields = ("template__title", "procedure_code", "body_part", "words")
    ordering = ("template__title", "modality", "body_part", "id")
    fields = (
        *("template", "organization", "procedure_code", "modality", "body_part", "words", "sex"),
        *("age_from", "age_to"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[TemplateChoice]:
        return super().get_queryset(request).filter(reader=None).select_related("template", "organization")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "template":
            ours = Q(organization__in=administered(request)) | Q(organization=None)
            kwargs["queryset"] = Template.objects.filter(ours).exclude(active_version=None).order_by("title")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="examination", ordering="modality")
    def examination(self, choice: TemplateChoice) -> str:
        return in_words(choice) or "every one"

    @admin.display(description="for", ordering="organization")
    def belongs_to(self, choice: TemplateChoice) -> str:
        return str(choice.organization or "all organizations")


@admin.register(Macro)
class MacroAdmin(OfOurs):
    """Macros of sites; readers keep their own in their settings."""

    form = MacroForm
    list_display = ("shortcut", "organization", "spoken_name", "beginning", "updated_at")
    search_fields = ("shortcut", "spoken_name", "text")
    ordering = ("organization", "shortcut")
    fields = ("organization", "shortcut", "spoken_name", "text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Macro]:
        return super().get_queryset(request).filter(owner=None).select_related("organization")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "organization" and isinstance(field, forms.Field):
            field.required = True
        return field

    @admin.display(description="text")
    def beginning(self, macro: Macro) -> str:
        return macro.text[:80]
