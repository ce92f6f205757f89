"""The faults: what is done to a drill, its server, disks, network, rights and clock."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.force.clock import set_clock, why_no_clock
from tests.force.disks import may_mount
from tests.force.moments import wait
from tests.force.running import Running, drill_command
from tests.force.world import World

OUTAGE = 3.0
"""Seconds that the server, or the network, is away."""


@dataclass
class Scene:
    """A command that is at work on the database `name`; `others` run beside it."""

    world: World
    name: str
    running: Running
    chance: random.Random
    others: list[Running]

    def ask(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Rows of a query of the superuser."""
        with self.world.server.connect("postgres") as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []


@dataclass(frozen=True)
class Injection:
    """A fault; `needs` names what the machine has to offer for it, empty for nothing."""

    name: str
    do: Callable[[Scene], None]
    needs: str = ""

    def why_not(self) -> str:
        """Why it cannot be done here."""
        if self.needs == "mount" and not may_mount():
            return "only root can mount file systems of a fixed size"
        return why_no_clock() if self.needs == "clock" else ""


def signals(*numbers: signal.Signals, group: bool = False) -> Callable[[Scene], None]:
    """Function that sends signals, with up to 0.8 s between two."""

    def do(scene: Scene) -> None:
        for count, number in enumerate(numbers):
            if count:
                wait(scene.chance.uniform(0, 0.8), scene.running.is_running)
            scene.running.send(number, group=group)

    return do


def kill_server(scene: Scene) -> None:
    """Kill the postmaster, and start it again at once."""
    scene.world.server.kill()
    scene.world.server.start()


def restart_server(scene: Scene) -> None:
    """End its sessions, and start it again."""
    scene.world.server.stop()
    scene.world.server.start()


def crash_server(scene: Scene) -> None:
    """Stop it without a checkpoint, and start it again."""
    scene.world.server.stop(signal.SIGQUIT)
    scene.world.server.start()


def stop_server(scene: Scene) -> None:
    """Stop it, and start it again after a while."""
    scene.world.server.stop()
    wait(OUTAGE, scene.running.is_running)
    scene.world.server.start()


def kill_session(scene: Scene) -> None:
    """Kill one session with SIGKILL: the server then ends all, and recovers."""
    rows = scene.ask("SELECT pid FROM pg_stat_activity WHERE application_name ~ '^restore-drill'")
    if rows:
        pid = scene.chance.choice(rows)[0]
        scene.world.server.launcher.run(["kill", "-9", str(pid)], cwd=Path("/"))


TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN ({})"
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE application_name ~ '^restore-drill'"
HOLDERS = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"


def terminate(which: str) -> Callable[[Scene], None]:
    """Function that ends the sessions of the query `which`."""
    return lambda scene: void(scene.ask(TERMINATE.format(which)))


def cancel_all(scene: Scene) -> None:
    """Cancel what our sessions are doing."""
    scene.ask(f"SELECT pg_cancel_backend(pid) FROM ({SESSIONS}) ours")


def void(_: object) -> None:
    """Nothing."""


def fill(which: str) -> Callable[[Scene], None]:
    """Function that fills a disk until the command has ended, or for some seconds."""

    def do(scene: Scene) -> None:
        server = scene.world.server
        disks = {
            "data": server.data_disk, "WAL": server.wal_disk, "backups": scene.world.backups_disk,
        }  # fmt: skip
        disks[which].fill()
        wait(OUTAGE * 2, scene.running.is_running)

    return do


def read_only(scene: Scene) -> None:
    """Make the disk of the snapshots read-only."""
    scene.world.backups_disk.remount("ro")


def missing(scene: Scene) -> None:
    """Move the folder of the snapshots away."""
    if scene.world.snapshots.exists():
        scene.world.snapshots.rename(scene.world.backups / "snapshots.gone")


def cut(scene: Scene) -> None:
    """Close all connections, and refuse new ones for a while."""
    scene.world.proxy.cut()
    wait(OUTAGE, scene.running.is_running)
    scene.world.proxy.heal()


