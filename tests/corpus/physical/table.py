"""The table of damaged physical backups, and of healthy ones; `python -m tests.corpus physical`.

Further arguments choose: a major version, checksums `on` or `off`, a group of damages, or words of
one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing

from tests.corpus.physical.before import before
from tests.corpus.physical.healthy import healthy
from tests.corpus.physical.in_chains import in_chains
from tests.corpus.physical.in_files import in_files
from tests.corpus.physical.in_repositories import in_repositories
from tests.corpus.physical.in_wal import archives
from tests.corpus.physical.look import look
from tests.corpus.physical.model import SILENT, TOLD, Damage, Row, asked
from tests.corpus.physical.sources import Lab, Made, copy_of

MAJORS = (15, 18)
GROUPS: dict[str, Callable[[Made], Iterator[Damage]]] = {
    "files": in_files, "wal": archives, "before": before,
    "chains": in_chains, "repositories": in_repositories,
}  # fmt: skip
SUMS = {"on": True, "off": False}
HEAD = (
    "| damage | backup | PostgreSQL | must be | red | seconds |",
    "|---|---|---|---|---|---|",
)


def done(made: Made, damage: Damage) -> Row:
    """Do the `damage` to a copy of a backup of `made`, and drill that."""
    with copy_of(damage.takes(made)) as copy:
        return Row(damage, made.title, look(asked(copy, damage.do(made, copy))))


def chosen(wanted: Sequence[str], made: Made) -> Iterator[Damage]:
    """Damages of a source that are `wanted`; all of them where nothing is."""
    groups = [name for name in wanted if name in GROUPS] or list(GROUPS)
    words = [word for word in wanted if word not in (*GROUPS, *SUMS) and not word.isdigit()]
    for name in groups:
        for damage in GROUPS[name](made):
            if all(word in damage.what for word in words):
                yield damage


def table(wanted: Sequence[str]) -> Generator[str, None, bool]:
    """Lines of the table; whether all was as it must be."""
    yield from HEAD
    rows: list[Row] = []
    majors = [int(each) for each in wanted if each.isdigit()] or MAJORS
    with closing(Lab()) as lab:
        for major in majors:
            for checksums in [SUMS[each] for each in wanted if each in SUMS] or SUMS.values():
                if "healthy" in wanted:
                    continue
                made = lab.of(major, checksums=checksums)
                for damage in chosen(wanted, made):
                    rows.append(done(made, damage))
                    yield rows[-1].line
                    if rows[-1].why_not:
                        yield f"| | | | | {rows[-1].message()[:400]} | |"
    whole = yield from summary(rows)
    return (yield from of_healthy(majors, wanted)) and whole


def summary(rows: Sequence[Row]) -> Generator[str, None, bool]:
    """How many damages there were, and how many of them were not as they must be."""
    wrong = [row for row in rows if row.why_not]
    silent = sum(row.damage.expected == SILENT for row in rows)
    told = sum(row.damage.expected == TOLD for row in rows)
    kinds = len({(row.damage.what, row.damage.kind) for row in rows})
    yield ""
    yield (
        f"{kinds} damages of physical backups, {len(rows)} drills: "
        f"{len(rows) - silent - told - len(wrong)} red, {told} told, {silent} not noticeable; "
        f"{len(wrong)} not as they must be"
    )
    return not wrong


def of_healthy(majors: Sequence[int], wanted: Sequence[str]) -> Generator[str, None, bool]:
    """A line on each healthy backup that is red, and how many there were."""
    if "healthy" not in wanted and any(each in GROUPS or each in SUMS for each in wanted):
        return True
    words = [each for each in wanted if each != "healthy" and not each.isdigit()]
    count = red = 0
    for major in majors:
        for what, ask in healthy(major, *words):
            seen = look(ask)
            count += 1
            wrong = [f"{name}: {text}" for name, text in seen.red.items()] + seen.peers
            red += bool(wrong)
            yield f"{what}: {seen.seconds:.1f} s{''.join(f'; RED {each}' for each in wrong)}"
    yield f"healthy physical backups: {count} drills, {red} wrongly red"
    return not red
