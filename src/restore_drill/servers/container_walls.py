"""How the container of a throwaway server is shut in, where the engine is on this machine.

It has no network: its server is reached by a Unix socket in a directory that we lend it, which lies
in one that only we may enter. Where that cannot be, a port is published, and the report says so.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docker.types import Mount

from restore_drill.servers import cleanup, untrusted
from restore_drill.servers.bounds import FIRST_TO_GO, limits
from restore_drill.servers.cleanup import RunDirectory
from restore_drill.servers.engine import engine_client, engine_url

INSIDE = "/restore-drill"
"""Where the container sees the directory of its socket."""
LENT = "socket"
"""That directory in the run directory: all may write there who get so far."""
CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]
"""What images need to make their data directory and give up root; their server has none of it."""
SETTINGS = {
    "unix_socket_directories": f"/var/run/postgresql,{INSIDE}",
    # Of its own network, which has no other end; the server that images start while they set up
    # their data listens nowhere, which sets it apart from the one that stays.
    "listen_addresses": "127.0.0.1",
}
OPEN = "its network is open: it can reach whatever this machine can"


def why_open() -> str:
    """Why no container can be shut in here; empty where one can, as far as is known before."""
    if not sys.platform.startswith("linux") or urlsplit(engine_url()).scheme != "unix":
        return f"the container engine is not on this machine: {OPEN}"
    with engine_client() as client:
        system = str(client.info().get("OperatingSystem", ""))
    if "Docker Desktop" in system:
        return f"Docker Desktop keeps its containers in a virtual machine: {OPEN}"
    return "" if base() else f"no temporary directory has a path that is short enough: {OPEN}"


def base() -> Path | None:
    """Directory in which a socket's path is not too long."""
    longest = len(f"/{cleanup.PREFIX}12345678/{LENT}/{cleanup.SOCKET}")
    fits = [path for path in cleanup.bases() if os.access(path, os.W_OK | os.X_OK)]
    return next((p for p in fits if len(os.fsencode(p)) + longest <= cleanup.SOCKET_LIMIT), None)


def make_socket_directory() -> RunDirectory:
    """Directory of ours with one in it that the container's server may write to."""
    run = cleanup.make_run_directory(base() or Path())
    lent = run.path / LENT
    lent.mkdir()
    lent.chmod(0o777)
    return run


def way_to_server(run: RunDirectory) -> Path:
    """Directory by which the server's socket is reached, once it listens, until it ends.

    What runs in the container can change it no more: the directory is no longer writable by others,
    and where the server's account is ours a hard link leads there.
    """
    lent = run.path / LENT
    lent.chmod(0o755)
    return untrusted.way_to(lent / cleanup.SOCKET, run.path)


def options(run: RunDirectory) -> dict[str, Any]:
    """Arguments of the engine for a container that is shut in, with its socket in `run`.

    Its root is left writable: it is the container's own, goes with it, and images write there.
    """
    wanted = limits()
    return {
        "network": "none",
        "cap_drop": ["ALL"],
        "cap_add": CAPABILITIES,
        "security_opt": ["no-new-privileges:true"],
        "pids_limit": wanted["processes"],
        "mem_limit": wanted["data"],
        "oom_score_adj": FIRST_TO_GO,
        "mounts": [Mount(INSIDE, str(run.path / LENT), type="bind")],
    }
