"""What is known of the drills of a fleet: `fleet status`, `fleet dashboard`, `fleet matrix`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from restore_drill.core.printable import printable, printable_json
from restore_drill.core.units import show_count, some
from restore_drill.fleet.due import answer
from restore_drill.fleet.known import known_of
from restore_drill.fleet.matrix import matrix_of
from restore_drill.fleet.model import Inventory
from restore_drill.fleet.report.judged import Judged, all_judged
from restore_drill.fleet.report.status import code_of, for_programs, lines_of
from restore_drill.fleet.sizing import seconds_of
from restore_drill.watch.status import write

MOST_NAMED = 8


def matrix(parsed: argparse.Namespace, inventory: Inventory) -> int:
    """Print the matrix; exit code 0. Databases that are still failed are told of beside it."""
    known = known_of(list(inventory.databases.values()), has_backups=parsed.due)
    asked = {name: answer(each) for name, each in known.items()} if parsed.due else {}
    names = [name for name in known if not asked or asked[name].is_due]
    if red := [name for name in known if name not in names and asked[name].is_red]:
        sys.stderr.write(printable(f"still failed, and not due: {some(red, MOST_NAMED)}") + "\n")
    seconds = {name: took for name in names if (took := seconds_of(known[name])) is not None}
    return write(matrix_of(parsed.kind, names, seconds, parsed.jobs).splitlines(), 0)


def status(parsed: argparse.Namespace, inventory: Inventory, environment: Mapping[str, str]) -> int:
    """Show which databases have not passed in time; exit code 1 where one has a problem, else 0."""
    now = datetime.now(UTC)
    found = all_in(inventory, now)
    if parsed.metrics_file:
        from restore_drill.fleet.report.gauges import write_gauges  # noqa: PLC0415 - has urllib

        write_gauges(parsed.metrics_file, found)
    if parsed.notify:
        from restore_drill.fleet.report.absent import announce_late  # noqa: PLC0415 - few ask for it

        chosen = " ".join([*parsed.select, *parsed.only])
        announce_late(found, inventory.path, chosen, environment, now)
    if parsed.json:
        sys.stdout.write(printable_json(for_programs(found, inventory), indent=1) + "\n")
        return code_of(found)
    return write(list(lines_of(found, inventory, now)), code_of(found))


def dashboard(out: str, inventory: Inventory, top: Path) -> int:
    """Write the site into `out`; exit code 0 whatever it shows. Raises UsageError, CouldNotRun.

    Reports that a run has kept in `top` are linked.
    """
    from restore_drill.fleet.report.board import pages_of_fleet  # noqa: PLC0415 - brings jinja2
    from restore_drill.fleet.report.files import with_report  # noqa: PLC0415 - likewise
    from restore_drill.watch.site.command import folder_of, write_site  # noqa: PLC0415 - likewise

    now, folder = datetime.now(UTC), folder_of(out)
    found = all_in(inventory, now)
    for each in found:
        if drills := each.series.drills:
            drills[-1] = with_report(drills[-1], top, each.database.name)
    write_site(folder, pages_of_fleet(found, inventory, now, folder))
    bad = sum(each.series.problem is not None for each in found)
    counted = show_count(len(found), "database")
    return write([f"{counted}, {bad or 'none'} with a problem: {folder / 'index.html'}"], 0)


def all_in(inventory: Inventory, now: datetime) -> list[Judged]:
    """All databases judged; no place of backups is listed for it."""
    return all_judged(known_of(list(inventory.databases.values()), has_backups=False), now)
