"""Heads of migrations: they move forward, and where they go back it is a loss."""

from __future__ import annotations

import pytest

from restore_drill.facts.schema.heads import moved, read_heads, went_back
from restore_drill.facts.session import open_session
from tests.helpers.shop import Shops, fill_shop

HEADS = {
    "django_migrations": (
        (
            "CREATE TABLE django_migrations (id serial, app text, name text, applied timestamptz);"
            "INSERT INTO django_migrations (app, name) VALUES ('a', '0001'), ('a', '0002')"
        ),
        "INSERT INTO django_migrations (app, name) VALUES ('b', '0001')",
        "DELETE FROM django_migrations WHERE name = '0002'",
    ),
    "schema_migrations": (
        (
            "CREATE TABLE schema_migrations (version bigint, dirty boolean);"
            "INSERT INTO schema_migrations VALUES (5, false)"
        ),
        "UPDATE schema_migrations SET version = 6",
        "UPDATE schema_migrations SET version = 4",
    ),
    "flyway_schema_history": (
        (
            "CREATE TABLE flyway_schema_history (installed_rank int, script text, success bool);"
            "INSERT INTO flyway_schema_history VALUES (1, 'V1', true), (2, 'V2', true)"
        ),
        "INSERT INTO flyway_schema_history VALUES (3, 'V3', true)",
        "UPDATE flyway_schema_history SET success = false WHERE installed_rank = 2",
    ),
    "SequelizeMeta": (
        """CREATE TABLE "SequelizeMeta" (name text); INSERT INTO "SequelizeMeta" VALUES ('1.js')""",
        """INSERT INTO "SequelizeMeta" VALUES ('2.js')""",
        """DELETE FROM "SequelizeMeta" """,
    ),
    "__EFMigrationsHistory": (
        """CREATE TABLE "__EFMigrationsHistory" ("MigrationId" text, "ProductVersion" text);
        INSERT INTO "__EFMigrationsHistory" VALUES ('1', '8')""",
        """INSERT INTO "__EFMigrationsHistory" VALUES ('2', '8')""",
        """TRUNCATE "__EFMigrationsHistory" """,
    ),
    "migrations": (
        (
            "CREATE TABLE migrations (id serial, migration text, batch integer);"
            "INSERT INTO migrations (migration, batch) VALUES ('one', 1)"
        ),
        "INSERT INTO migrations (migration, batch) VALUES ('two', 2)",
        "DELETE FROM migrations",
    ),
}
"""By table: what makes it, a migration forward, and what no migration does."""


@pytest.mark.parametrize("table", HEADS)
def test_migration_head_is_known(table: str, shops: Shops) -> None:
    """A head moves with a new migration; where migrations vanish it has gone back."""
    made, forward, back = HEADS[table]
    source = shops.database(15, f"head_{table.lower()}")
    fill_shop(source, made)

    def heads() -> dict[str, tuple[str, ...]]:
        with open_session(source) as connection:
            return read_heads(connection, None)[0]

    before = heads()
    fill_shop(source, back)
    gone = heads()
    fill_shop(source, forward)
    after = heads()

    name = f"public.{table}"
    assert name in before
    assert moved(before, before) == [] and went_back(before, before) == []
    assert moved(before, gone) == [] and went_back(before, gone) == [name]
    assert moved(gone, after) == [name]
