"""Which roles are made, by whom, and what of a role file is left out; on 15, and since 16."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from restore_drill.backups.model import Entry
from restore_drill.backups.role_model import Membership, Role, RoleFile
from restore_drill.core.errors import CouldNotRun
from restore_drill.live.rights import refuse_owners, refuse_rights
from restore_drill.live.role_making import make_roles
from restore_drill.live.role_marks import drop_marked, keep_roles, mark_for, marked_roles
from restore_drill.live.role_plan import (
    Plan,
    ServerRoles,
    line_on_role,
    plan_roles,
    read_server_roles,
)
from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.model import Target
from tests.helpers.swaps import started

DATABASE = "shop_drill_0123456789ab"
FILE = RoleFile(
    Path("globals.sql"),
    {
        each.name: each
        for each in (
            Role("owner", comment="of the shop", settings=(("work_mem", ("8MB",)),)),
            Role("reader"),
            Role("app", can_log_in=True, password="md5" + "0" * 32),
            Role("team"),
            Role("root", can_log_in=True, is_superuser=True),
            Role("other", can_log_in=True),
        )
    },
    (
        Membership("reader", "app"),
        Membership("team", "app"),
        Membership("reader", "root"),
        Membership("admins", "app"),
        Membership("gone", "owner"),
        Membership("owner", "there"),
        Membership("owner", "postgres"),
    ),
)


def test_roles_that_belong_together_are_planned() -> None:
    """Those that are wanted, their members, and the groups of all; others are left out."""
    there = frozenset({"there", "admins", "postgres"})
    server = ServerRoles(there, frozenset({"admins", "postgres"}), frozenset({"postgres"}))

    plan = plan_roles(FILE, ["owner", "reader", "there", "unknown"], server)

    assert [each.name for each in plan.roles] == ["owner", "reader", "unknown", "app", "team"]
    assert not plan.roles[2].is_known and plan.roles[2].can_log_in
    assert set(plan.memberships) == {
        Membership("reader", "app"), Membership("team", "app"), Membership("owner", "there"),
    }  # fmt: skip
    left = "\n".join(plan.left)
    assert "role root (SUPERUSER), a member of reader, is not made" in left
    assert 'GRANT "admins" TO "app" is left out: admins reaches beyond the database' in left
    assert 'GRANT "gone" TO "owner" is left out: there is no role gone' in left


@pytest.fixture(scope="module", params=[15, 17])
def server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """A server with an administrator who is no superuser, and has nothing granted."""
    with started(request.param) as server:
        with server.target("postgres").connect() as connection:
            connection.execute("CREATE ROLE boss LOGIN CREATEROLE CREATEDB")
            connection.execute("CREATE ROLE plain LOGIN; CREATE ROLE there")
        yield server


@pytest.fixture
def as_user(server: EmbeddedServer) -> Callable[[str], Target]:
    """Function that gives the way to the server as a user."""
    target = replace(server.target("postgres"), without_event_triggers=False)
    return lambda name: replace(target, conninfo={**target.conninfo, "user": name})


def make(target: Target, plan: Plan, *own: str) -> tuple[list[str], list[str]]:
    """Make planned roles."""
    with target.connect() as connection:
        secret = {each.name: each.password for each in plan.roles}
        return make_roles(connection, plan, own, mark_for(DATABASE), lambda role: secret[role.name])


def rows(target: Target, query: str) -> list[Any]:
    """Rows of a query."""
    with target.connect() as connection:
        return connection.execute(query.encode()).fetchall()


def test_an_administrator_makes_keeps_and_drops(as_user: Callable[[str], Target]) -> None:
    """It becomes a member of the owners alone; nobody who was there is changed."""
    boss = as_user("boss")
    before = rows(boss, "SELECT * FROM pg_roles ORDER BY 1")
    with boss.connect() as connection:
        plan = plan_roles(FILE, ["owner", "reader"], read_server_roles(connection))
    assert make(boss, plan, "owner") == (["owner"], [])
    refuse_owners(boss, [Entry("TABLE", "public", "t", "owner")])
    with pytest.raises(CouldNotRun, match="may not give objects to reader"):
        refuse_owners(boss, [Entry("TABLE", "public", "t", "reader")])
    with boss.connect() as connection, connection.transaction():
        assert set(marked_roles(connection)) == {"owner", "reader", "app", "team"}
        keep_roles(connection, plan.roles[:1], DATABASE)
    comment = "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = 'owner'"
    assert rows(boss, comment) == [("of the shop",)]
    assert rows(boss, "SELECT rolconfig FROM pg_roles WHERE rolname = 'owner'") == [
        (["work_mem=8MB"],)
    ]
    with boss.connect() as connection:
        dropped, kept = drop_marked(connection, DATABASE)
        connection.execute("DROP ROLE owner")
    assert (sorted(dropped), kept) == (["app", "reader", "team"], [])
    assert rows(boss, "SELECT * FROM pg_roles ORDER BY 1") == before


def test_who_may_not_is_refused(as_user: Callable[[str], Target]) -> None:
    """With what is missing; nothing is made of a plan of which one part fails."""
    before = rows(as_user("boss"), "SELECT * FROM pg_roles ORDER BY 1")
    one = Plan((Role("owner"),), (), ())
    with pytest.raises(CouldNotRun, match="the role plain in DATABASE_URL may make none"):
        make(as_user("plain"), one)
    far = Plan((Role("owner"), Role("root", is_superuser=True, may_replicate=True)), (), ())
    with pytest.raises(CouldNotRun, match="boss is no superuser") as refusal:
        make(as_user("boss"), far)
    assert "root: SUPERUSER, REPLICATION" in str(refusal.value)
    twice = Plan((Role("owner"), Role("there")), (), ())
    with pytest.raises(CouldNotRun, match="the server refuses the roles owner, there"):
        make(as_user("boss"), twice)
    reserved = Plan((Role("owner"), Role("pg_new")), (), ())
    with pytest.raises(CouldNotRun, match="the server refuses the roles owner, pg_new"):
        make(as_user("boss"), reserved)

    loads = (("session_preload_libraries", ("evil",)), ("no.such_thing", ("secret",)))
    _, left = make(as_user("boss"), Plan((Role("owner", settings=loads),), (), ()))
    with as_user("boss").connect() as connection:
        drop_marked(connection, DATABASE)
    assert "its setting session_preload_libraries is left out: it loads code" in left[0]
    assert "secret" not in str(left)
    assert rows(as_user("boss"), "SELECT * FROM pg_roles ORDER BY 1") == before


def test_a_superuser_makes_one_that_the_backup_names(as_user: Callable[[str], Target]) -> None:
    """It is reported with what it may do."""
    superuser = as_user("postgres")
    with superuser.connect() as connection:
        plan = plan_roles(FILE, ["root"], read_server_roles(connection))
    make(superuser, plan)

    (root,) = [each for each in plan.roles if each.name == "root"]
    assert root.reaches_far
    assert line_on_role(root, plan) == "role root made: LOGIN, SUPERUSER, member of reader"
    assert rows(superuser, "SELECT rolsuper FROM pg_roles WHERE rolname = 'root'") == [(True,)]
    with superuser.connect() as connection:
        assert drop_marked(connection, DATABASE)[1] == []


def test_a_role_in_use_is_kept_and_named(as_user: Callable[[str], Target]) -> None:
    """The server keeps what somebody has given an object meanwhile."""
    superuser = as_user("postgres")
    make(superuser, Plan((Role("owner"),), (), ()))
    with superuser.connect() as connection:
        connection.execute("CREATE SCHEMA mine AUTHORIZATION owner")
        dropped, kept = drop_marked(connection, DATABASE)
        assert dropped == []
        assert "the role owner, which a drill has made, could not be dropped" in kept[0]
        assert 'DROP ROLE "owner"' in kept[0]
        connection.execute("DROP SCHEMA mine")
        assert drop_marked(connection, DATABASE) == (["owner"], [])


def test_kinds_for_superusers_are_tried(as_user: Callable[[str], Target]) -> None:
    """Each kind that is refused is named; a superuser is refused none."""
    kinds = ("EVENT TRIGGER", "FOREIGN DATA WRAPPER", "ACCESS METHOD", "OPERATOR CLASS",
             "SUBSCRIPTION")  # fmt: skip
    entries = [Entry(kind, "-", "x", "boss") for kind in kinds]
    refuse_rights(as_user("postgres"), entries)
    with pytest.raises(CouldNotRun, match="does not take what the backup holds") as refusal:
        refuse_rights(as_user("boss"), entries)
    for kind in kinds:
        assert f"{kind}: " in str(refusal.value)
    with pytest.raises(CouldNotRun, match="and to there in the backup"):
        refuse_rights(as_user("boss"), [Entry("SCHEMA", "-", "public", "there")])
