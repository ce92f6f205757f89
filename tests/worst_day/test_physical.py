"""A base backup is recovered by hand, as docs/worst-day/physical.md says, word by word."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.servers.launcher import small_environment
from tests.helpers.physical import Source, source
from tests.helpers.recoveries import events_in, recovered
from tests.helpers.worst_days import FOLDER

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def run(server: Source, commands: str, **variables: object) -> str:
    """What the shell says to `commands`, as the account of the server."""
    environment = small_environment(server.binaries, str(server.folder))
    environment |= {name: str(value) for name, value in variables.items()}
    environment["PATH"] = f"{server.binaries.bin_dir}:/usr/bin:/bin"
    done = server.launcher.run(["sh", "-ec", commands], cwd=server.folder, env=environment)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def blocks() -> dict[str, str]:
    """The commands of the page, by what they are for."""
    names = ("save", "folder", "tars", "recover", "go_on", "archive")
    found = BLOCK.findall((FOLDER / "physical.md").read_text(encoding="utf-8"))
    return dict(zip(names, found, strict=True))


@pytest.fixture
def server() -> Iterator[Source]:
    """A server with a few rows."""
    with source(15, rows=50) as found:
        yield found


def until_primary(server: Source) -> None:
    """Wait until the server has ended its recovery."""
    until = time.monotonic() + 30
    while server.sql("SELECT pg_is_in_recovery()"):
        assert time.monotonic() < until, "it does not go on"
        time.sleep(0.05)


@pytest.mark.parametrize(("form", "files"), [("plain", "folder"), ("tar", "tars")])
def test_the_page_brings_back_the_moment(
    form: str, files: str, server: Source, blocks: dict[str, str]
) -> None:
    """It pauses at the time, without what came later, and goes on as a primary when told to.

    Until it is told to, it archives nothing.
    """
    backup = server.base_backup("base", form=form)
    _, when = server.commit("wanted")
    server.commit("unwanted")
    server.switch()
    server.stop()
    there = set(server.archive.iterdir())
    data = Path(f"{server.folder}/new")
    places = {"BACKUP": backup, "ARCHIVE": server.archive, "DATA": data, "TARGET": when}
    try:
        run(server, blocks[files], **places)
        run(server, blocks["recover"], **places)

        last = "SELECT what FROM events ORDER BY id DESC LIMIT 1"
        assert server.sql(last) == "wanted"
        assert server.sql("SELECT pg_is_in_recovery()") is True
        assert Path(f"{data}.16386").is_dir()

        run(server, blocks["go_on"], SOCKET=server.folder, PGUSER="postgres")

        until_primary(server)
        assert server.commit("after")[0]
        assert server.sql("SHOW archive_mode") == "off"
        assert set(server.archive.iterdir()) == there

        run(server, blocks["archive"], **places)

        assert server.sql("SHOW archive_mode") == "on"
        server.switch()
        assert (server.archive / "00000002.history").exists()
    finally:
        server.run("pg_ctl", "stop", "-m", "immediate", "-D", data, check=False)


@pytest.mark.parametrize("how", ["immediate", "fast"])
def test_what_only_the_old_server_has_is_saved(
    how: str, server: Source, blocks: dict[str, str]
) -> None:
    """What was never archived, and what was being written; no segment of the future.

    The drill finds nothing wrong in the archive then, and the newest transaction in it.
    """
    backup = server.base_backup("base")
    for _ in range(3):  # their segments become those of the future
        server.commit("kept")
        server.switch()
        server.sql("CHECKPOINT")
    server.sql("ALTER SYSTEM SET archive_command = 'false'")
    server.sql("SELECT pg_reload_conf()")
    server.commit("unarchived")
    finished = str(server.sql("SELECT pg_walfile_name(pg_switch_wal())"))
    server.commit("newest")
    written = str(server.sql("SELECT pg_walfile_name(pg_current_wal_lsn())"))
    server.stop(how)
    there = {each.name for each in server.archive.iterdir()}

    run(server, blocks["save"], OLD=server.data, ARCHIVE=server.archive)

    saved = {each.name for each in server.archive.iterdir()} - there
    lying = {each.name for each in (server.data / "pg_wal").glob("0*")}
    assert {finished, f"{written}.partial" if how == "immediate" else written} <= saved
    assert len(lying) > len(saved), "nothing of the future lies there"
    with recovered(backup, wal=server.archive) as found:
        assert not found.faults
        assert events_in(found)[-2:] == ["unarchived", "newest"]
