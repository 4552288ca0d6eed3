"""What people type to come in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from accounts import audit, lockout
from accounts.models import User
from accounts.origin import client_address


class SignInForm(AuthenticationForm):
    """Name and password. Says only that they do not match, never which of them is wrong."""

    error_messages = {
        "invalid_login": "This name and password do not match. Check both; capitals count in the password.",
        "inactive": "This name and password do not match. Check both; capitals count in the password.",
        "locked": (
            "Too many tries. For safety this name is locked here for up to 15 minutes; "
            "then try again, or ask your administrator for a new sign-in link."
        ),
    }

    def clean(self) -> dict[str, Any]:
        name, address = self.cleaned_data.get("username") or "", client_address(self.request)
        if not name or not self.cleaned_data.get("password"):
            return self.cleaned_data
        verdict = lockout.begin_try(name, address)
        if verdict is not lockout.Try.GO:
            if verdict is lockout.Try.LOCKED_NOW:
                self._record(name, "locked")
            raise ValidationError(self.error_messages["locked"], code="locked")
        try:
            cleaned = super().clean()
        except ValidationError:
            self._record(name, "no match")
            raise
        lockout.succeed(name, address)
        return cleaned

    def _record(self, name: str, reason: str) -> None:
        """A failed try under its name, if that is somebody's; whatever else was typed is not kept."""
        known = User.objects.filter(username=name).first()
        audit.record("sign-in", actor=known or "", request=self.request, outcome="failure", detail={"reason": reason})
