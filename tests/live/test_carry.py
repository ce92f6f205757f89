"""What a database has outside itself: the restored one takes it over, or is refused beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.live.promote.carry import carry, check_carry
from restore_drill.live.promote.outside import differences, read_outside
from restore_drill.live.promote.setting_lists import values_of
from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.model import Target
from tests.helpers.shop import majors
from tests.helpers.swaps import Pair, started

ROLES = """
    CREATE ROLE owner LOGIN CREATEDB;
    CREATE ROLE app LOGIN;
    CREATE ROLE "Odd ""Role"" x" LOGIN;
"""
DRESSED = """
    ALTER DATABASE {live} OWNER TO owner;
    ALTER DATABASE {live} SET search_path = "Odd, ""Schema"" x", public, "$user", '';
    ALTER DATABASE {live} SET DateStyle = 'ISO, DMY';
    ALTER DATABASE {live} SET "app.tenant" = 'it''s "a" \\ b = c';
    ALTER DATABASE {live} SET default_text_search_config = 'simple';
    ALTER DATABASE {live} SET session_preload_libraries = 'auto_explain', 'pg_prewarm';
    ALTER ROLE app IN DATABASE {live} SET search_path = '';
    ALTER ROLE app IN DATABASE {live} SET work_mem = '5MB';
    ALTER ROLE "Odd ""Role"" x" IN DATABASE {live} SET statement_timeout = '7s';
    REVOKE CONNECT ON DATABASE {live} FROM PUBLIC;
    GRANT CONNECT, CREATE ON DATABASE {live} TO app WITH GRANT OPTION;
    SET ROLE app;
    GRANT CONNECT ON DATABASE {live} TO "Odd ""Role"" x";
    RESET ROLE;
    COMMENT ON DATABASE {live} IS 'The shop''s own; "quoted" \\ ü';
    ALTER DATABASE {live} CONNECTION LIMIT 77;
    ALTER DATABASE {live} IS_TEMPLATE true;
"""
GRANTED_ON = """GRANT CONNECT ON DATABASE {live} TO app WITH GRANT OPTION;
SET ROLE app;
GRANT CONNECT ON DATABASE {live} TO "Odd ""Role"" x"
"""
AS_A_DRILL_MAKES_IT = """
    COMMENT ON DATABASE {incoming} IS 'restore-drill: a copy';
    ALTER DATABASE {incoming} CONNECTION LIMIT 5;
    ALTER DATABASE {incoming} SET work_mem = '64MB';
    REVOKE CONNECT ON DATABASE {incoming} FROM PUBLIC;
