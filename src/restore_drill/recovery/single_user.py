"""PostgreSQL in single-user mode on the copy: it opens a server in which nobody may log in."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence

from restore_drill.core.deadline import at_work
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_duration
from restore_drill.recovery.executor import RecoveringExecutor
from restore_drill.servers import cleanup, isolation, untrusted

LIMIT = 600.0
"""Seconds for it, which may go through crash recovery first."""


def in_single_user_mode(
    executor: RecoveringExecutor, database: str, statements: Sequence[str]
) -> None:
    """Run `statements`, a line each, in `database`; the server must have been stopped.

    What came of them is for the next session to see: an error among them does not end it.
    """
    run = executor.run_directory
    commands = run.path / cleanup.COMMANDS
    untrusted.unlink(commands)
    with commands.open("x", encoding="utf-8") as file:
        file.writelines(f"{each}\n" for each in statements)
    executor.launcher.own(commands)
    # Behind walls there is no other way to give it its input; its log is written by its account.
    program = [
        "/bin/sh", "-c", 'commands=$1; shift; exec "$@" < "$commands" >> "$0" 2>&1', str(run.log),
        str(commands), executor.binaries.tool("postgres"), "--single",
        "-D", executor.datadir, "-c", executor.given, database,
    ]  # fmt: skip
    command, account = [*executor.launcher.prefix, *program], executor.launcher.options
    if executor.is_isolated:
        command = isolation.command(program, executor.binaries, run, executor.launcher)
        account = {}
    with (
        at_work(lambda: "PostgreSQL in single-user mode"),
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # the walls end when it is closed
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=run.path,
            env=executor.envvars | dict(executor.launcher.naming),
            **account,
        ) as process,
    ):
        wait(process)
    commands.unlink()


def wait(process: subprocess.Popen[bytes]) -> None:
    """Wait for its end, and kill it where it takes too long or we are interrupted."""
    until = time.monotonic() + LIMIT
    try:
        while process.poll() is None:
            if time.monotonic() > until:
                raise CouldNotRun(
                    f"PostgreSQL in single-user mode took longer than {show_duration(LIMIT)}",
                    remedy=remedy_for("recovering", "lost"),
                )
            time.sleep(0.02)
    except BaseException:
        process.kill()
        raise
