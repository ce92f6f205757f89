"""Where the password of each new role comes from: role file, file of passwords, or a person."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from restore_drill.backups.role_model import Role, RoleFile
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.steps import Steps
from restore_drill.core.units import some
from restore_drill.facts.session import Connection
from restore_drill.live.roles.passwords import (
    ask_password,
    has_terminal,
    read_passwords,
    verifier_of,
)


class Secrets:
    """Passwords of the roles that are made over `connection`."""

    def __init__(
        self, connection: Connection, file: RoleFile | None, given: Path | None, steps: Steps
    ) -> None:
        """`file` is the role file, `given` the file of passwords, where there are such."""
        self.connection, self.file, self.given, self.steps = connection, file, given, steps

    @cached_property
    def passwords(self) -> dict[str, str]:
        """Passwords in the file that the user has named."""
        return read_passwords(self.given) if self.given else {}

    def is_needed(self, role: Role) -> bool:
        """Whether a password has to come from the user: no role file says that it has none."""
        if not role.can_log_in or role.password is not None or role.name in self.passwords:
            return False
        return not (role.is_known and self.file is not None and self.file.has_passwords)

    def refuse_unknown(self, roles: Sequence[Role]) -> None:
        """CouldNotRun where a password is needed, and nobody is there to be asked for it."""
        needed = [role.name for role in roles if self.is_needed(role)]
        if not needed or self.may_ask():
            return
        checked = ["there is no terminal to ask on"]
        given = f"{self.given} has no password for them"
        checked.append(given if self.given else "no --role-passwords")
        if self.file:
            checked.append(f"{self.file.path.name}: it holds no password (--no-role-passwords)")
        raise CouldNotRun(
            "no role was created: these log in, but their passwords are not known: "
            f"{some(needed, 10)}",
            checked=checked,
            remedy=remedy_for("roles", "no_password", role=needed[0]),
        )

    def may_ask(self) -> bool:
        """Whether a person sees what is written, and can type."""
        with self.steps.terminal() as terminal:
            return terminal is not None and terminal.isatty and has_terminal()

    def verifier(self, role: Role) -> str | None:
        """What the server is to keep for `role`; None where it has no password."""
        password = role.password
        if role.can_log_in and role.name in self.passwords:
            password = self.passwords[role.name]
        elif self.is_needed(role):
            with self.steps.terminal():  # nothing is captured meanwhile
                password = ask_password(role.name, self.steps.warn)
        return verifier_of(self.connection, role.name, password) if password else None