"""


@pytest.fixture(scope="module", params=majors(18))
def server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """A live server of each of these majors; the other tests of `live` have one of 15."""
    with started(request.param) as server:
        with server.target("postgres").connect() as connection:
            connection.execute(ROLES.encode())
        yield server


def run(pair: Pair, script: str) -> None:
    """Run `script` with the names of both databases in it."""
    names = {"live": f'"{pair.journal.name}"', "incoming": f'"{pair.journal.incoming}"'}
    with pair.server.connect() as connection:
        for statement in script.format(**names).split(";\n"):
            if statement.strip():
                connection.execute(statement.encode())


def catalog_rows(target: Target, oid: int) -> list[tuple[Any, ...]]:
    """What the catalog itself holds of a database, apart from its name and number."""
    query = """
        SELECT to_jsonb(d) - 'oid' - 'datname' - 'datfrozenxid' - 'datminmxid',
            (SELECT jsonb_agg(to_jsonb(s) - 'setdatabase' ORDER BY s.setrole)
                FROM pg_db_role_setting s WHERE s.setdatabase = d.oid),
            shobj_description(d.oid, 'pg_database')
        FROM pg_database d WHERE oid = %s
    """
    with target.connect() as connection:
        return connection.execute(query.encode(), [oid]).fetchall()


@pytest.mark.parametrize("before", ["", AS_A_DRILL_MAKES_IT], ids=["plain", "made by a drill"])
@pytest.mark.parametrize("live", ["", DRESSED], ids=["bare", "dressed"])
def test_all_of_it_is_the_same_in_the_catalog(before: str, live: str, pair: Pair) -> None:
    """Owner, settings of all kinds, rights and who gave them, limit, comment, template."""
    run(pair, before)
    run(pair, live)
    old, new = pair.journal.live_oid, pair.journal.incoming_oid
    was = catalog_rows(pair.server, new)

    with pair.server.connect() as connection:
        check_carry(connection, old, new)
        assert catalog_rows(pair.server, new) == was
        with connection.transaction():
            carry(connection, old, new)
        wanted, found = read_outside(connection, old), read_outside(connection, new)

    assert differences(wanted, found) == []
    if not (before and not live):  # rights that are the defaults may be written or not
        assert catalog_rows(pair.server, new) == catalog_rows(pair.server, old)
    if live:
        assert wanted.connection_limit == 77
        assert ("app", 'Odd "Role" x', "CONNECT", False) in wanted.rights


def test_another_encoding_is_refused(pair: Pair, server: EmbeddedServer) -> None:
    """What a database is created with cannot be carried."""
    other = server.create_database(f"{pair.journal.name}_latin", encoding="LATIN1")
    with other.connect() as connection:
        row = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
        (oid,) = row.fetchone() or (0,)

    with (
        pair.server.connect() as connection,
        pytest.raises(CouldNotRun, match="cannot take the place of the live one") as caught,
    ):
        check_carry(connection, pair.journal.live_oid, oid)

    assert "encoding: 6 and 8" in str(caught.value)


@pytest.mark.parametrize(
    ("script", "lacks"),
    [
        ("ALTER ROLE app IN DATABASE {live} SET work_mem = '5MB'", "ALTER ROLE"),
        ("ALTER DATABASE {live} SET session_preload_libraries = 'auto_explain'", "session_preload"),
        (GRANTED_ON, "as role app: permission denied to set role"),
        ("ALTER DATABASE {live} OWNER TO postgres", "OWNER TO "),
    ],
)  # fmt: skip
def test_what_a_role_may_not_carry_is_refused_beforehand(
    script: str, lacks: str, pair: Pair
) -> None:
    """The owner, who is no superuser: the statement is named, nothing has changed."""
    run(pair, "ALTER DATABASE {live} OWNER TO owner;\nALTER DATABASE {incoming} OWNER TO owner")
    run(pair, script)
    old, new = pair.journal.live_oid, pair.journal.incoming_oid
    was = catalog_rows(pair.server, new)
    theirs = pair.server_as("owner")

    with theirs.connect() as connection, pytest.raises(CouldNotRun) as caught:
        check_carry(connection, old, new)

    assert lacks in str(caught.value)
    assert catalog_rows(pair.server, new) == was


def test_a_label_without_its_provider_is_refused(pair: Pair) -> None:
    """It could not be given to the new database."""
    with pair.server.connect() as connection:
        connection.execute(
            "INSERT INTO pg_shseclabel VALUES (%s, 'pg_database'::regclass, 'nobody', 'secret')",
            [pair.journal.live_oid],
        )
        with pytest.raises(CouldNotRun, match='SECURITY LABEL FOR "nobody"'):
            check_carry(connection, pair.journal.live_oid, pair.journal.incoming_oid)
        connection.execute("DELETE FROM pg_shseclabel")


def test_the_value_of_a_setting_is_in_no_message(pair: Pair) -> None:
    """It may be a secret."""
    run(pair, "ALTER DATABASE {live} OWNER TO owner;\nALTER DATABASE {incoming} OWNER TO owner")
    run(pair, "ALTER ROLE app IN DATABASE {live} SET \"app.key\" = 'hunter2'")
    theirs = pair.server_as("owner")

    with theirs.connect() as connection, pytest.raises(CouldNotRun) as caught:
        check_carry(connection, pair.journal.live_oid, pair.journal.incoming_oid)

    assert '"app.key"' in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value", "values"),
    [
        ("search_path", 'public, "A, ""b""", "$user"', ["public", 'A, "b"', "$user"]),
        ("search_path", '""', [""]),
        ("Search_Path", "a,b", ["a", "b"]),
        ("DateStyle", "ISO, DMY", ["ISO, DMY"]),
        ("temp_tablespaces", "", [""]),
    ],
)
def test_lists_of_names_are_taken_apart(variable: str, value: str, values: list[str]) -> None:
    """Only those that the catalog keeps as such."""
    assert values_of(variable, value) == values
