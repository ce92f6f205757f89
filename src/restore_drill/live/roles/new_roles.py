"""Roles that a drill makes on a live server (--create-roles), and drops unless it promotes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Self

import psycopg

from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.role_file import read_role_file
from restore_drill.backups.role_model import Role, RoleFile
from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.record import Record
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.core.steps import Steps
from restore_drill.core.units import capitalised, some
from restore_drill.facts.session import Connection
from restore_drill.live.beside.database import with_own_settings
from restore_drill.live.beside.rights import examined, owners_in, refuse_owners, refuse_rights
from restore_drill.live.roles.making import make_roles
from restore_drill.live.roles.marks import (
    drop_marked,
    keep_roles,
    marked_roles,
    refuse_marked,
)
from restore_drill.live.roles.plan import (
    Plan,
    line_on_role,
    plan_roles,
    read_server_roles,
)
from restore_drill.live.roles.secrets import Secrets
from restore_drill.live.server.maintenance import maintenance_target
from restore_drill.selection.role_files import role_file_for
from restore_drill.servers.model import Target


class NewRoles:
    """Roles of one drill; as a context it drops at its end what no promotion has kept."""

    def __init__(self, settings: Settings, backup: Backup, steps: Steps, record: Record) -> None:
        """Nothing is read or made yet."""
        self.settings, self.backup, self.steps, self.record = settings, backup, steps, record
        self.live: Target | None = None
        self.server: Target | None = None
        self.database = ""
        self.owners = owners_in(backup.head.entries)
        self.made: dict[str, Role] = {}

    def __enter__(self) -> Self:
        """Nothing is made yet."""
        return self

    def check(self, live: Target) -> None:
        """CouldNotRun where owners in the backup are missing on the server of `live`.

        With --create-roles they are made as soon as the drill has its database (`begin`).
        """
        self.live = live
        self.server = with_own_settings(maintenance_target(live, ["postgres"]))
        if not self.settings.create_roles:
            self.provide(self.owners)
            refuse_owners(live, self.backup.head.entries)

    def begin(self, made: Target, owner: str = "") -> None:
        """Make the owners that are missing: for the drill's own database, and to end with it.

        `owner` is that of the database, where it is made anew. CouldNotRun too where this role may
        not restore what the head of the backup names.
        """
        assert self.live is not None
        self.database = made.conninfo["dbname"]
        if self.settings.create_roles:
            self.owners += [owner] if owner else []
            application = self.settings.criteria.application_role
            self.provide([*self.owners, *([application] if application else [])])
            refuse_owners(self.live, self.backup.head.entries)
        refuse_rights(made, self.backup.head.entries)

    @cached_property
    def found(self) -> tuple[Path, str] | None:
        """Where the role file lies, and a line on it; None where there is none."""
        zone = self.settings.criteria.timezone
        return role_file_for(self.backup, self.settings.globals, zone)

    @cached_property
    def file(self) -> RoleFile | None:
        """The role file, read whole; None where there is none."""
        return read_role_file(self.found[0]) if self.found else None

    def complete(self, made: Target, contents: Contents) -> None:
        """The same for all that the backup holds, now that it is read; `made` is still empty.

        CouldNotRun too where this role may not restore it.
        """
        assert self.live is not None
        self.owners = owners_in(contents.entries)
        self.provide(contents.roles)
        refuse_owners(self.live, contents.entries)
        refuse_rights(made, contents.entries)

    def provide(self, names: Iterable[str]) -> None:
        """See that the roles `names` are there: make those that are missing, or refuse.

        CouldNotRun without --create-roles, or where they cannot be made.
        """
        assert self.server is not None
        with examined(self.server), self.server.connect(connect_timeout="10") as connection:
            marked = marked_roles(connection)
            wanted = list(dict.fromkeys(names))
            refuse_marked({n: marked[n] for n in wanted if n in marked}, self.database)
            there = read_server_roles(connection)
            missing = [name for name in wanted if name not in there.names]
            if not missing:
                return
            if not self.settings.create_roles:
                raise self.refusal(missing)
            self.make(connection, plan_roles(self.file, missing, there))

    def make(self, connection: Connection, plan: Plan) -> None:
        """Make what is planned, and report it."""
        secrets = Secrets(connection, self.file, self.settings.role_passwords, self.steps)
        secrets.refuse_unknown(plan.roles)
        new = {role.name: role for role in plan.roles}
        own = [name for name in self.owners if name in new]
        self.made |= new  # before they are: an interrupt behind the commit leaves none
        groups, left = make_roles(connection, plan, own, self.database, secrets.verifier)
        if self.found:
            self.note(self.found[1])
        for role in plan.roles:
            report = self.warn if role.reaches_far else self.note
            report(line_on_role(role, plan))
        if groups:
            self.note(f"the role in DATABASE_URL is from now on a member of {some(groups, 10)}")
        for line in [*plan.left, *left]:
            self.warn(line)
        for what in self.file.left_out if self.file else ():
            self.note(f"the role file also holds statements that are not applied: {what}")

    def refusal(self, missing: list[str]) -> CouldNotRun:
        """Why the drill ends where roles are missing and it was not asked to make them."""
        checked, known = ["pg_roles", "no role file lies beside the backup"], list[str]()
        if self.found:
            checked[1:] = [self.found[1]]
            try:
                known = [name for name in missing if self.file and name in self.file.roles]
            except CouldNotRun as error:
                checked.append(error.what)
            else:
                checked.append(f"of these it holds {some(known, 10) or 'none'}")
        return CouldNotRun(
            f"the backup needs roles that the server lacks: {', '.join(missing)}",
            checked=checked,
            remedy=remedy_for("roles", "in_file" if known else "missing", name=missing[0]),
        )

    def keep(self, connection: Connection) -> None:
        """Keep the roles, in the transaction of `connection`: they belong to what is promoted."""
        keep_roles(connection, self.made.values(), self.database)

    def __exit__(self, *_: object) -> None:
        """Drop what was made and not kept, once the drill's database is gone."""
        if self.server is None or not self.made:
            return
        kept: list[str] = []
        try:
            with self.server.connect(connect_timeout="10") as connection:
                dropped, left = drop_marked(connection, self.database)
                there = read_server_roles(connection).names
                kept = [name for name in self.made if name in there]
        except psycopg.Error as error:
            names = some(list(self.made), 10)
            line = f"the roles {names}, which this drill created, could not be dropped"
            dropped, left = [], [f"{line} ({error_text(error)}): the next drill will drop it"]
        for line in left:
            self.warn(line)
        if dropped:
            self.note(f"roles dropped again, since nothing was promoted: {some(dropped, 10)}")
        elif kept and not left:
            self.note(f"roles that stay with the promoted database: {some(kept, 10)}")

    def note(self, line: str) -> None:
        """Report a fact, once."""
        if line in self.record.notes:
            return
        self.steps.note(capitalised(line))
        self.record.notes.append(line)

    def warn(self, line: str) -> None:
        """Report what somebody has to look after."""
        self.steps.warn(capitalised(line))
        self.record.warnings.append(line)
