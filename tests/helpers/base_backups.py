"""Physical backups by `restore-drill backup --physical`, and servers that are started from them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import quote

from restore_drill.facts.snapshot import read_fingerprint
from restore_drill.manifest.file import SUFFIX, Manifest, read_manifest
from restore_drill.manifest.physical import comparable
from restore_drill.servers.model import Target
from tests.helpers.copies import copied_to, run_directory
from tests.helpers.drills import ROOT, command, inherited
from tests.helpers.physical import Source
from tests.helpers.points import differences, recovered
from tests.helpers.shop import quiet
from tests.helpers.warm import Kept

SECRET = "pa ss%wörd"


def url_of(source: Source, role: str = "postgres", database: str = "shop") -> str:
    """DATABASE_URL of a role on `source`, with a password."""
    host = quote(str(source.folder), safe="")
    return f"postgresql://{role}:{quote(SECRET)}@/{database}?host={host}"


def physical(
    source: Source, to: Path, *options: str, role: str = "postgres", **environment: str
) -> CompletedProcess[str]:
    """`backup --physical` of `source` into `to`, to its end."""
    done = command(
        "backup", "--physical", "--checkpoint=fast", f"--to={to}", *options,
        DATABASE_URL=url_of(source, role), **environment,
    )  # fmt: skip
    output = done.stdout + done.stderr
    assert SECRET not in output and quote(SECRET) not in output, output
    assert "Traceback" not in output, output
    return done


def begun(source: Source, to: Path, *options: str) -> Kept:
    """The same, running."""
    arguments = ["drill", "backup", "--physical", "--checkpoint=fast", f"--to={to}", *options]
    return Kept(arguments, cwd=ROOT, env=inherited() | {"DATABASE_URL": url_of(source)})


def names_in(folder: Path) -> list[str]:
    """Names of the backups in `folder` that have a manifest, the oldest first."""
    found = sorted(folder.glob(f"*{SUFFIX}"), key=lambda each: each.stat().st_mtime_ns)
    return [each.name.removesuffix(SUFFIX) for each in found]


def manifest_in(folder: Path, name: str) -> Manifest:
    """The manifest beside the backup `name`."""
    return read_manifest(folder / f"{name}{SUFFIX}")


@contextmanager
def started(source: Source, backup: Path, manifest: Manifest) -> Iterator[Target]:
    """A server from nothing but the `backup`, recovered to the point of its `manifest`."""
    assert manifest.physical and manifest.physical.point
    with run_directory() as run:
        copied_to(run, backup)
        source.launcher.own(run)
        with recovered(source, run / "data", manifest.physical.point.lsn) as target:
            yield target


def combined(source: Source, full: Path, increment: Path, to: Path) -> Path:
    """The backup that PostgreSQL's own tool makes of a full one and an increment, in `to`."""
    for each in (full, increment):
        shutil.copytree(each, to / each.name)
    source.launcher.own(to, *to.rglob("*"))
    source.run("pg_combinebackup", to / full.name, to / increment.name, "-o", to / "combined")
    return to / "combined"


def proved(source: Source, backup: Path, folder: Path, name: str) -> list[str]:
    """How a server from `backup` alone differs from the manifest of `name` at its point."""
    manifest = manifest_in(folder, name)
    assert manifest.physical
    with started(source, backup, manifest) as target:
        assert comparable(manifest.physical, manifest.system, target) == ""
        now = read_fingerprint(target, 1, quiet)
    return differences(manifest.fingerprint, now, manifest.physical.apart)
