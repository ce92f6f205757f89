"""What the dump needs and the server lacks, named before anything is restored."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

import psycopg
from psycopg import sql

from restore_drill.backups.model import Contents
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_in
from restore_drill.restore.no_superuser import NO_RIGHT
from restore_drill.servers.extensions import package_of
from restore_drill.servers.model import Target

PRELOAD = "shared_preload_libraries"


def check_databases(contents: Contents) -> None:
    """CouldNotRun where the dump holds several databases: the drill restores one."""
    if len(contents.databases) > 1:
        raise CouldNotRun(
            f"the backup holds {len(contents.databases)} databases, but a drill restores only one",
            checked=[f"pg_dumpall's output with tables in: {', '.join(contents.databases)}"],
            remedy=remedy_for("restore", "several_databases"),
        )


def check_extensions(target: Target, names: Sequence[str]) -> None:
    """CouldNotRun naming each of the extensions `names` that the server lacks or cannot make."""
    check_available(target, names)
    try_extensions(target, names)


def check_available(target: Target, names: Sequence[str]) -> None:
    """CouldNotRun naming each of the extensions `names` that the server does not have."""
    with target.connect() as connection:
        rows = connection.execute("SELECT name FROM pg_available_extensions").fetchall()
    available = {name for (name,) in rows}
    lacking = [name for name in names if name not in available]
    if not lacking:
        return
    packages = " ".join(package_of(name, target.major) for name in lacking)
    near = [match for name in lacking for match in difflib.get_close_matches(name, available, n=1)]
    raise CouldNotRun(
        f"the backup needs extensions that {target.description} does not have: "
        + ", ".join(lacking),
        checked=[f"pg_available_extensions ({len(available)} extensions)"]
        + ([f"nearest by name: {', '.join(near)}"] if near else []),
        remedy=remedy_for("target", "extension_missing", packages=packages),
    )


def try_extensions(target: Target, names: Sequence[str]) -> None:
    """CouldNotRun where the server cannot make an extension of `names`; nothing of it stays.

    That its files are there says little: their libraries may not load, or only at the start.
    """
    wanted = [name for name in names if name != "plpgsql"]
    if not wanted:
        return
    failed: dict[str, psycopg.Error] = {}
    with target.connect() as connection, connection.transaction(force_rollback=True):
        rows = connection.execute("SELECT extname FROM pg_extension").fetchall()
        for name in (name for name in wanted if (name,) not in rows):
            command = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE")
            try:
                with connection.transaction():
                    connection.execute(command.format(sql.Identifier(name)))
            except psycopg.Error as error:
                failed[name] = error
    if failed:
        raise cannot_make(target, failed)


def cannot_make(target: Target, failed: Mapping[str, psycopg.Error]) -> CouldNotRun:
    """What the server reported when it was to create extensions, and the remedy.

    The server of a drill holds no rows yet, so that its messages may be shown; a live one's not.
    """
    errors = {name: error_in(error) for name, error in failed.items()}
    texts = {
        name: error.in_full if target.throwaway else error.text(name)
        for name, error in errors.items()
    }
    preload = [name for name, error in errors.items() if PRELOAD in error.message]
    named = ", ".join(preload)
    steps = remedy_for("target", "preload", names=named, setting=PRELOAD) if preload else []
    if preload and target.throwaway:
        steps += remedy_for("target", "no_preload")
    packages = " ".join(package_of(name, target.major) for name in failed)
    is_there = all(error.sqlstate == NO_RIGHT for error in errors.values())
    names = ", ".join(failed)
    steps += remedy_for(
        "target",
        "extension_not_allowed" if is_there else "extension_refused",
        packages=packages,
        names=names,
    )
    return CouldNotRun(
        f"{target.description} cannot create the extensions that the backup needs: {names}",
        checked=[f"CREATE EXTENSION {name}: {text}" for name, text in texts.items()],
        remedy=steps,
    )


def check_collations(target: Target, contents: Contents) -> None:
    """CouldNotRun where the dump uses ICU collations and the server was built without ICU."""
    if not contents.needs_icu:
        return
    with target.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_collation WHERE collprovider = 'i'"
        ).fetchone()
    if row and row[0]:
        return
    raise CouldNotRun(
        f"the backup uses ICU collations, and {target.description} was built without ICU",
        remedy=remedy_for("target", "no_icu", major=target.major),
    )


def make_roles(target: Target, contents: Contents) -> list[str]:
    """Create the roles that the dump names and the server lacks (NOLOGIN); what was made.

    Only for a throwaway server: owners and grants survive there, and no login is opened. A role
    that owns what only a superuser can own was one in the source, and becomes one here.
    """
    made = []
    with target.connect() as connection:
        rows = connection.execute("SELECT rolname FROM pg_roles").fetchall()
        existing = {name for (name,) in rows}
        for role in contents.roles:
            if role in existing:
                continue
            rights = "SUPERUSER NOLOGIN" if role in contents.superusers else "NOLOGIN"
            # PostgreSQL keeps names in pg_ for itself, and has more of them in each version.
            name = f"restore-drill {role}"[:60] if role.startswith("pg_") else role
            create = sql.SQL("CREATE ROLE {} " + rights)
            connection.execute(create.format(sql.Identifier(name)))
            if name != role:
                connection.execute("SET allow_system_table_mods = on")
                rename = "UPDATE pg_authid SET rolname = %s WHERE rolname = %s"
                connection.execute(rename, [role, name])
            if role in contents.grantors:
                # It may have reached the schema as a member of a role, which no dump shows.
                reach = sql.SQL("GRANT pg_read_all_data TO {}")
                connection.execute(reach.format(sql.Identifier(role)))
            made.append(f"{role} (a superuser)" if role in contents.superusers else role)
    return made


def make_tablespaces(target: Target, contents: Contents) -> list[str]:
    """Create the tablespaces that the dump names inside the data directory; their names.

    Only for a throwaway server, which has none of the disks that the source has.
    """
    names = missing_tablespaces(target, contents)
    if names:
        with target.connect() as connection:
            connection.execute("SET allow_in_place_tablespaces = on")
            for name in names:
                create = sql.SQL("CREATE TABLESPACE {} LOCATION ''")
                connection.execute(create.format(sql.Identifier(name)))
    return names


def missing_tablespaces(target: Target, contents: Contents) -> list[str]:
    """Tablespaces that the dump names and the server lacks."""
    with target.connect() as connection:
        existing = {name for (name,) in connection.execute("SELECT spcname FROM pg_tablespace")}
    return [name for name in contents.tablespaces if name not in existing]


def missing_roles(target: Target, names: Iterable[str]) -> list[str]:
    """Those of the roles `names` that the server lacks."""
    with target.connect() as connection:
        rows = connection.execute("SELECT rolname FROM pg_roles").fetchall()
    existing = {name for (name,) in rows}
    return [role for role in names if role not in existing]
