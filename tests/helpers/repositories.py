"""Repositories of pgBackRest and Barman that hold backups of a real server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restore_drill.servers.launcher import small_environment
from tests.helpers.buckets import BUCKET, WRITER
from tests.helpers.physical import Source

STANZA = "main"


@dataclass(frozen=True)
class Rest:
    """A repository of pgBackRest in `path`, with the configuration that made it."""

    source: Source
    path: Path
    config: Path

    def run(self, *arguments: str, check: bool = True) -> str:
        """Output of pgbackrest, run as the server's account."""
        return run_as_server(
            self.source, "pgbackrest", f"--config={self.config}", f"--stanza={STANZA}", *arguments,
            check=check,
        )  # fmt: skip

    def backup(self, kind: str = "full") -> str:
        """Take a backup; its label."""
        self.run(f"--type={kind}", "--start-fast", "--log-level-console=off", "backup")
        return str(self.info()[0]["backup"][-1]["label"])

    def info(self) -> list[dict[str, Any]]:
        """What pgBackRest says of the repository."""
        found: list[dict[str, Any]] = json.loads(self.run("--output=json", "info"))
        return found


def run_as_server(source: Source, *command: str, check: bool = True) -> str:
    """Output of a program, run as the account of the server."""
    done = source.launcher.run(
        list(command),
        cwd=source.folder,
        env=small_environment(source.binaries, str(source.folder)),
    )
    assert not check or done.returncode == 0, f"{command}: {done.stdout}"
    return done.stdout


def pgbackrest_repository(source: Source, name: str = "repo", **settings: str) -> Rest:
    """Empty repository that the server archives to, beside its own archive."""
    path, config = source.folder / name, source.folder / f"{name}.conf"
    logs = source.folder / f"{name}.log"
    for each in (path, logs):
        each.mkdir()
        source.launcher.own(each)
    options = {
        "repo1-path": path, "log-path": logs, "lock-path": logs, "log-level-console": "warn",
        "start-fast": "y", "archive-timeout": "20", "repo1-bundle": "y",
    } | {key.replace("_", "-"): value for key, value in settings.items()}  # fmt: skip
    lines = [f"{key}={value}" for key, value in options.items()]
    server = {"pg1-path": source.data, "pg1-socket-path": source.folder, "pg1-user": "postgres"}
    of_server = [f"{key}={value}" for key, value in server.items()]
    config.write_text("\n".join(["[global]", *lines, f"[{STANZA}]", *of_server, ""]))
    found = Rest(source, path, config)
    found.run("stanza-create")
    push = f"pgbackrest --config={config} --stanza={STANZA} archive-push %p"
    source.sql(f"ALTER SYSTEM SET archive_command = 'cp %p {source.archive}/%f && {push}'")
    source.sql("SELECT pg_reload_conf()")
    return found


def in_bucket(port: int) -> dict[str, str]:
    """Settings of a repository in the bucket behind the TLS proxy at `port`."""
    key, secret = WRITER
    return {
        "repo1-type": "s3", "repo1-path": "/nowhere", "repo1-s3-bucket": BUCKET,
        "repo1-s3-endpoint": "127.0.0.1", "repo1-storage-host": "127.0.0.1",
        "repo1-storage-port": str(port), "repo1-storage-verify-tls": "n",
        "repo1-s3-key": key, "repo1-s3-key-secret": secret,
        "repo1-s3-region": "us-east-1", "repo1-s3-uri-style": "path",
    }  # fmt: skip


@dataclass(frozen=True)
class Barman:
    """A Barman server called `shop` in `path`."""

    source: Source
    path: Path
    config: Path

    @property
    def server(self) -> Path:
        """Folder of the server: base, wals, incoming."""
        return self.path / "shop"

    def run(self, *arguments: str, check: bool = True) -> str:
        """Output of barman, run as the server's account."""
        return run_as_server(self.source, "barman", "-c", str(self.config), *arguments, check=check)

    def backup(self) -> str:
        """Take a backup and archive its WAL; its ID."""
        self.run("backup", "shop")
        self.source.switch()
        self.run("archive-wal", "shop")
        return max(each.name for each in (self.server / "base").iterdir())


def barman_server(source: Source, method: str = "postgres", name: str = "barman") -> Barman:
    """Barman's home with a server that archives there, beside its own archive."""
    path, config = source.folder / name, source.folder / f"{name}.conf"
    path.mkdir()
    source.launcher.own(path)
    options = {
        "description": "a shop", "conninfo": f"host={source.folder} user=postgres dbname=postgres",
        "backup_method": method, "archiver": "on", "streaming_archiver": "off",
        "path_prefix": str(source.binaries.bin_dir), "streaming_conninfo":
        f"host={source.folder} user=postgres dbname=postgres", "immediate_checkpoint": "true",
    }  # fmt: skip
    lines = [f"{key} = {value}" for key, value in options.items()]
    common = [f"barman_home = {path}", "barman_user = nobody", f"log_file = {path}/log"]
    config.write_text("\n".join(["[barman]", *common, "[shop]", *lines, ""]))
    found = Barman(source, path, config)
    incoming = path / "shop" / "incoming"
    found.run("check", "shop", check=False)  # makes its folders
    copy = f"cp %p {source.archive}/%f && cp %p {incoming}/%f.part && mv {incoming}/%f.part"
    source.sql(f"ALTER SYSTEM SET archive_command = '{copy} {incoming}/%f'")
    source.sql("SELECT pg_reload_conf()")
    source.switch()
    found.run("archive-wal", "shop")
    return found
