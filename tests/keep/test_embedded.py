"""Servers that stay up after their drill: reachable, no left-over, ended in time or by order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from restore_drill.config.settings import settings_from
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.keep import shell
from restore_drill.keep.hand_over import environment_of_keeper
from restore_drill.keep.kept import KEEPER, Kept, end_kept, kept_elsewhere, kept_servers
from restore_drill.keep.lines import kept_lines
from restore_drill.servers import isolation
from restore_drill.servers.cleanup import clean, find_left_overs
from restore_drill.servers.processes import find_server
from tests.helpers.drills import ROOT, run_drill
from tests.helpers.keeping import PATIENCE, answer, awaited, command, kept_in
from tests.helpers.shop_drills import CRITERIA

TRICKY = "it's = a \\ name"


def psql(kept: Kept, query: str) -> str:
    """What psql answers over the connection that is shown to the user."""
    return answer(f'{kept.command} -XAtc "{query}"')


@pytest.mark.parametrize("why", ["", "closed for this test"], ids=["behind walls", "without"])
def test_a_kept_server_is_reachable_and_no_left_over(
    why: str, kept: Callable[..., Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By psql, whatever the database is called; other runs see that it is kept; it can be ended."""
    monkeypatch.setattr(isolation, "closed", {"why": why} if why else {})
    found = kept(60, TRICKY)

    assert psql(found, "SELECT current_database()") == TRICKY
    assert [each.path for each in find_left_overs() if each.path == found.run] == []
    assert [each.what for each in kept_servers() if each.run == found.run] == [f"database {TRICKY}"]
    (line,) = [line for line in kept_lines() if str(found.run) in line]
    assert f"{found.until:%Y-%m-%d %H:%M:%S}" in line
    assert found.end()
    assert not found.run.exists()
    assert find_server(found.run / "data") is None
    assert [each.run for each in kept_servers() if each.run == found.run] == []


