"""What a role file holds: roles as `pg_dumpall --globals-only` writes them, and who is in which."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

PRIVILEGED = {
    "is_superuser": "SUPERUSER",
    "may_replicate": "REPLICATION",
    "bypasses_policies": "BYPASSRLS",
}
"""Attributes that rule the server, by the field of `Role`, in the words of SQL."""
FAR = {"may_create_databases": "CREATEDB", "may_create_roles": "CREATEROLE"}
"""The same of others that reach beyond one database.

Before 16 CREATEROLE rules the server too: such a role makes itself a member of any other.
"""


@dataclass(frozen=True)
class Role:
    """One role; `password` is a verifier (or a text), `settings` are names with their values.

    `is_known` says that a file describes it: one that a backup names alone is not.
    """

    name: str
    can_log_in: bool = False
    inherits: bool = True
    is_superuser: bool = False
    may_create_databases: bool = False
    may_create_roles: bool = False
    may_replicate: bool = False
    bypasses_policies: bool = False
    connection_limit: int = -1
    password: str | None = field(default=None, repr=False)
    valid_until: str | None = None
    settings: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)
    comment: str | None = None
    is_known: bool = True

    @property
    def privileges(self) -> list[str]:
        """Those of PRIVILEGED that it has: `SUPERUSER`."""
        return [words for name, words in PRIVILEGED.items() if getattr(self, name)]

    @property
    def far_rights(self) -> list[str]:
        """Those of FAR that it has: `CREATEROLE`."""
        return [words for name, words in FAR.items() if getattr(self, name)]

    @property
    def reaches_far(self) -> bool:
        """Whether it may do more on the server than an application has to."""
        return bool(self.privileges or self.far_rights)


class Membership(NamedTuple):
    """`member` is in `group`; `inherit` and `set_role` are None where the file does not say."""

    group: str
    member: str
    admin: bool = False
    inherit: bool | None = None
    set_role: bool | None = None


@dataclass(frozen=True)
class RoleFile:
    """A role file that was read whole; `left_out` are lines on what of it is not applied."""

    path: Path
    roles: dict[str, Role]
    memberships: tuple[Membership, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def has_passwords(self) -> bool:
        """Whether it was made without --no-role-passwords: a role without one has none then."""
        return any(each.password is not None for each in self.roles.values())
