"""What a database has outside itself, as the catalog holds it: owner, settings, rights, comment."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from psycopg.rows import dict_row

from restore_drill.facts.session import Connection

CREATED_WITH = {
    "encoding": "encoding",
    "datcollate": "LC_COLLATE",
    "datctype": "LC_CTYPE",
    "datlocprovider": "locale provider",
    "daticulocale": "ICU locale",
    "datlocale": "locale",
    "daticurules": "ICU rules",
    "dattablespace": "tablespace",
}
"""Columns of pg_database, by version, that are set when a database is created and not later."""
DATABASE = """
    SELECT to_jsonb(d) AS columns, pg_catalog.pg_get_userbyid(d.datdba) AS owner,
        d.datconnlimit AS connection_limit, d.datistemplate AS is_template,
        d.datallowconn AS allows_connections, d.datacl IS NOT NULL AS has_own_rights,
        pg_catalog.shobj_description(d.oid, 'pg_database') AS comment
    FROM pg_catalog.pg_database d WHERE d.oid = %s
"""
RIGHTS = """
    SELECT pg_catalog.pg_get_userbyid(a.grantor),
        CASE WHEN a.grantee <> 0 THEN pg_catalog.pg_get_userbyid(a.grantee) END,
        a.privilege_type, a.is_grantable
    FROM pg_catalog.pg_database d CROSS JOIN LATERAL pg_catalog.aclexplode(
        coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))
    ) WITH ORDINALITY AS a (grantor, grantee, privilege_type, is_grantable, place)
    WHERE d.oid = %s ORDER BY a.grantor <> d.datdba, a.place
"""
SETTINGS = """
    SELECT coalesce(r.rolname, ''), s.setconfig FROM pg_catalog.pg_db_role_setting s
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
    WHERE s.setdatabase = %s ORDER BY 1
"""
LABELS = """
    SELECT provider, label FROM pg_catalog.pg_shseclabel
    WHERE classoid = 'pg_catalog.pg_database'::pg_catalog.regclass AND objoid = %s ORDER BY 1
"""

Right = tuple[str, str | None, str, bool]
"""Grantor, grantee (None: everyone), privilege, whether it can be granted on."""


@dataclass(frozen=True)
class Outside:
    """What a database has outside itself.

    `settings` are lines `name=value` by role, those for all roles by the empty text; `rights` hold
    the defaults where nobody has granted or revoked any.
    """

    owner: str
    connection_limit: int
    is_template: bool
    allows_connections: bool
    comment: str | None
    has_own_rights: bool
    rights: tuple[Right, ...]
    settings: dict[str, list[str]]
    labels: dict[str, str]
    created_with: dict[str, Any]


def read_outside(connection: Connection, oid: int) -> Outside:
    """What the database `oid` has outside itself."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(DATABASE.encode(), [oid]).fetchone()
    assert found is not None
    columns = found.pop("columns")
    return Outside(
        **found,
        rights=tuple(connection.execute(RIGHTS.encode(), [oid]).fetchall()),
        settings=dict(connection.execute(SETTINGS.encode(), [oid]).fetchall()),
        labels=dict(connection.execute(LABELS.encode(), [oid]).fetchall()),
        created_with={column: columns.get(column) for column in CREATED_WITH},
    )


def differences(wanted: Outside, found: Outside) -> list[str]:
    """A line for each way in which `found` is not `wanted`."""
    lines = [
        f"{words}: {wanted.created_with[column]!r} and {found.created_with[column]!r}"
        for column, words in CREATED_WITH.items()
        if wanted.created_with[column] != found.created_with[column]
    ]
    for each in fields(Outside):
        one, other = getattr(wanted, each.name), getattr(found, each.name)
        if each.name == "rights":
            one, other = set(one), set(other)
        if each.name not in ("created_with", "has_own_rights") and one != other:
            lines.append(f"{each.name.replace('_', ' ')} is not the same")
    return lines
