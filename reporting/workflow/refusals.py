"""Why something was not done with a report: told at the door with a status, a sentence and a word for programs."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """Nothing was changed. `more` goes into the answer beside `detail` and `code`."""

    status = 409
    code = "refused"

    def __init__(self, detail: str, *, code: str = "", **more: Any) -> None:
        super().__init__(detail)
        self.detail, self.more = detail, more
        self.code = code or self.code


class WrongState(Refused):
    """The report does not stand so that this could be done."""

    code = "state"


class Lost(Refused):
    """What was written is not there any more."""

    code = "lost"


class NotYours(Refused):
    """Somebody else may."""

    status = 403
    code = "not_yours"


class WrongPassword(Refused):
    status = 403
    code = "wrong_password"


class Reauthenticate(Refused):
    """Who signs is asked who they are on another page first; `reauthenticate` is its address."""

    status = 403
    code = "reauthenticate"


class TooManyTries(Refused):
    status = 429
    code = "locked_out"


class Held(Refused):
    """Somebody else, or another window of the same person, writes this report."""

    status = 423
    code = "locked"


class Stale(Refused):
    """Somebody saved meanwhile."""

    code = "stale"


class WrongPatient(Refused):
    """What is asked for and what the report is about are not the same patient, order or study."""

    code = "wrong_patient"


class Unready(Refused):
    """The checks do not let it pass."""

    status = 422
    code = "problems"


class Unusable(Refused):
    """What was sent cannot be read."""

    status = 400
    code = "bad_request"
