"""Backups by `restore-drill backup --to`, of any age, and restored by nothing of ours."""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

from restore_drill.servers.model import Target
from restore_drill.watch.entry import note
from tests.helpers.drills import ROOT, command, inherited
from tests.helpers.histories import PASSED
from tests.helpers.manifests import IN_URL, ROLES, SECRET, url_of
from tests.helpers.shop import USUAL, Shops
from tests.helpers.warm import Kept

BIG = (
    "CREATE TABLE big AS SELECT n, encode(sha512(n::text::bytea) || sha512((-n)::text::bytea)"
    " || sha256(n::text::bytea), 'hex') AS noise FROM generate_series(1, 150000) n"
)
"""What takes some seconds to dump with --compress=gzip:9, into 24 MB."""


def shop_with_roles(shops: Shops) -> Target:
    """The shop, not to be changed, on a server with the role that backups are taken by."""
    source = shops.source(USUAL)
    with source.connect() as connection:
        connection.execute(ROLES.encode())
    return source


def backup_to(target: Target, *options: str, **environment: str) -> CompletedProcess[str]:
    """`backup` of `target`, to its end."""
    done = command("backup", *options, DATABASE_URL=url_of(target), **environment)
    assert SECRET not in done.stdout + done.stderr and IN_URL not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done


def begun(target: Target, *options: str, **environment: str) -> Kept:
    """The same, running."""
    env = inherited() | {"DATABASE_URL": url_of(target)} | environment
    return Kept(["drill", "backup", *options], cwd=ROOT, env=env)


def aged(manifest: bytes, days: float) -> dict[str, bytes]:
    """What lies there of a backup taken so many days before that of `manifest`, the data first.

    It is like one of that series, but its data are a line that says which it is.
    """
    raw = json.loads(manifest)
    when = datetime.fromisoformat(raw["taken_at"]).astimezone(UTC) - timedelta(days=days)
    was, stamp = raw["backup"]["name"], f"{when:%Y%m%d_%H%M%S}"
    name = f"{was.split('_')[0]}_{stamp}.{was.partition('.')[2]}"
    data = f"-- {name}\n".encode()
    entry = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    raw["taken_at"] = when.isoformat()
    raw["roles"] = name.replace(".dump", ".roles.sql")
    raw["backup"] |= {"name": name, "files": {name: entry}} | entry
    return {
        name: data,
        f"{name}.sha256": f"{entry['sha256']}  {name}\n".encode(),
        f"{name}.manifest.json": json.dumps(raw).encode(),
    }


def older(folder: Path, backup: str, *days: float) -> list[str]:
    """Names of backups that are put into `folder` as if they were taken before `backup`."""
    names = []
    for each in days:
        files = aged((folder / f"{backup}.manifest.json").read_bytes(), each)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        names.append(next(iter(files)))
    return names


def in_another_second() -> None:
    """Wait until a dump is another one, byte for byte: the head of an archive holds the second."""
    time.sleep(1.01 - time.time() % 1)


def proved(folder: Path, backup: str, *verdicts: str) -> None:
    """Note in the history of `folder` that drills of `backup` have ended with these `verdicts`."""
    sha256 = (folder / f"{backup}.sha256").read_text().split()[0]
    for verdict in verdicts:
        drill = replace(PASSED, verdict=verdict, backup=backup, sha256=sha256)
        note(folder / ".drill" / "history.jsonl", drill)


def by_the_docs(line: str, target: Target, folder: Path, **environment: str) -> None:
    """Run a `line` of the docs in `folder`, with the tools of `target`'s server, into it."""
    tools = str(Path(target.binaries.tool("psql")).parent)
    env = inherited() | dict(target.tool_environment) | environment
    env["PATH"] = f"{tools}:{env['PATH']}"
    script = f"set -e -o pipefail\n{line.replace('NEW', shlex.quote(target.conninfo['dbname']))}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr


def big_database(shops: Shops, name: str) -> Target:
    """A database `name` of one table, that takes a while to dump."""
    target = shops.database(USUAL, name)
    with target.connect() as connection:
        connection.execute(ROLES.encode())
        connection.execute(BIG.encode())
    return target
