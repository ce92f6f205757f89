"""Empties a live database within a transaction, and sees what that leaves behind."""

from __future__ import annotations

from psycopg import sql

from restore_drill.facts.session import Connection

SCHEMAS = """
    SELECT nspname FROM pg_catalog.pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        AND nspname NOT LIKE 'pg\\_temp\\_%' AND nspname NOT LIKE 'pg\\_toast\\_temp\\_%'
"""
LEFT = """
    SELECT pg_catalog.pg_describe_object(o.classid, o.objid, 0) FROM (
        SELECT 'pg_catalog.pg_cast'::pg_catalog.regclass, oid FROM pg_catalog.pg_cast
        UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, oid
            FROM pg_catalog.pg_foreign_data_wrapper
        UNION ALL SELECT 'pg_catalog.pg_am'::pg_catalog.regclass, oid FROM pg_catalog.pg_am
        UNION ALL SELECT 'pg_catalog.pg_language'::pg_catalog.regclass, oid
            FROM pg_catalog.pg_language WHERE lanname <> 'plpgsql'
        UNION ALL SELECT 'pg_catalog.pg_transform'::pg_catalog.regclass, oid
            FROM pg_catalog.pg_transform
        UNION ALL SELECT 'pg_catalog.pg_default_acl'::pg_catalog.regclass, oid
            FROM pg_catalog.pg_default_acl
        UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, oid
            FROM pg_catalog.pg_class WHERE relpersistence <> 't' AND relkind <> 'i'
                AND relnamespace <> 'pg_toast'::pg_catalog.regnamespace
        UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid FROM pg_catalog.pg_proc
    ) o (classid, objid) WHERE objid >= 16384 AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE (d.classid, d.objid, d.deptype) = (o.classid, o.objid, 'e')
    ) ORDER BY 1
"""
"""What somebody has made that goes neither with a schema nor with what it needs. Numbers from
16384 on are not the server's own; an extension that is left is plpgsql, of a cluster upgraded."""


OWNER_OF_PUBLIC = """
    SELECT pg_catalog.pg_get_userbyid(nspowner) FROM pg_catalog.pg_namespace
    WHERE nspname = 'public'
"""


def empty(connection: Connection, major: int) -> None:
    """Drop all, and make an empty schema public.

    Below PostgreSQL 15 no dump says whom that belongs to: there it stays with its owner.
    """
    row = connection.execute(OWNER_OF_PUBLIC).fetchone()
    drop_all(connection)
    make_public(connection, major)
    if row is not None and major < 15:
        owner = sql.Identifier(row[0])
        connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(owner))


def drop_all(connection: Connection) -> None:
    """Drop event triggers, publications, extensions, schemas and large objects."""
    drop_subscriptions(connection)
    for kind, query in (
        ("EVENT TRIGGER", "SELECT evtname FROM pg_catalog.pg_event_trigger"),
        ("PUBLICATION", "SELECT pubname FROM pg_catalog.pg_publication"),
        ("EXTENSION", "SELECT extname FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql'"),
        ("SERVER", "SELECT srvname FROM pg_catalog.pg_foreign_server"),
        ("SCHEMA", SCHEMAS),
    ):
        for (name,) in connection.execute(query.encode()).fetchall():
            connection.execute(
                sql.SQL("DROP {} IF EXISTS {} CASCADE").format(sql.SQL(kind), sql.Identifier(name))
            )
    connection.execute("SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata")


def drop_subscriptions(connection: Connection) -> None:
    """Drop those of this database, which are off (`check_resettable`), without their publisher.

    What has no slot is dropped here alone: a slot of that name on another server stays.
    """
    own = (
        "SELECT s.subname FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d"
        " ON d.oid = s.subdbid WHERE d.datname = pg_catalog.current_database()"
    )
    for (name,) in connection.execute(own).fetchall():
        for change in ("ALTER SUBSCRIPTION {} SET (slot_name = NONE)", "DROP SUBSCRIPTION {}"):
            connection.execute(sql.SQL(change).format(sql.Identifier(name)))


def make_public(connection: Connection, major: int) -> None:
    """Schema public as a new database of this version has it."""
    connection.execute("CREATE SCHEMA public")
    if major >= 15:
        connection.execute("ALTER SCHEMA public OWNER TO pg_database_owner")
        connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    else:
        connection.execute("GRANT ALL ON SCHEMA public TO PUBLIC")
    connection.execute("COMMENT ON SCHEMA public IS 'standard public schema'")


def left_behind(connection: Connection) -> list[str]:
    """What is in an emptied database that no new one has, in the server's words."""
    return [str(name) for (name,) in connection.execute(LEFT.encode()).fetchall()]
