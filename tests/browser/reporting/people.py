"""People of a server, as many as are wanted by one command."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence

from tests.browser.conftest import Reader
from tests.live import LiveServer

MAKE = """
import json, sys
from accounts.authentication import issue
from accounts.models import *
home, _ = Organization.objects.get_or_create(name="default")
tokens = {}
for name, (password, roles) in json.load(sys.stdin).items():
    user = User.objects.create_user(name, password=password)
    Membership.objects.bulk_create(Membership(user=user, organization=home, role=role) for role in roles)
    tokens[name] = issue(user)
print(json.dumps(tokens))
"""


def people(server: LiveServer, wanted: Mapping[str, Sequence[str]]) -> dict[str, Reader]:
    """New people by name, each with these roles."""
    passwords = {name: secrets.token_urlsafe(16) for name in wanted}
    given = json.dumps({name: (passwords[name], list(roles)) for name, roles in wanted.items()})
    tokens = json.loads(server.manage("shell", "-c", MAKE, input=given).stdout.splitlines()[-1])
    return {name: Reader(name, passwords[name], tokens[name]) for name in wanted}
