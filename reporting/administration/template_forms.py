"""Forms of the administration of templates and macros."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from accounts.models import Organization
from reporting.models import Macro
from reporting.mrrt.tree import LONGEST
from reporting.templating import keeping_macros
from reporting.templating.keeping_macros import BadMacro


class _Several(forms.ClearableFileInput):
    allow_multiple_selected = True


class Files(forms.FileField):
    """One file or more."""

    widget = _Several

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        given = data if isinstance(data, list | tuple) else [data]
        return [super(Files, self).clean(one, initial) for one in given]


class UploadForm(forms.Form):
    file = Files(
        label="Files",
        help_text="MRRT templates (.html), or zips of them. Scripts, styles and addresses are left out; "
        "what is broken is mended and listed.",
        widget=_Several({"multiple": True, "accept": ".html,.htm,.xhtml,.zip"}),
    )
    organization = forms.ChoiceField(label="For", required=False)
    note = forms.CharField(required=False, max_length=1000, help_text="Kept with each version.")

    def __init__(self, *arguments: Any, homes: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["organization"].choices = homes  # type: ignore[attr-defined]

    def home(self) -> Organization | None:
        named = self.cleaned_data["organization"]
        return Organization.objects.get(name=named) if named else None


class EditForm(forms.Form):
    html = forms.CharField(
        label="HTML",
        max_length=LONGEST,
        strip=False,
        widget=forms.Textarea({"rows": 32, "cols": 110, "spellcheck": "false", "wrap": "off"}),
    )
    note = forms.CharField(
        required=False, max_length=1000, help_text="What is different, and why.", widget=forms.TextInput({"size": 80})
    )


class MacroForm(forms.ModelForm):
    class Meta:
        model = Macro
        fields = ("organization", "shortcut", "spoken_name", "text")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            kept = keeping_macros.checked(
                cleaned.get("shortcut", ""), cleaned.get("text", ""), cleaned.get("spoken_name", "")
            )
            cleaned["shortcut"], cleaned["text"], cleaned["spoken_name"] = kept
        except BadMacro as problem:
            self.add_error(problem.field, str(problem).partition(": ")[2])
        return cleaned
