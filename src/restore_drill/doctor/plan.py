"""The plan of a drill (`--dry-run`): what it would do, by stage, how long, and what it writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from restore_drill.backups.model import Backup
from restore_drill.backups.sample import TABLES
from restore_drill.backups.sizes import sql_bytes
from restore_drill.checks.stages import FINAL
from restore_drill.config.budgets import FILES, SQL, Budgets
from restore_drill.config.settings import Settings
from restore_drill.core.units import show_bytes, show_count, show_duration
from restore_drill.doctor.estimate import Estimate, sql_of, times_of
from restore_drill.doctor.examine import Checkup
from restore_drill.doctor.model import Fact, Group, Open
from restore_drill.doctor.physical import physical_of
from restore_drill.doctor.work import SERVERS, Work
from restore_drill.doctor.writes import writes
from restore_drill.selection.chosen import age_of, described


def plan(checkup: Checkup, work: Work) -> list[Group]:
    """What the drill would do, a group a step; facts that stop it are among them."""
    settings, found = checkup.configured.settings, {each.name: each for each in checkup.groups}
    groups = [counted(work)]
    times = times_of(checkup)
    if work.selects:
        groups.append(selecting(checkup, found["backups"], times))
    if work.restores:
        groups.append(snapshot(settings))
        target = step(3, "Testing database connectivity", "target")
        for name in SERVERS[settings.target]:
            target.facts += telling(found[name].facts)
        if physical_of(checkup.chosen):
            groups += [target, recovering(times)]
        else:
            groups += [target, schema(settings), restoring(settings, times)]
    if work.verifies:
        is_files = physical_of(checkup.chosen) is not None
        groups.append(verifying(settings, times, work, is_files=is_files))
    if work.redis_backup:
        restored = step(7, "Restoring the backup of Redis", "redis_backup")
        restored.facts += telling(found["redis_backup"].facts)
        groups.append(restored)
    if work.redis:
        redis = step(7, "Checking Redis connectivity", "redis")
        redis.facts += telling(found["redis"].facts)
        groups.append(redis)
    if number := work.criteria.get("system", 0):
        final = step(8, FINAL, "system")
        final.note(f"{show_count(number, 'criterion', 'criteria')}")
        groups.append(final)
    groups.append(writes(checkup, restores=work.restores, is_whole=not work.selection))
    is_files = physical_of(checkup.chosen) is not None
    groups.append(in_all(settings, sql_of(checkup), times, work, is_files=is_files))
    return groups


def step(number: int, title: str, name: str) -> Group:
    """A step as a drill shows it."""
    return Group(name, f"Step {number}: {title}")


def telling(facts: Sequence[Fact]) -> list[Fact]:
    """Those of `facts` that say what a drill would use, or what stands in its way."""
    return [each for each in facts if each.kind in ("warn", "bad") or each.is_plan]


def counted(work: Work) -> Group:
    """How many criteria would run, by stage, and what is left out."""
    group = Group("criteria", "Criteria")
    stages = ", ".join(f"{name} {number}" for name, number in work.criteria.items())
    total = show_count(sum(work.criteria.values()), "criterion", "criteria")
    group.note(f"{total} would run: {stages}")
    if work.selection:
        left = show_count(work.left_out, "criterion", "criteria")
        group.warn(f"{work.selection} leaves {left} out")
    return group


def selecting(checkup: Checkup, found: Group, times: Estimate) -> Group:
    """Which backup it would be, and how long it takes to read."""
    group = step(1, "Selecting latest backup", "select")
    chosen = checkup.chosen
    if checkup.configured.settings.is_sample and not found_bad(found):
        rows = checkup.configured.settings.sample_rows
        tables = show_count(len(TABLES), "table")
        group.warn(f"the sample shop is created and dumped: {rows:,} cards, {tables}")
    elif isinstance(chosen, Backup):
        group.ok(f"{chosen.name}: {described(chosen, age_of(chosen))}")
        counted = FILES if chosen.physical else SQL
        size = f"about {show_bytes(sql_bytes(chosen))} of {counted}"
        reading = f"{size} in {show_duration(times.read)}"
        group.note(f"it is read to its end before anything is restored: {reading}")
        if chosen.physical:
            group.facts += [each for each in found.facts if each.is_plan and each.kind == "ok"]
    group.facts += [each for each in found.facts if each.kind == "bad"]
    return group


def found_bad(group: Group) -> bool:
    """Whether something in `group` is not as it should be."""
    return any(each.kind == "bad" for each in group.facts)


def snapshot(settings: Settings) -> Group:
    """The safety copy of a live database that is reset."""
    group = step(2, "Creating safety snapshot", "snapshot")
    if settings.in_place:
        group.note(
            "others are kept from writing, the live database is dumped to "
            f"{settings.snapshots_folder}, and the dump is proved"
        )
    else:
        why = f"the {settings.target} target touches no existing database"
        if settings.target == "database":
            why = "the live database is only read"
        if settings.promote:
            why = "the live database stays whole, even where it gives up its name"
        group.note(f"not needed: {why}")
    return group


def schema(settings: Settings) -> Group:
    """What it would be restored into."""
    group = step(4, "Recreating database schema", "schema")
    if settings.target != "database":
        group.note("an empty database, with the roles and tablespaces that the backup names")
    elif settings.in_place:
        group.note(f"everything in the database {settings.confirm} is dropped")
    else:
        group.note("the new database is empty, and has the encoding and locale of the live one")
    return group


def restoring(settings: Settings, times: Estimate) -> Group:
    """How it would be restored."""
    group = step(5, "Restoring database", "restore")
    jobs = 1 if settings.production_settings else settings.jobs
    how = "default server settings" if settings.production_settings else "the fastest way that fits"
    over = show_count(jobs, "connection")
    group.note(f"about {show_duration(times.restore)}: {how}, up to {over}")
    if settings.promote:
        group.note(f"when it is proved, it takes the name {settings.confirm} of the live database")
    return group


def recovering(times: Estimate) -> Group:
    """How a physical backup would be recovered."""
    group = step(5, "Restoring database", "restore")
    what = "files are copied, a server starts on the copy, and WAL is fetched and replayed"
    group.note(f"about {show_duration(times.restore)}, and the time of the WAL: {what}")
    return group


def verifying(settings: Settings, times: Estimate, work: Work, *, is_files: bool) -> Group:
    """What would be read from the restored database."""
    group = step(6, "Verifying data integrity", "verify")
    number = work.criteria.get("verify", 0)
    criteria = show_count(number, "criterion", "criteria") if number else "for other criteria"
    over = show_count(settings.jobs, "read-only connection")
    group.note(f"about {show_duration(times.verify)}: {criteria}, over {over}")
    more = "as many additional restores"
    if is_files:
        more = (
            "for a damaged file the backup is read again, for damaged WAL it is recovered again, "
            "for a damaged page the smallest database is copied"
        )
    if number := work.criteria.get("prove", 0):
        group.note(f"{show_count(number, 'damage')} tried in copies: {more}")
    return group


def in_all(settings: Settings, sql: int, times: Estimate, work: Work, *, is_files: bool) -> Group:
    """The whole time against its budget."""
    group = Group("time", "Time")
    if not work.restores:
        group.note("a few seconds: nothing is restored")
        return group
    beside = ", without the proof" if work.criteria.get("prove") else ""
    group.note(f"about {show_duration(times.total)} in total{beside}, {times.basis}")
    budgets = Budgets.of(settings, sql, FILES if is_files else SQL)
    for what, seconds in (
        ("restore", times.restore),
        ("verify", times.verify),
        ("total", times.total),
    ):
        if excess := budgets.excess(what, seconds):
            group.warn(f"by this estimate, {excess}")
    return group


def open_in(checkup: Checkup, work: Work) -> Iterator[Open]:
    """What the drill would not check: as it is collected, and as a checkup has it."""
    known = set()
    for each in (*work.opens, *(checkup.opens if work.restores else ())):
        if each.what not in known:
            known.add(each.what)
            yield each
