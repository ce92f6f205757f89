"""Servers that are promoted, so that their archive has several timelines."""

from __future__ import annotations

import time

from tests.helpers.physical import Source


def promote(source: Source, mode: str = "immediate") -> int:
    """Stop the server, let it recover from its archive to the end, and go on; its new timeline."""
    source.stop(mode)
    with (source.data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(f"restore_command = 'cp {source.archive}/%f %p 2> /dev/null'\n")
    signal = source.data / "recovery.signal"
    signal.touch()
    source.launcher.own(signal)
    source.start()
    until = time.monotonic() + 30
    while source.sql("SELECT pg_is_in_recovery()"):
        assert time.monotonic() < until, source.log()[-2000:]
        time.sleep(0.02)
    source.sql("CHECKPOINT")
    timeline = int(source.sql("SELECT timeline_id FROM pg_control_checkpoint()"))
    while not (source.archive / f"{timeline:08X}.history").exists():
        assert time.monotonic() < until, source.log()[-2000:]
        time.sleep(0.02)
    return timeline


def resized(source: Source, megabytes: int) -> None:
    """Let its segments have so many megabytes from now on."""
    source.stop()
    source.run("pg_resetwal", f"--wal-segsize={megabytes}", "-D", source.data)
    with (source.data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(f"min_wal_size = '{2 * megabytes}MB'\nmax_wal_size = '{8 * megabytes}MB'\n")
    source.start()
