"""How a throwaway server is shut in: what it may read, and why it is not where it cannot be."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

from restore_drill.servers.binaries import Binaries
from restore_drill.servers.bounds import limits
from restore_drill.servers.cleanup import WAY, RunDirectory
from restore_drill.servers.launcher import Launcher
from restore_drill.servers.owned import OWNER

SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store",
    "/var/cache/postgresql",
    *(f"/etc/{name}" for name in (
        "alternatives", "group", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime",
        "nsswitch.conf", "passwd", "perl", "python3", "R", "timezone",
    )),
)  # fmt: skip
"""What a server and the libraries of its extensions read of a system; nothing else is shown."""

WALLS = Path(__file__).with_name("walls.py")
"""The script that puts the walls up, in a process of its own."""
CLOSED = 125
"""Its exit status where the kernel does not let it, as it stands in the script."""

closed: dict[str, str] = {}
"""Why the walls could not be put up, under `why`: found out once in a process."""


def why_not() -> str:
    """Why servers are not isolated here; empty where they are, as far as is known yet."""
    if not sys.platform.startswith("linux"):
        return "isolation needs the namespaces of Linux"
    if not sys.executable:
        return "the path of the Python interpreter is unknown"
    return closed.get("why", "")


def remember(why: str) -> None:
    """Keep why no server can be isolated in this process."""
    closed["why"] = why


def command(
    program: list[str], binaries: Binaries, run: RunDirectory, launcher: Launcher
) -> list[str]:
    """Command that runs `program` of `binaries` behind walls, in `run` alone."""
    spec = {
        "account": launcher.account,
        "shown": shown_as(launcher),
        "read": [*SYSTEM, *places_of(binaries)],
        "run": str(run.path),
        "kept": [str(run.path / OWNER), str(run.path / WAY)],
        "log": str(run.log),
        "limits": limits(),
        "command": program,
    }
    return [sys.executable, "-I", "-S", str(WALLS), json.dumps(spec)]


def shown_as(launcher: Launcher) -> tuple[int, int]:
    """Account that the program sees itself as, which is never root."""
    if launcher.account is not None:
        return launcher.account
    if launcher.prefix:
        user = pwd.getpwuid(int(launcher.prefix[2].rpartition("=")[2]))
        return user.pw_uid, user.pw_gid
    return os.geteuid(), os.getegid()


def places_of(binaries: Binaries) -> list[str]:
    """Directories of a build that lies anywhere, and of the libraries that were given to it."""
    prefix = binaries.bin_dir.parent
    beside = prefix.parent.with_name(f"{prefix.parent.name}.libs")
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    return [
        str(path)
        for path in (prefix, beside, *map(Path, filter(None, libraries)))
        if path.is_absolute() and path.is_dir()
    ]


def try_out(launcher: Launcher, place: Path) -> str:
    """Why no server can be isolated here, found out with a program that does nothing.

    Empty where one can. It sees `place` as its run directory and writes nothing; no server starts.
    """
    if why := why_not():
        return why
    spec = {
        "account": launcher.account,
        "shown": shown_as(launcher),
        "read": list(SYSTEM),
        "run": str(place),
        "kept": [],
        "log": os.devnull,
        "limits": limits(),
        "command": [shutil.which("true", path="/usr/bin:/bin") or "/bin/true"],
    }
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(WALLS), json.dumps(spec)],
        stdin=subprocess.PIPE,  # it ends when that is closed
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            status = process.wait(10)
        except BaseException:
            process.kill()
            raise
        said = process.stdout.read().strip() if process.stdout else ""
    if status == CLOSED:
        return said or "the kernel does not allow it"
    return f"a trial ended with exit status {status}" if status else ""
