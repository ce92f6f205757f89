"""Which roles are made, by whom, and what of a role file is left out; on 15, and since 16."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from restore_drill.backups.model import Entry
from restore_drill.backups.role_model import Membership, Role, RoleFile
from restore_drill.core.errors import CouldNotRun
from restore_drill.live.beside.rights import refuse_owners, refuse_rights
from restore_drill.live.roles.making import make_roles
from restore_drill.live.roles.marks import OPENING, drop_marked, keep_roles, marked_roles
from restore_drill.live.roles.plan import (
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
    with started(request.param, log_min_error_statement="error") as server:
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
        return make_roles(connection, plan, own, DATABASE, lambda role: secret[role.name])


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
    assert make(boss, plan, "owner", "owner") == (["owner"], [])
    refuse_owners(boss, [Entry("TABLE", "public", "t", "owner")])
    with pytest.raises(CouldNotRun, match="may not assign objects to reader"):
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
    with pytest.raises(CouldNotRun, match="the role plain in DATABASE_URL may not create any"):
        make(as_user("plain"), one)
    far = Plan((Role("owner"), Role("root", is_superuser=True, may_replicate=True)), (), ())
    with pytest.raises(CouldNotRun, match="boss is not a superuser") as refusal:
        make(as_user("boss"), far)
    assert "root: SUPERUSER, REPLICATION" in str(refusal.value)
    twice = Plan((Role("owner"), Role("there")), (), ())
    with pytest.raises(CouldNotRun, match="the server refuses the role there"):
        make(as_user("boss"), twice)
    reserved = Plan((Role("owner"), Role("pg_new")), (), ())
    with pytest.raises(CouldNotRun, match="the server refuses the role pg_new"):
        make(as_user("boss"), reserved)

    late = Plan((Role("owner"), Role("app", valid_until="junk")), (), ())
    with pytest.raises(CouldNotRun, match="VALID UNTIL of role app in the role file") as refusal:
        make(as_user("boss"), late)
    assert "remove it" in str(refusal.value) and "superuser" not in str(refusal.value)
    assert rows(as_user("boss"), "SELECT * FROM pg_roles ORDER BY 1") == before


@pytest.mark.parametrize("user", ["boss", "postgres"])
def test_settings_of_a_short_list_are_taken(as_user: Callable[[str], Target], user: str) -> None:
    """Any other is named with the statement that sets it, and not its value."""
    given = (("session_preload_libraries", ("s3cret",)), ("no.such_thing", ("s3cret",)),
             ("log_directory", ("s3cret",)), ("DateStyle", ("ISO, DMY",)),
             ("session_replication_role", ("replica",)), ("work_mem", ("s3cret",)))  # fmt: skip
    until = Plan((Role("owner", settings=given, valid_until="infinity"),), (), ())
    _, left = make(as_user(user), until)
    config = rows(as_user(user), "SELECT rolconfig FROM pg_roles WHERE rolname = 'owner'")
    with as_user(user).connect() as connection:
        assert drop_marked(connection, DATABASE) == (["owner"], [])
    assert config == [(["DateStyle=ISO, DMY"],)]
    assert "its setting log_directory is left out" in str(left)
    assert 'if that is wanted: ALTER ROLE "owner" SET "no"."such_thing" TO ...' in left[1]
    assert len(left) == 5 and "s3cret" not in str(left)


def test_a_mark_is_bound_to_its_role_and_server(as_user: Callable[[str], Target]) -> None:
    """A comment that was copied or restored marks nothing: no role of the user's is dropped."""
    superuser = as_user("postgres")
    old = f"{OPENING}{DATABASE}, and dropped with it unless that is promoted"
    make(superuser, Plan((Role("owner"),), (), ()))
    comment = "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = %s"
    with superuser.connect() as connection:
        (mark,) = connection.execute(comment, ["owner"]).fetchone() or ("",)
        assert mark.startswith(OPENING + DATABASE)
        for text in (mark, old):
            connection.execute("CREATE ROLE human LOGIN")
            connection.execute(f"COMMENT ON ROLE human IS '{text}'".encode())
            assert marked_roles(connection) == {"owner": DATABASE}
            connection.execute("DROP ROLE human")
        elsewhere = re.sub(r"server \d+", "server 4711", mark)
        connection.execute(f"COMMENT ON ROLE owner IS '{elsewhere}'".encode())
        assert drop_marked(connection, DATABASE) == ([], [])

        connection.execute(f"COMMENT ON ROLE owner IS '{mark}'".encode())
        keep_roles(connection, [Role("owner", comment=mark)], DATABASE)
        assert connection.execute(comment, ["owner"]).fetchone() == (None,)
        connection.execute("DROP ROLE owner")


