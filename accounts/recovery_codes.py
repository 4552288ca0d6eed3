"""Recovery codes: ten, each good once in place of a lost second factor. Only slow hashes of them are kept.

A list is one row of django-allauth's table, with data of our own: one salt, so that a try costs one derivation and not
ten, and the hashes of the codes that are left, encrypted as every secret there is. Whoever reads the database and holds
the key has to guess 40 bits at 600,000 rounds each (ASVS 5.0 6.5.2 and 11.4.2, NIST SP 800-63B 3.1.2).

Lists of before this were made from a seed that is only encrypted. They go on working; their owners are asked for new ones.
"""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import pbkdf2_hmac
from hmac import compare_digest
from typing import Any, NamedTuple

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt, encrypt
from django.db import transaction

from accounts.models import User

COUNT = 10
DIGITS = 12
ROUNDS = 600_000
"""Of PBKDF2 with HMAC-SHA-256. A list remembers its own, so that this may grow."""
KIND = Authenticator.Type.RECOVERY_CODES


class Made(NamedTuple):
    """A list that is not kept yet. `codes`: as a person reads them; `data`: what is kept."""

    codes: list[str]
    data: dict[str, Any]


def make() -> Made:
    """A new list. It takes a second or two: never within a transaction."""
    codes = [f"{secrets.randbelow(10**DIGITS):0{DIGITS}}" for _ in range(COUNT)]
    salt = secrets.token_hex(16)
    with ThreadPoolExecutor() as pool:
        hashes = list(pool.map(partial(_hash, salt=salt, rounds=ROUNDS), codes))
    shown = ["-".join(code[at : at + 4] for at in range(0, DIGITS, 4)) for code in codes]
    return Made(shown, {"salt": salt, "rounds": ROUNDS, "hashes": _sealed(hashes)})


def of(person: User) -> Authenticator | None:
    return Authenticator.objects.filter(user=person, type=KIND).first()


def keep(person: User, made: Made) -> bool:
    """Keep a first list; False where another came before it."""
    return Authenticator.objects.get_or_create(user=person, type=KIND, defaults={"data": made.data})[1]


def replace(person: User, made: Made) -> None:
    """Keep a list in place of the one before it, which opens nothing any more."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=person.pk)
        Authenticator.objects.filter(user=person, type=KIND).delete()
        Authenticator.objects.create(user=person, type=KIND, data=made.data)


def left(one: Authenticator) -> int:
    """How many codes of this list were not used."""
    return len(one.wrap().get_unused_codes()) if from_seed(one) else len(_opened(one))


def from_seed(one: Authenticator) -> bool:
    """True for a list of before: its codes can be made again by whoever holds database and key."""
    return "hashes" not in one.data


def use(person: User, code: str) -> Authenticator | None:
    """The list to which `code` belongs; it is used up. Hashed before the row is locked, for that takes a while."""
    one = of(person)
    if one is None:
        return None
    if from_seed(one):
        return one if one.wrap().validate_code(code) else None
    digits = normalize_user_code(code)
    if len(digits) != DIGITS:
        return None
    hashed = _hash(digits, one.data["salt"], one.data["rounds"])
    with transaction.atomic():
        one = Authenticator.objects.select_for_update().filter(pk=one.pk).first()
        hashes = _opened(one) if one else []
        others = [other for other in hashes if not compare_digest(other, hashed)]
        if one is None or len(others) == len(hashes):
            return None
        one.data["hashes"] = _sealed(others)
        one.save(update_fields=["data"])
    return one


def _hash(digits: str, salt: str, rounds: int) -> str:
    return pbkdf2_hmac("sha256", digits.encode(), bytes.fromhex(salt), rounds).hex()


def _sealed(hashes: list[str]) -> str:
    return str(encrypt(json.dumps(hashes)))


def _opened(one: Authenticator) -> list[str]:
    return list(json.loads(decrypt(one.data["hashes"])))
