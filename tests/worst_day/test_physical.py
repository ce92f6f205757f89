"""A base backup is recovered by hand, as docs/worst-day/physical.md says, word by word."""

from __future__ import annotations

import re
import time
from pathlib import Path

from restore_drill.servers.launcher import small_environment
from tests.helpers.physical import Source, source
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


def test_the_page_brings_back_the_moment() -> None:
    """It pauses at the time, without what came later, and goes on as a primary when told to."""
    page = (FOLDER / "physical.md").read_text(encoding="utf-8")
    recover, go_on = BLOCK.findall(page)
    with source(15, rows=50) as server:
        backup = server.base_backup("base")
        _, when = server.commit("wanted")
        server.commit("unwanted")
        server.switch()
        server.stop()
        data = Path(f"{server.folder}/new")
        try:
            run(server, recover, BACKUP=backup, ARCHIVE=server.archive, DATA=data, TARGET=when)

            last = "SELECT what FROM events ORDER BY id DESC LIMIT 1"
            assert server.sql(last) == "wanted"
            assert server.sql("SELECT pg_is_in_recovery()") is True
            assert Path(f"{data}.16386").is_dir()

            run(server, go_on, SOCKET=server.folder, PGUSER="postgres")

            until = time.monotonic() + 30
            while server.sql("SELECT pg_is_in_recovery()") and time.monotonic() < until:
                time.sleep(0.05)
            assert server.commit("after")[0]
        finally:
            server.run("pg_ctl", "stop", "-m", "immediate", "-D", data, check=False)