def test_no_right_reaches_beyond_the_database(as_user: Callable[[str], Target]) -> None:
    """Neither through a predefined role, directly or not, nor by an attribute nobody needs."""
    superuser, boss = as_user("postgres"), as_user("boss")
    roles = (Role("owner", may_create_databases=True), Role("app", may_create_roles=True))
    groups = ("pg_read_all_data", "pg_signal_backend", "watchers", "owner")
    file = RoleFile(
        Path("globals.sql"),
        {each.name: each for each in roles},
        (*(Membership(group, "app") for group in groups), Membership("owner", "there")),
    )
    with superuser.connect() as connection:
        connection.execute("CREATE ROLE watchers; GRANT pg_monitor TO watchers")
        by_superuser = plan_roles(file, ["owner"], read_server_roles(connection))
        connection.execute("GRANT watchers TO boss WITH ADMIN OPTION")
    with boss.connect() as connection:
        by_boss = plan_roles(file, ["owner"], read_server_roles(connection))
    with superuser.connect() as connection:
        connection.execute("DROP ROLE watchers")

    assert [each.far_rights for each in by_superuser.roles] == [["CREATEDB"], []]
    assert by_superuser.roles[0].reaches_far
    assert by_superuser.memberships == ()
    for group in groups:
        assert f'GRANT "{group}" TO "app" is left out' in str(by_superuser.left)
    assert 'GRANT "owner" TO "there" is left out' in str(by_superuser.left)
    assert 'if that is wanted: ALTER ROLE "app" CREATEROLE' in str(by_superuser.left)
    assert [each.far_rights for each in by_boss.roles] == [[], []]
    assert set(by_boss.memberships) == {Membership("owner", "app"), Membership("owner", "there")}
    assert 'if that is wanted: ALTER ROLE "owner" CREATEDB' in str(by_boss.left)


def test_no_verifier_is_logged(server: EmbeddedServer, as_user: Callable[[str], Target]) -> None:
    """Not where the server refuses a role, and not where it logs all statements of a superuser."""
    secret = Role("app", can_log_in=True, password="md5" + "5ec4e7" * 5 + "00", valid_until="now")
    for user in ("boss", "postgres"):
        with pytest.raises(CouldNotRun, match="refuses the role there"):
            make(as_user(user), Plan((secret, replace(secret, name="there")), (), ()))
    with as_user("postgres").connect() as connection:
        connection.execute("SET log_statement = 'all'")
        make_roles(connection, Plan((secret,), (), ()), [], DATABASE, lambda role: role.password)
        stored = "SELECT rolpassword FROM pg_authid WHERE rolname = 'app'"
        assert connection.execute(stored).fetchone() == (secret.password,)
        assert drop_marked(connection, DATABASE) == (["app"], [])
    log = server.run.log.read_text()
    assert 'CREATE ROLE "app"' in log and 'CREATE ROLE "there"' in log
    assert str(secret.password) not in log


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
        assert "the role owner, which a drill created, could not be dropped" in kept[0]
        assert 'DROP ROLE "owner"' in kept[0]
        connection.execute("DROP SCHEMA mine")
        assert drop_marked(connection, DATABASE) == (["owner"], [])


def test_kinds_for_superusers_are_tried(as_user: Callable[[str], Target]) -> None:
    """Each kind that is refused is named; a superuser is refused none."""
    kinds = ("EVENT TRIGGER", "FOREIGN DATA WRAPPER", "ACCESS METHOD", "OPERATOR CLASS",
             "SUBSCRIPTION")  # fmt: skip
    entries = [Entry(kind, "-", "x", "boss") for kind in kinds]
    refuse_rights(as_user("postgres"), entries)
    with pytest.raises(CouldNotRun, match="does not accept what the backup holds") as refusal:
        refuse_rights(as_user("boss"), entries)
    for kind in kinds:
        assert f"{kind}: " in str(refusal.value)
    with pytest.raises(CouldNotRun, match="and to there in the backup"):
        refuse_rights(as_user("boss"), [Entry("SCHEMA", "-", "public", "there")])
