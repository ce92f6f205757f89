"""The Redis stage as a user who may not do all: what is missing is named."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from restore_drill.config.criteria import Criteria
from restore_drill.redis.faults import PREFIX, RIGHTS
from restore_drill.redis.own import limits
from tests.helpers.redis_servers import PASSWORD, Drill, Look, Serve


def test_rights_that_remedies_name_are_enough(look: Look, serve: Serve) -> None:
    """A user with these alone, and the drill's keys alone, is let do all that is checked."""
    server = serve()
    server.admin.acl_setuser(
        "drill",
        enabled=True,
        passwords=["+secret"],
        keys=[f"{PREFIX}*"],
        commands=RIGHTS.split(),
    )

    found = look(server.url(user="drill", password="secret", database=2))

    (keys,) = found.stage.writable_keys()
    keys.put("counts", "41")
    assert (keys.increment("counts"), keys.get("counts"), keys.delete("counts")) == (42, "42", 1)
    assert not keys.exists("counts")
    assert found.record.not_checked == []
    assert limits.all_faults(found.stage, Criteria(Path())) == []


def test_user_without_write_learns_which_command_is_missing(look: Look, serve: Serve) -> None:
    """An ACL user that may only read fails the write criterion, which names SET and the remedy."""
    server = serve()
    server.admin.acl_setuser(
        "reporter",
        enabled=True,
        passwords=[f"+{PASSWORD}"],
        keys=["*"],
        commands=["+@read", "+ping", "+info", "+select"],
    )

    story = look(server.url(user="reporter", password=PASSWORD)).write_fault

    assert "does not let its user run SET" in story
    assert "ACL SETUSER USER +ping" in story
    assert "reporter" not in story
    assert PASSWORD not in story


def test_user_with_other_keys_learns_the_prefix(look: Look, serve: Serve) -> None:
    """An ACL user bound to the application's keys learns which prefix to grant."""
    server = serve()
    server.admin.acl_setuser(
        "app", enabled=True, passwords=["+secret"], keys=["cache:*"], commands=["+@all"]
    )

    story = look(server.url(user="app", password="secret")).write_fault

    assert "does not let its user access keys under restore-drill:*" in story


def test_nothing_is_written_where_memory_is_hidden(look: Look, serve: Serve) -> None:
    """Without INFO nobody knows whether a write evicts: none is made, which is not checked."""
    server = serve()
    server.admin.acl_setuser(
        "app", enabled=True, passwords=["+secret"], keys=["*"], commands=["+@all", "-info"]
    )

    found = look(server.url(user="app", password="secret"))

    (node,) = found.stage.nodes
    assert "could evict live keys; grant it: ACL SETUSER USER +info" in node.not_tried
    assert node.write_error is None
    assert found.stage.facts and found.stage.facts.keys == 0
    assert found.stage.facts.is_primary
    assert [entry["what"] for entry in found.record.not_checked] == ["memory of Redis"]
    assert "cmdstat_set" not in server.admin.info("commandstats")


@pytest.mark.parametrize("hidden", ["acl", "renamed", "with role"])
def test_redis_without_info_is_not_checked_instead_of_failed(
    hidden: str, drill: Drill, serve: Serve
) -> None:
    """What needs INFO is not checked, with the reason; nobody is asked to promote anything."""
    options = [] if hidden == "acl" else ["--rename-command", "INFO", "hidden"]
    options += ["--rename-command", "ROLE", "hidden2"] if hidden == "with role" else []
    server = serve(*options)
    commands = ["+@all", "-info", "-role"] if hidden == "acl" else ["+@all"]
    server.admin.acl_setuser(
        "app", enabled=True, passwords=["+secret"], keys=["*"], commands=commands
    )

    run = drill("-rs", REDIS_URL=server.url(user="app", password="secret"))

    assert run.exit_code == 0, run.output
    assert "without INFO (not permitted, or renamed)" in run.output
    assert "REPLICAOF" not in run.output
    assert run.redis["role"] == "master"  # which HELLO tells any user
    assert run.redis["version"]
    assert run.redis["write"] == "not tried"


def test_user_that_may_not_delete_fails_that_criterion_alone(drill: Drill, serve: Serve) -> None:
    """A missing right to delete is named, and the keys go by their TTL all the same."""
    server = serve()
    server.admin.acl_setuser(
        "app", enabled=True, passwords=["+secret"], keys=["*"], commands=["+@all", "-del"]
    )

    run = drill(REDIS_URL=server.url(user="app", password="secret"))

    assert run.failed == {"deletes_keys"}
    assert "does not let its user run DEL" in run.output
    assert all(0 < server.admin.pttl(key) <= 30_000 for key in server.admin.keys("restore-drill:*"))


def test_wrong_password_fails_and_is_not_repeated(drill: Drill, serve: Serve) -> None:
    """A refused password fails the first criterion with its message; the others are not reached."""
    server = serve(password="right")

    run = drill("-rfEs", REDIS_URL=server.url(password=PASSWORD))

    assert run.exit_code == 1
    assert run.failed == {"answers_ping"}
    reason = f"Redis at 127.0.0.1:{server.port}/0 refused the user name or password"
    lines = run.output.splitlines()
    assert lines.count(reason) == 1
    assert sum(line.endswith(f"not reached: {reason}") for line in lines) == 10
    assert f"checked: 127.0.0.1:{server.port}/0 (from REDIS_URL)" in run.output
    assert run.redis["reachable"] is False
    for secret in (PASSWORD, quote(PASSWORD, safe="")):
        assert secret not in run.output + json.dumps(run.record)
