"""What the statements of a dump need of a server: roles, tablespaces, collations of ICU."""

from __future__ import annotations

import re

from restore_drill.backups.plaindump.names import dotted
from restore_drill.backups.plaindump.roles import roles_in, superuser_in
from restore_drill.backups.plaindump.statements import TABLESPACE

BECOME = re.compile(rb"SET (?:SESSION AUTHORIZATION|ROLE) ", re.IGNORECASE)
ICU = re.compile(rb"provider = icu|LOCALE_PROVIDER = icu|-x-icu\"", re.IGNORECASE)


class Needs:
    """Follows the SET statements and definitions of a dump; names in the order of the dump.

    `superusers` are those of `roles` that must be superusers, `grantors` those that grant what
    others own.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.roles: dict[str, None] = {}
        self.superusers: set[str] = set()
        self.grantors: set[str] = set()
        self.tablespaces: dict[str, None] = {}
        self.icu = False

    def setting(self, sql: bytes, *, is_acl: bool) -> None:
        """Take in a SET; `is_acl` says that it stands in an entry of privileges."""
        named = dict.fromkeys(roles_in(sql))
        self.roles |= named
        if BECOME.match(sql):
            # A superuser's grants would be the owner's; what it makes, no other might be able to.
            (self.grantors if is_acl else self.superusers).update(named)
        self.tablespace(sql)

    def definition(self, sql: bytes) -> None:
        """Take in a definition."""
        self.icu = self.icu or bool(ICU.search(sql))
        self.roles |= dict.fromkeys(roles_in(sql))
        if owner := superuser_in(sql):
            self.superusers.add(owner)
        self.tablespace(sql)

    def tablespace(self, sql: bytes) -> None:
        """Remember the tablespace that a statement needs."""
        found = TABLESPACE.match(sql)
        if found and (name := dotted(found["name"])):
            self.tablespaces[name] = None
