"""The statements of a role file: each is read into a `Role` or a `Membership`, or refused.

Nothing of their text is ever run: what is applied is written anew from what was read.
"""

from __future__ import annotations

import re
from dataclasses import replace

from restore_drill.backups.plaindump.role_words import NotUnderstood, Words
from restore_drill.backups.role_model import Membership, Role

ROLE_WORDS = ("role", "user", "group")
NOT_APPLIED = (
    (r"(create|alter|drop|comment on|security label .*on) tablespace", "tablespaces"),
    (r"(grant|revoke) .*on tablespace", "rights on tablespaces"),
    (r"(grant|revoke) .*on parameter", "rights on settings of the server (ON PARAMETER)"),
    (r"security label .*on role", "security labels of roles"),
    (r"drop (role|user|group)", "DROP ROLE: no role is dropped"),
    (r"alter (role|user) .*in database", "settings of a role in one database"),
    (r"alter (role|user|group) all\b", "settings of all roles"),
    (r"revoke ", "REVOKE: no right is taken away"),
)  # fmt: skip
"""What a role file may hold beside roles, by the first words of its statements, and its name."""


class RoleStatements:
    """Takes in the statements of a role file, one by one; they are in UTF-8."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.roles: dict[str, Role] = {}
        self.memberships: dict[Membership, None] = {}
        self.left_out: dict[str, int] = {}

    def take(self, sql: bytes) -> None:
        """Take in one statement; NotUnderstood where it is none that is known."""
        words = Words(sql)
        opening = words.opening
        if opening.startswith(("set ", "select pg_catalog . set_config")):
            return
        for pattern, what in NOT_APPLIED:
            if re.match(pattern, opening):
                self.left_out[what] = self.left_out.get(what, 0) + 1
                return
        kind = words.next().word
        if kind == "grant":
            self.grant(words)
        elif kind == "comment" and words.takes("on", "role"):
            self.comment(words)
        elif kind in ("create", "alter") and words.peek().word in ROLE_WORDS:
            self.role(words, is_new=kind == "create")
        else:
            raise NotUnderstood(kind.upper() or "a statement without a first word")

    def role(self, words: Words, *, is_new: bool) -> None:
        """CREATE ROLE, ALTER ROLE and ALTER ROLE ... SET."""
        is_user = words.next().word == "user"
        name = words.name()
        known = self.roles.get(name)
        if known is None and not is_new:
            raise NotUnderstood("ALTER ROLE of a role that it does not create")
        role = known or Role(name, can_log_in=is_user)
        if not is_new and words.takes("set"):
            role = replace(role, settings=(*role.settings, words.setting()))
        else:
            role = replace(role, **words.attributes())
        words.end()
        self.roles[name] = role

    def comment(self, words: Words) -> None:
        """COMMENT ON ROLE."""
        name = words.name()
        if name not in self.roles or not words.takes("is"):
            raise NotUnderstood("COMMENT ON ROLE")
        comment = None if words.takes("null") else words.value()
        words.end()
        self.roles[name] = replace(self.roles[name], comment=comment)

    def grant(self, words: Words) -> None:
        """GRANT of roles to roles."""
        groups = words.names()
        if not words.takes("to"):
            raise NotUnderstood("GRANT of other than roles")
        members = words.names()
        options = words.grant_options()
        if words.takes("granted", "by"):
            words.name()
        words.end()
        for group in groups:
            self.memberships |= {Membership(group, each, **options): None for each in members}
