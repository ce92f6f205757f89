"""The commands of `restore-drill`, in a clone of `python -m drill`."""

from __future__ import annotations

DRILL = "drill"
"""The command that drills, and that is meant where none is named."""

COMMANDS = {
    "backup": ("restore_drill.taking.command", "dump DATABASE_URL, with a manifest beside it"),
    "doctor": (
        "restore_drill.doctor.command",
        "show what is configured and found here, and whether a drill could run",
    ),
    "status": ("restore_drill.watch.status", "show whether drills still run and pass"),
    "notify": (
        "restore_drill.alerts.command",
        "test the channels, or alert for another job's drill",
    ),
    "dashboard": (
        "restore_drill.watch.site.command",
        "write a static site over one history or many, with a badge for each database",
    ),
    "fleet": (
        "restore_drill.fleet.command",
        "drill the databases of fleet.toml, here or on many machines",
    ),
    "skip": (
        "restore_drill.watch.skip",
        "record that drills are skipped until a date, why, and who has approved it",
    ),
    "reference": (
        "fixtures.commands.reference",
        "drill, and write the schema to the reference file",
    ),
    "bisect": (
        "fixtures.commands.bisect",
        "find the newest backup that passes, by drilling older and older ones",
    ),
    "accept": (
        "restore_drill.drift.accept",
        "accept the losses and changes that the last drill found",
    ),
    "rollback": (
        "restore_drill.live.rollback",
        "restore DATABASE_URL from a safety snapshot",
    ),
    "shell": (
        "restore_drill.keep.shell",
        "open psql in the server that a drill has kept, or redis-cli in its Redis",
    ),
    "clean": (
        "restore_drill.watch.clean",
        "stop kept servers, and remove what killed drills left behind: servers, databases and more",
    ),
    "init": ("restore_drill.start.init", "write drill/ and a workflow into your own repository"),
    "completion": ("restore_drill.start.completion", "print the completion script for bash"),
}
"""Module and help of each command; only the one that is asked for is loaded."""
