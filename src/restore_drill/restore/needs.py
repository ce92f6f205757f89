"""Roles and tablespaces that a dump needs: made on a throwaway server, asked for on a live one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from restore_drill.backups.model import Contents
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.restore.preflight import (
    make_roles,
    make_tablespaces,
    missing_roles,
    missing_tablespaces,
)
from restore_drill.servers.model import Target


def make_what_is_needed(target: Target, contents: Contents) -> Iterator[str]:
    """Make the roles and tablespaces that `contents` name; a line on what was made."""
    roles = make_roles(target, contents)
    spaces = make_tablespaces(target, contents)
    if roles:
        yield f"roles created for owners and grants (NOLOGIN): {', '.join(roles)}"
    if spaces:
        yield f"tablespaces created in the server's own directory: {', '.join(spaces)}"


def refuse_what_is_missing(target: Target, contents: Contents) -> None:
    """CouldNotRun where a server that is not ours lacks roles or tablespaces of `contents`."""
    refuse_missing_roles(target, contents.roles)
    spaces = missing_tablespaces(target, contents)
    if spaces:
        raise CouldNotRun(
            f"the backup needs tablespaces that the server lacks: {', '.join(spaces)}",
            checked=["pg_tablespace"],
            remedy=remedy_for("live", "missing_tablespaces", name=spaces[0]),
        )


def refuse_missing_roles(target: Target, names: Iterable[str]) -> None:
    """CouldNotRun where a server that is not ours lacks roles of `names`: it is given none."""
    lacking = missing_roles(target, names)
    if lacking:
        raise CouldNotRun(
            f"the backup needs roles that the server lacks: {', '.join(lacking)}",
            checked=["pg_roles"],
            remedy=remedy_for("live", "missing_roles", name=lacking[0]),
        )
