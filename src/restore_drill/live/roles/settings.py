"""Settings that a new role gets from a role file: those that concern its own sessions alone."""

from __future__ import annotations

from psycopg import sql

from restore_drill.backups.role_model import Role

HARMLESS = {
    "application_name", "bytea_output", "client_encoding", "client_min_messages", "datestyle",
    "default_transaction_deferrable", "default_transaction_isolation",
    "default_transaction_read_only", "effective_cache_size", "extra_float_digits",
    "idle_in_transaction_session_timeout", "idle_session_timeout", "intervalstyle", "jit",
    "lc_monetary", "lc_numeric", "lc_time", "lock_timeout", "maintenance_work_mem",
    "random_page_cost", "search_path", "seq_page_cost", "statement_timeout",
    "standard_conforming_strings", "temp_buffers", "timezone", "transaction_timeout", "work_mem",
}  # fmt: skip
"""A list of what is taken, not of what is not: others load code, write logs, pass by policies…"""


def setting_statement(role: Role, variable: str) -> sql.Composed:
    """The statement that sets `variable` (that of an extension, too), up to its value."""
    name = sql.SQL(".").join(map(sql.Identifier, variable.split(".")))
    return sql.SQL("ALTER ROLE {} SET {} TO ").format(sql.Identifier(role.name), name)


def harmless_settings(role: Role, left: list[str]) -> dict[str, sql.Composed]:
    """Statements by setting of `role`; lines on those that are left out go to `left`."""
    found = {}
    for variable, values in role.settings:
        statement = setting_statement(role, variable)
        if variable.lower() in HARMLESS:
            found[variable] = statement + sql.SQL(", ").join(map(sql.Literal, values))
            continue
        left.append(
            f"role {role.name}: its setting {variable} is left out, because it may reach "
            f"beyond its own sessions; if that is wanted: {statement.as_string(None)}..."
        )
    return found
