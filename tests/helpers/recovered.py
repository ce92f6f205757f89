"""A recovered server as a drill has it: a copy of a cluster's files, with our own settings."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from restore_drill.facts.physical.examination import Examination
from restore_drill.facts.physical.examine import examine_targets
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.launcher import choose_launcher, small_environment
from restore_drill.servers.model import Target
from tests.helpers.shop import quiet

SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
port = 5432
hba_file = '{folder}/hba.conf'
ident_file = '{folder}/ident.conf'
archive_mode = off
wal_level = minimal
max_wal_senders = 0
max_connections = 100
max_prepared_transactions = 5
autovacuum = off
jit = off
fsync = off
shared_buffers = 32MB
log_min_error_statement = panic
lc_messages = C
"""
DATABASES = ("shop", "billing", "postgres", "template1")


@dataclass
class Recovered:
    """A server that runs on the files in `data`."""

    data: Path
    folder: Path
    binaries: Binaries

    def target(self, database: str) -> Target:
        """The way to a database."""
        major, minor = self.binaries.version[:2]
        conninfo = {"host": str(self.folder), "port": "5432", "user": "postgres"}
        return Target(
            kind="embedded",
            conninfo=conninfo | {"dbname": database},
            server_version=major * 10000 + minor,
            binaries=self.binaries,
            description=f"embedded {self.binaries.name}",
        )

    def examine(self, databases: Sequence[str] = DATABASES, jobs: int = 2) -> Examination:
        """Examine its databases."""
        targets = [(name, self.target(name)) for name in databases]
        return examine_targets(self.data, targets, jobs, quiet)


@contextmanager
def recovered(
    cluster: Path,
    binaries: Binaries,
    folder: Path,
    damage: Callable[[Path], None] = lambda _: None,
) -> Iterator[Recovered]:
    """Server on a copy of `cluster` in `folder`, to which `damage` was done; removed at the end."""
    launcher = choose_launcher()
    folder.mkdir()
    data = folder / "data"
    subprocess.run(["cp", "-a", str(cluster), str(data)], check=True)
    for link in (data / "pg_tblspc").iterdir():
        place = folder / f"ts{link.name}"
        subprocess.run(["cp", "-a", str(link.resolve()), str(place)], check=True)
        link.unlink()
        link.symlink_to(place)
    damage(data)
    (folder / "hba.conf").write_text("local all all trust\n")
    (folder / "ident.conf").touch()
    (folder / "drill.conf").write_text(SETTINGS.format(folder=folder))
    launcher.own(folder)
    env = small_environment(binaries, str(folder)) | {"LC_MESSAGES": "C"}

    def pg_ctl(*arguments: str) -> str:
        command = [binaries.tool("pg_ctl"), "-w", "-s", "-D", str(data), *arguments]
        done = launcher.run(command, cwd=folder, env=env)
        return done.stdout if done.returncode else ""

    try:
        own = f"-c config_file={folder}/drill.conf"
        started = pg_ctl("start", "-l", f"{folder}/log", "-o", own)
        assert not started, (folder / "log").read_text(errors="replace")
        yield Recovered(data, folder, binaries)
    finally:
        pg_ctl("stop", "-m", "immediate")
        shutil.rmtree(folder, ignore_errors=True)
