"""Whom a role may give objects to: asked of the server the same way by all that restore."""

from __future__ import annotations

from restore_drill.servers.model import Target


def may_own(role: str, membership: str = "%s") -> str:
    """Condition in SQL: the session's role may make `role`, an expression, an owner.

    `membership` is an expression too: what `membership_to_own` gives, as a parameter.
    """
    return (
        "(pg_catalog.pg_has_role(" + role + ", 'USAGE')"
        " AND pg_catalog.pg_has_role(" + role + ", " + membership + "))"
    )


def membership_to_own(target: Target) -> str:
    """Membership in a role that makes it possible to make that role an owner."""
    return "SET" if target.major >= 16 else "MEMBER"
