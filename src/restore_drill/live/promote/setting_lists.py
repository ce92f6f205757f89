"""Values of settings as the catalog keeps them, read back into what a SET statement takes."""

from __future__ import annotations

import re

QUOTED_LISTS = (
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
)
"""Settings whose value is kept as a list of names in quotes where they need them. As in pg_dump,
whose list this is: no extension can add one."""
ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,"]*?))\s*(?:,|$)')


def values_of(variable: str, value: str) -> list[str]:
    """What stands behind SET `variable` TO, from the `value` in pg_db_role_setting."""
    if variable.lower() not in QUOTED_LISTS or not value:
        return [value]
    items, at = [], 0
    while at < len(value):
        found = ITEM.match(value, at)
        if found is None:
            return [value]
        quoted, bare = found.groups()
        items.append(bare if quoted is None else quoted.replace('""', '"'))
        at = found.end()
    return items