def hang(scene: Scene) -> None:
    """Let nothing through for a while."""
    scene.world.proxy.hang()
    wait(OUTAGE, scene.running.is_running)
    scene.world.proxy.heal()


def hang_and_cut(scene: Scene) -> None:
    """Let nothing through, and close all connections then."""
    scene.world.proxy.hang()
    wait(OUTAGE, scene.running.is_running)
    scene.world.proxy.cut()
    wait(1.0, scene.running.is_running)
    scene.world.proxy.heal()


def revoke(*statements: str) -> Callable[[Scene], None]:
    """Function that takes rights away."""

    def do(scene: Scene) -> None:
        for statement in statements:
            scene.ask(statement.replace("{name}", scene.name))

    return do


def more_drills(count: int, *, other: bool = False) -> Callable[[Scene], None]:
    """Function that starts more drills: of the same database, or each of one of its own."""

    def do(scene: Scene) -> None:
        for _ in range(count):
            name = scene.world.make_live() if other else scene.name
            command = drill_command(scene.world.folder / f"report-{name}-{len(scene.others)}")
            scene.others.append(Running(command, scene.world.environment(name)))

    return do


def jump(days: int) -> Callable[[Scene], None]:
    """Function that moves the clock of the command."""
    return lambda scene: set_clock(scene.world, round(timedelta(days=days).total_seconds()))


INT, TERM, HUP, KILL = signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL
SIGNALS = [
    Injection("SIGINT", signals(INT)),
    Injection("SIGINT twice", signals(INT, INT)),
    Injection("SIGINT three times", signals(INT, INT, INT)),
    Injection("SIGINT to the group", signals(INT, group=True)),
    Injection("SIGINT twice to the group", signals(INT, INT, group=True)),
    Injection("SIGINT three times to the group", signals(INT, INT, INT, group=True)),
    Injection("SIGTERM", signals(TERM)),
    Injection("SIGTERM, then SIGINT", signals(TERM, INT)),
    Injection("SIGHUP", signals(HUP)),
    Injection("SIGKILL", signals(KILL)),
    Injection("SIGKILL to the group", signals(KILL, group=True)),
    Injection("SIGINT, then SIGKILL", signals(INT, KILL)),
]
SERVER = [
    Injection("postmaster killed", kill_server),
    Injection("server restarted", restart_server),
    Injection("server crashed", crash_server),
    Injection("server stopped for 3 s", stop_server),
]
SESSION = [
    Injection("a session killed", kill_session),
    Injection("a session terminated", terminate(f"{SESSIONS} ORDER BY random() LIMIT 1")),
    Injection("all sessions terminated", terminate(SESSIONS)),
    Injection("lock's session terminated", terminate(HOLDERS)),
    Injection("all statements cancelled", cancel_all),
]
DISKS = [
    Injection("data directory full", fill("data"), "mount"),
    Injection("WAL full", fill("WAL"), "mount"),
    Injection("snapshot folder full", fill("backups"), "mount"),
    Injection("snapshot folder read-only", read_only, "mount"),
    Injection("snapshot folder missing", missing),
]
NETWORK = [
    Injection("network cut for 3 s", cut),
    Injection("network hangs for 3 s", hang),
    Injection("network hangs, then is cut", hang_and_cut),
]
RIGHTS = [
    Injection("CREATEDB revoked", revoke("ALTER ROLE drill NOCREATEDB")),
    Injection("login revoked", revoke("ALTER ROLE drill NOLOGIN")),
    Injection(
        "connect revoked", revoke("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC", TERMINATE
                                  .format(SESSIONS))
    ),
    Injection("owner changed", revoke('ALTER DATABASE "{name}" OWNER TO postgres')),
]  # fmt: skip
DRILLS = [
    Injection("a second drill of it", more_drills(1)),
    Injection("two more drills of it", more_drills(2)),
    Injection("a drill of another database", more_drills(1, other=True)),
]
CLOCK = [
    Injection("clock jumps a day ahead", jump(1), "clock"),
    Injection("clock jumps a day back", jump(-1), "clock"),
]
ALL = [*SIGNALS, *SERVER, *SESSION, *DISKS, *NETWORK, *RIGHTS, *DRILLS, *CLOCK]
