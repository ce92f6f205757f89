"""What became of the live database, and whether the drill's words about it are true."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from tests.force.application import Application, Found, found_in, losses
from tests.force.running import Running
from tests.force.world import BACKUP, LIVE, World

FACTS = """
    SELECT d.datname, d.oid::bigint, pg_get_userbyid(d.datdba), d.datallowconn, d.datconnlimit,
        d.datacl::text, (SELECT array_agg(setconfig::text) FROM pg_db_role_setting
            WHERE setdatabase = d.oid), shobj_description(d.oid, 'pg_database')
    FROM pg_database d WHERE starts_with(datname, %s)
"""
CODES = range(7)
UNTOUCHED, SWAPPED, RESET = "untouched", "swapped", "holds the backup"
HALF, GONE = "half restored", "gone"


@dataclass(frozen=True)
class State:
    """What became of the live database: `numbers` of all databases whose names begin like it."""

    what: str
    numbers: dict[str, int]
    facts: dict[str, tuple[object, ...]]

    @property
    def kept(self) -> list[str]:
        """Names of the databases that were renamed out of the way."""
        return [each for each in self.numbers if "_before_" in each or "_undone_" in each]


def state_of(world: World, name: str, number: int) -> State:
    """State of the live database, which had the `number`."""
    with world.server.connect("postgres") as connection:
        rows = connection.execute(FACTS.encode(), [name]).fetchall()
    facts = {row[0]: row[2:] for row in rows if row[0] == name or row[0].startswith(f"{name}_")}
    numbers = {row[0]: row[1] for row in rows if row[0] in facts}
    if name not in numbers:
        return State(GONE, numbers, facts)
    if numbers[name] != number:
        return State(SWAPPED, numbers, facts)
    what = {"live": UNTOUCHED, "backup": RESET}.get(holds(world, name), HALF)
    return State(what, numbers, facts)


def holds(world: World, database: str) -> str:
    """Whether a database is the live one, or the backup: `live`, `backup`, or empty."""
    with world.server.connect(database) as connection:
        there = connection.execute("SELECT to_regclass('public.meta')").fetchone()
        row = connection.execute("SELECT what FROM meta").fetchone() if there != (None,) else None
    return str(row[0]) if row else ""


def differs(world: World, database: str, source: str) -> list[str]:
    """How pg_dump's text of `database` differs from that of its `source`."""
    was, now = world.looks[source], world.text_of(database)
    if was == now:
        return []
    lines = difflib.unified_diff(was.splitlines(), now.splitlines(), lineterm="", n=0)
    few = [line for line in lines if line[:1] in "+-" and line.strip("+-")][:4]
    return [f"{database} differs from what it was: {'; '.join(few)}"]


def damage(
    world: World, name: str, before: State, after: State, application: Application
) -> list[str]:
    """What is lost or changed, now that the application has stopped."""
    if after.what == GONE:
        return [f"there is no database {name} any more: {sorted(after.numbers)}"]
    lines = []
    number_of = {number: each for each, number in after.numbers.items()}
    for each, number in before.numbers.items():
        if number not in number_of and "_drill_" not in each:
            lines.append(f"the database {each} is gone")
    copies = copies_of_snapshots(world, name)
    every = (name, *after.kept, *copies)
    looks = {each: {"live": LIVE, "backup": BACKUP}.get(holds(world, each), "") for each in every}
    for each, source in looks.items():
        if "rollback" in copies.get(each, ""):
            continue  # a rollback's own snapshot is of whatever was there
        if source:
            lines += differs(world, each, source)
        else:
            lines.append(f"{each} is neither the live database nor the backup")
    if LIVE not in looks.values():
        lines.append("what the live database held is nowhere any more")
    if after.facts[name] != before.facts[name]:
        lines.append(f"settings of {name} were {before.facts[name]}, are {after.facts[name]}")
    found: list[Found] = [found_in(world.server, each) for each in looks]
    return lines + losses(application, *found)


def copies_of_snapshots(world: World, name: str) -> dict[str, str]:
    """Databases in which the snapshots of `name` are restored, each with the name of its file."""
    made = {}
    for number, path in enumerate(sorted(world.snapshots.glob("*.dump"))):
        copy = f"{name}_copy_{number}"
        with world.server.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {copy} OWNER drill".encode())
        world.tool("pg_restore", f"--dbname={copy}", str(Path(path)))
        made[copy] = path.name
    return made


def lies(running: Running, before: State, after: State, way: str) -> list[str]:
    """What the command has claimed and is not so, or has kept to itself; `way` is how it ran."""
    if running.has_hung:
        return ["it hung, and was killed"]
    output, code = running.output, running.process.returncode
    if running.is_killed:
        return []
    lines = []
    if code not in CODES:
        lines.append(f"exit code {code}")
    if "INTERNALERROR" in output or code == 3:
        lines.append("internal error")
    is_changed = after.what != before.what
    wanted = {"promote": SWAPPED, "in place": RESET, "rollback": UNTOUCHED}.get(way)
    if code == 0 and wanted and after.what != wanted:
        lines.append(f"exit code 0, and the live database is {after.what}")
    if ("DRILL PASSED" in output) != (code == 0) and way != "rollback":
        lines.append(f"exit code {code}, and its last lines say otherwise")
    claims_same = any(
        claim in output for claim in ("was not touched", "is what it was before", "as it was")
    )
    if claims_same and is_changed:
        lines.append(f"it says that nothing was changed, and the live database is {after.what}")
    if way == "promote" and ("Promoted: " in output) != (after.what == SWAPPED):
        unsure = "it is not known whether" in output or "could not be verified" in output
        lines += [] if unsure else [f"what it says of the promotion is not so ({after.what})"]
    return lines