def test_a_server_is_kept_only_by_a_keeper_that_lives(
    kept: Callable[..., Kept], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where it cannot import what the drill has, nothing is said to be kept."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert str(tmp_path) in environment_of_keeper()["PYTHONPATH"].split(os.pathsep)

    monkeypatch.setattr("restore_drill.keep.hand_over.KEEPER", "restore_drill.no_keeper")
    with pytest.raises(OSError, match="did not start"):
        kept(60)


def test_a_kept_server_ends_by_itself_when_its_time_is_over(kept: Callable[..., Kept]) -> None:
    """Server, keeper and files."""
    found = kept(0.5)

    assert awaited(lambda: not found.run.exists())
    assert find_server(found.run / "data") is None


def test_what_a_killed_keeper_leaves_is_a_left_over(kept: Callable[..., Kept]) -> None:
    """The walls fall with it, and the next drill cleans up."""
    found = kept(60)

    os.kill(found.keeper.pid, signal.SIGKILL)
    found.keeper.wait(PATIENCE)

    (left,) = [each for each in find_left_overs() if each.path == found.run]
    assert "kept until" in left.owner
    assert f"removed {found.run}" in clean(left)
    assert not found.run.exists()


def test_a_failed_drill_keeps_its_server_for_the_shell(
    dump: Path, place: Path, tmp_path: Path, report_dir: Path
) -> None:
    """`--keep on-failure`: the message has psql's command, `shell` opens it, `clean` ends it."""
    criteria = tmp_path / "criteria.toml"
    criteria.write_text(CRITERIA.replace("min_rows = 200", "min_rows = 201"))
    arguments = [
        "--keep=on-failure",
        "-k",
        "cards",
        f"--backup={dump}",
    ]

    failed = run_drill(
        *arguments, f"--criteria={criteria}", "--keep-for=10min", report_dir=report_dir
    )
    try:
        assert failed.code == 1
        (line,) = [line for line in failed.output.splitlines() if "bin/psql" in line]
        assert "The restored server stays up for 10 min: database shop, until" in failed.output
        assert any("the restored server is kept" in each for each in failed.result["notes"])
        shown = line.removeprefix("· ")
        query = "SELECT count(*) FROM cards"
        assert answer(f'{shown} -XAtc "{query}"') == "200"
        assert command("shell", "-XAt", stdin=f"{query};").stdout == "200\n"

        passed = run_drill(*arguments, report_dir=report_dir)
        assert passed.code == 0
        assert "stays up for" not in passed.output
        assert f"Kept by an earlier drill: {place}/restore-drill-" in passed.output
        assert len(kept_in(place)) == 1
    finally:
        cleaned = command("clean").stdout
    assert "ended the kept server of database shop, until" in cleaned
    assert list(place.glob("restore-drill-*")) == []


def test_the_shell_goes_to_the_kept_server_alone(kept: Callable[..., Kept]) -> None:
    """Whichever database and role are named: never to the server that is psql's own default."""
    found = kept(60)
    query = "SELECT current_database(), current_user, current_setting('port')"
    psql(found, "CREATE ROLE app SUPERUSER LOGIN")
    where = psql(found, "SHOW data_directory")

    for options, answered in [
        (["-d", "template1"], "template1|postgres"),
        (["-d", "template1", "-U", "app"], "template1|app"),
        (["--dbname=shop", "--username=app"], "shop|app"),
        (["template1", "app"], "template1|app"),
    ]:
        done = command("shell", *options, "-XAtc", query, "-c", "SHOW data_directory")
        assert done.stdout.splitlines() == [f"{answered}|5432", where], done.stderr


def has_argument(processes: list[psutil.Process], text: str) -> bool:
    """Whether one of `processes` was given `text`."""
    return any(text in each.cmdline() for each in processes)


@pytest.mark.parametrize("walls", [[], ["unshare", "--user", "--pid", "--fork"]], ids=["", "in"])
def test_no_process_behind_walls_is_taken_for_a_keeper(walls: list[str], place: Path) -> None:
    """A dump's code runs as this user there, and could have `shell` run what it likes."""
    program = '{"service": "postgres", "what": "x", "until": 4e9, "program": "/bin/true"'
    spec = f'{program}, "arguments": [], "run": "{place}/restore-drill-00000000"}}'
    # In variables: unshare itself stays outside, and has this command line.
    script = 'echo up; sh -c "sleep 60; :" "$KEEPER" "$SPEC"'
    with subprocess.Popen(
        [*walls, "sh", "-c", script], env=os.environ | {"KEEPER": KEEPER, "SPEC": spec},
        stdout=subprocess.PIPE, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None and process.stdout.readline() == b"up\n"
            family = psutil.Process(process.pid)
            assert awaited(lambda: has_argument(family.children(recursive=True), spec))
            assert len(kept_in(place)) == (0 if walls else 1)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def test_a_server_of_another_tmpdir_is_named(
    kept: Callable[..., Kept], place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that opens it."""
    kept(60)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert kept_in(place) == []
    (line,) = [each for each in kept_elsewhere("shell", "postgres") if str(place) in each]
    assert line.startswith(f"database shop is kept in {place}: TMPDIR={place} ")
    shown = line.partition(": ")[2] + " -XAtc 'SELECT current_database()'"
    assert subprocess.check_output(["sh", "-c", shown], cwd=ROOT, text=True) == "shop\n"


def test_a_server_that_cannot_be_ended_is_not_said_to_be(
    kept: Callable[..., Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ends it is named instead."""
    found = kept(60)
    monkeypatch.setattr("restore_drill.keep.kept.PATIENCE", 0.1)
    monkeypatch.setattr("restore_drill.keep.kept.kept_servers", lambda: [found])
    found.keeper.suspend()
    try:
        done, (left,) = end_kept()
        assert done == []
        assert left.startswith("could not end the kept server of database shop, until ")
        assert f"kill -9 {found.keeper.pid}" in left
    finally:
        found.keeper.resume()


def test_without_a_kept_server_the_shell_says_how_to_get_one(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the option, and for Redis without REDIS_URL."""
    assert place not in [each.run.parent for each in kept_servers()]
    monkeypatch.setattr(shell, "kept_servers", list)
    with pytest.raises(CouldNotRun, match="no server is kept now") as error:
        shell.run(Namespace(), ROOT, [])
    assert "--keep always" in str(error.value)
    with pytest.raises(CouldNotRun, match="no Redis is kept now") as error:
        shell.run(Namespace(), ROOT, ["redis"])
    assert "REDIS_URL" in str(error.value)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"keep": "allways"}, "cannot be 'allways'; choose one of never, on-failure, always"),
        ({"keep": "always", "target": "database"}, "the target database is not kept"),
        ({"keep_for": "0s"}, "give a duration above zero"),
        ({"keep": "always", "keep_for": "9999999d"}, "is longer than 1000 years"),
    ],
)
def test_only_a_server_of_our_own_can_be_kept(
    given: dict[str, str | None], why: str, tmp_path: Path
) -> None:
    """Never a live database, and never without a limit."""
    given |= {"backup": str(tmp_path)}
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://db.example/shop\n")

    with pytest.raises(UsageError, match=why):
        settings_from(given, here=tmp_path, root=ROOT)


def test_nobody_but_its_account_can_reach_a_kept_server(kept: Callable[..., Kept]) -> None:
    """It listens on its private socket alone."""
    found = kept(60)

    assert psql(found, "SHOW listen_addresses") == ""
    assert found.run.stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=str(found.run / "way"), port=5432, user="nosuch", dbname="shop")
