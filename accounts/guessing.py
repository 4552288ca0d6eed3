"""A password that others would soon guess is refused: common ones, words, names, runs of keys, and the words of this place."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from zxcvbn import zxcvbn

from accounts.models import Organization, User

LOOKED_AT = 72
"""Characters from the beginning: what follows only makes it harder to guess."""
SCORE = 3
"""Of 0 to 4; from 3 on more than 10^8 guesses are needed."""
WORD = re.compile(r"\w{3,}")


class GuessableValidator:
    """For AUTH_PASSWORD_VALIDATORS."""

    def validate(self, password: str, user: User | None = None) -> None:
        if password and zxcvbn(password[:LOOKED_AT], user_inputs=words_of_the_place(user))["score"] < SCORE:
            raise ValidationError(
                gettext(
                    "Others would soon guess this password. Take a few words that have nothing to do with each other."
                ),
                code="password_guessable",
            )

    def get_help_text(self) -> str:
        return gettext("Your password must not be easy to guess.")


def words_of_the_place(person: User | None) -> list[str]:
    """This program, the name of this server, the person's houses and names (ASVS 5.0, 6.1.2)."""
    told = ["Farview", "radiology", "hospital", urlsplit(settings.FARVIEW_PUBLIC_URL).hostname or ""]
    if person is not None:
        told += [person.get_username(), person.first_name, person.last_name, person.email]
    if person is not None and person.pk:
        houses = Organization.objects.filter(memberships__user=person)
        told += [word for both in houses.values_list("name", "title") for word in both]
    return sorted({word.lower() for text in told for word in (text, *WORD.findall(text)) if word})
