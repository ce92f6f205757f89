"""The restored server is kept: an embedded one, or one in a container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.conninfo import make_conninfo

from restore_drill.keep.hand_over import hand_over, note_password
from restore_drill.keep.kept import Kept
from restore_drill.servers import cleanup
from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.model import Server, Target

if TYPE_CHECKING:
    from restore_drill.servers.container import ContainerServer


def keep_server(server: Server, database: str, seconds: float) -> Kept:
    """Leave `server` running for so many seconds, with `database`; raises OSError, and then it is.

    From then on it is its keeper's: this process neither watches nor stops it.
    """
    if isinstance(server, EmbeddedServer):
        return keep_embedded(server, database, seconds)
    from restore_drill.servers.container import ContainerServer  # noqa: PLC0415 - docker loads slowly

    assert isinstance(server, ContainerServer)
    return keep_container(server, database, seconds)


def opened_by(target: Target, **more: str) -> dict[str, Any]:
    """How psql reaches the restored database; no login trigger of the backup runs then."""
    found = target.conninfo | more
    if options := target.keywords.get("options"):
        found["options"] = options
    return {
        "service": "postgres",
        "what": f"database {target.conninfo['dbname']}",
        "program": str(target.binaries.bin_dir / "psql"),
        "arguments": [make_conninfo("", **found)],
    }


def keep_embedded(server: EmbeddedServer, database: str, seconds: float) -> Kept:
    """Leave an embedded server to its keeper, with the descriptor that keeps its walls up."""
    executor, run = server.executor, server.run
    process = executor.process if executor.is_isolated else None
    walls = process.stdin.fileno() if process is not None and process.stdin is not None else None
    spec = opened_by(server.target(database)) | {
        "kind": "embedded",
        "run": str(run.path),
        "walls": walls,
    }
    kept = hand_over(spec, run.lock, seconds, [] if walls is None else [walls])
    let_go(server)
    return kept


def let_go(server: EmbeddedServer) -> None:
    """Forget `server`, which its keeper has: it is to outlive this process."""
    server.watch.stop()
    executor = server.executor
    if executor.is_isolated and executor.process is not None:
        for pipe in (executor.process.stdin, executor.process.stdout):
            if pipe is not None:
                pipe.close()
        executor.process.returncode = 0
        executor.process = None
    executor.datadir = ""  # it would remove that when it is forgotten


def keep_container(server: ContainerServer, database: str, seconds: float) -> Kept:
    """Leave a server in a container to its keeper; its password lies in a file for libpq."""
    run = server.run or cleanup.make_run_directory(cleanup.bases()[0])
    try:
        passfile = note_password(run.path, f"*:*:*:*:{server.password}\n")
        spec = opened_by(server.target(database), passfile=str(passfile)) | {
            "kind": "container",
            "run": str(run.path),
            "container": server.container.get_container_id(),
        }
        kept = hand_over(spec, run.lock, seconds)
    except BaseException:
        if run is not server.run:
            run.remove()
        raise
    server.watch.stop()
    return kept
