"""`restore-drill shell`: open psql in the newest kept server, or redis-cli in the newest Redis."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NoReturn

from psycopg.conninfo import conninfo_to_dict

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.keep.kept import PASSWORD, Kept, kept_elsewhere, kept_servers
from restore_drill.servers.model import VARIABLES

PASSES_ON = True
"""What the command does not know is psql's, or redis-cli's."""
REDIS = "redis"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All else is handed to psql, or to redis-cli."""
    parser.usage = "%(prog)s [redis] [OPTIONS OF psql OR redis-cli]"
    parser.epilog = (
        "Other options are psql's: -c 'SELECT 1', -f FILE. "
        "With `redis` in front redis-cli opens the newest kept Redis: redis INFO."
    )


def run(parsed: argparse.Namespace, root: Path, rest: Sequence[str]) -> NoReturn:
    """Become psql or redis-cli; CouldNotRun where no server has been kept, or there is neither."""
    del parsed, root
    if rest[:1] == [REDIS]:
        open_redis(newest("redis"), rest[1:])
    newest_one = newest("postgres")
    if not Path(newest_one.program).is_file():
        way = newest_one.arguments[0]
        raise CouldNotRun(
            f"there is no {newest_one.program}", remedy=remedy_for("shell", "no_psql", way=way)
        )
    become([newest_one.program, *rest], without="PG", **way_by_variables(newest_one))


def way_by_variables(kept: Kept) -> dict[str, str]:
    """The variables by which psql reaches the `kept` server, whatever its options name.

    With `-d other` psql takes an argument with the whole way for a user's name, or for none at all,
    and goes to the server that is its own default: a live one.
    """
    way = conninfo_to_dict(kept.arguments[0])
    return {VARIABLES[name]: str(text) for name, text in way.items() if name in VARIABLES}


def newest(service: Literal["postgres", "redis"]) -> Kept:
    """The newest kept server of the `service`; older ones are named. CouldNotRun without any."""
    kept = [each for each in kept_servers() if each.service == service]
    if not kept and service == "redis":
        others, remedy = kept_elsewhere("shell redis", service), remedy_for("shell", "no_redis")
        raise CouldNotRun("no Redis is kept now", checked=others, remedy=remedy)
    if not kept:
        others, remedy = kept_elsewhere("shell", service), remedy_for("shell", "none")
        raise CouldNotRun("no server is kept now", checked=others, remedy=remedy)
    if more := kept[1:]:
        sys.stderr.write(f"{len(more)} older kept: " + "; ".join(e.command for e in more) + "\n")
    return kept[0]


def open_redis(kept: Kept, rest: Sequence[str]) -> NoReturn:
    """Become redis-cli in the `kept` Redis; its password goes by the environment alone."""
    from restore_drill.keep.redis import find_client  # noqa: PLC0415 - redis loads slowly

    client = shutil.which(kept.program) or find_client()
    if client is None:
        raise CouldNotRun(
            "neither redis-cli nor valkey-cli is installed",
            remedy=remedy_for("shell", "no_redis_cli", way=kept.command),
        )
    login = {}
    try:
        kept.run.stat()
        if kept.has_password:
            login["REDISCLI_AUTH"] = (kept.run / PASSWORD).read_text()
    except OSError as error:
        raise CouldNotRun(f"the kept Redis has just ended: {error.strerror}") from None
    become([client, *kept.arguments, *rest], without="REDISCLI_", **login)


def become(command: list[str], *, without: str, **more: str) -> NoReturn:
    """Let this process be the `command`, in an environment `without` what begins so."""
    sys.stderr.flush()
    kept = {name: text for name, text in os.environ.items() if not name.startswith(without)}
    os.execve(command[0], command, kept | more)  # noqa: S606 - no shell is wanted
