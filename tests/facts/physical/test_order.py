"""An index of text that is in another order: a finding, unless this machine sorts otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.helpers.physical import Source, source
from tests.helpers.recovered import recovered

TABLE = """
CREATE COLLATION plain (provider = icu, locale = 'en-US');
CREATE TABLE words (word text COLLATE plain, other text);
INSERT INTO words SELECT chr(65 + n % 26) || n, 'w' || n FROM generate_series(1, 3000) n;
INSERT INTO words SELECT chr(97 + n % 26) || n, 'w' || n FROM generate_series(1, 3000) n;
CREATE INDEX words_word ON words (word);
CREATE INDEX words_other ON words (other);
UPDATE pg_collation SET colliculocale = 'en-US-u-kf-upper' WHERE collname = 'plain'
"""
"""What the server is told last: capitals come first, which they do not in the index."""


@pytest.fixture(scope="module")
def server() -> Iterator[Source]:
    """Server with an index that is not in the order of its collation."""
    with source(15, needs=frozenset({"icu"}), max_prepared_transactions="5") as server:
        with server.connect() as connection:
            for statement in TABLE.split(";\n"):
                connection.execute(statement.encode())
        yield server


def versioned(server: Source, version: str) -> None:
    """Say of which version the collation was, and shut down."""
    server.sql(f"UPDATE pg_collation SET collversion = {version} WHERE collname = 'plain'")
    server.stop()


@pytest.mark.parametrize("is_same", [True, False])
def test_order_is_a_finding_where_the_collation_is_the_same(
    server: Source, *, is_same: bool
) -> None:
    """Else it is told: the index may be in order where the backup comes from."""
    versioned(server, "pg_collation_actual_version(oid)" if is_same else "'1.0'")
    with recovered(server.data, server.binaries, server.folder / "it") as found:
        examined = found.examine()
    server.start()

    name = "index public.words_word on public.words"
    assert examined.is_sound != is_same
    assert [each.partition(": ")[0] for each in examined.storage] == [name] * is_same
    told = {what: why for what, why in examined.told if "words" in what}
    assert list(told) == [f"storage of {name}"] * (not is_same)
    for why in told.values():
        assert "collation public.plain was version 1.0 where the index was made, and is " in why


def test_indexes_that_a_prepared_transaction_writes_are_examined_too(server: Source) -> None:
    """Beside its locks, which last as long as nobody ends it."""
    with psycopg.connect(host=str(server.folder), user="postgres", dbname="shop") as connection:
        connection.execute("INSERT INTO customers (email) VALUES ('new@example.org')")
        connection.execute("PREPARE TRANSACTION 'left over'")
    versioned(server, "pg_collation_actual_version(oid)")
    with recovered(server.data, server.binaries, server.folder / "it") as found:
        examined = found.examine(["shop"])
    server.start()

    assert [what for what, _ in examined.told if "customers" in what] == []
