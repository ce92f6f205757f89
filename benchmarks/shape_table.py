"""Other shapes than the shop: each against psql and pg_restore, and a whole drill beside them."""

from __future__ import annotations

import shutil
import statistics
import subprocess
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.runs import Drilled, Sample, drill, run_once
from benchmarks.shapes import shapes
from benchmarks.sources import Shape, Source, make_source
from benchmarks.tables import ratio, spread
from benchmarks.ways import FIRST, OURS, OURS_ARCHIVE, OURS_KEPT, SHAPE_WAYS, TUNED, ways_for
from restore_drill.core.units import show_bytes
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.find import find_binaries

Note = Callable[[str], None]
WHOLE = {"whole drill, plain": "plain", "whole drill, directory": "directory"}
HEAD = "against psql -f | against {best} | memory | of the server |"
ABOUT = (
    "How many times as fast as `psql -f` into a default server, and as the best tuned way for that"
    " shape: without ANALYZE, and with it for all ways behind the stroke. From an archive: as it"
    " lies there, and (as SQL) as a drill restores it that has read it to its end before. ANALYZE"
    " of a table with more than 50 columns is coarser in a drill."
)
ONE_ROW = (
    "| shape | plain: psql -f | best tuned | archive: psql -f | best tuned | as SQL: psql -f |"
    " best tuned | whole drill: psql -f | best tuned | whole drill, directory: psql -f |"
    " best tuned | the best tuned way |"
)


class Compared(NamedTuple):
    """The runs of each way with a shape's dumps, round by round, and those of the whole drill."""

    title: str
    size: int
    ways: dict[str, list[Sample]]
    drills: dict[str, list[Drilled]]

    def seconds(self, name: str, *, with_analyze: bool = False) -> list[float]:
        """Seconds of the way `name` in each round."""
        return [run.seconds + run.analyze * with_analyze for run in self.ways[name]]

    @property
    def best(self) -> str:
        """The tuned way with the smallest median."""
        return min(
            (name for name in TUNED if name in self.ways),
            key=lambda name: statistics.median(self.seconds(name)),
        )


def compare_shapes(
    folder: Path, words: Sequence[str], rounds: int, major: int | None, note: Note
) -> None:
    """Print a table of each shape as soon as it was measured, and one of all at the end."""
    binaries = find_binaries(major, note=note)
    found = []
    for shape in chosen(words):
        if shape.compress and not knows(binaries, shape.compress):
            note(f"{shape.title}: left out, {binaries.name} has no pg_dump {shape.compress}")
            continue
        place = folder / "shape"
        place.mkdir()
        found.append(compare(shape, place, rounds, binaries, note))
        shutil.rmtree(place)
        print(ways_table(found[-1]), flush=True)
    print(summary(found), flush=True)


def knows(binaries: Binaries, compress: str) -> bool:
    """Whether pg_dump of `binaries` was built with a method: else it says so before it connects."""
    command = [binaries.tool("pg_dump"), "--format=custom", compress, "--host=/nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "connection" in done.stderr


def chosen(words: Sequence[str]) -> list[Shape]:
    """Shapes of a quick run without a word, else those that have one of `words` in their titles."""
    if not words:
        return shapes(quick=True)
    found = [
        shape for shape in shapes()
        if "all" in words or any(word.lower() in shape.title.lower() for word in words)
    ]  # fmt: skip
    if not found:
        titles = ", ".join(shape.title for shape in shapes())
        raise SystemExit(f"no shape is called {' or '.join(words)}; there are: {titles}")
    return found


def compare(shape: Shape, place: Path, rounds: int, binaries: Binaries, note: Note) -> Compared:
    """Build a shape's dumps and take all ways in turns; RuntimeError where one fails."""
    note(f"{shape.title}: building")
    with start_embedded(binaries, note=lambda _: None) as server:
        source: Source = make_source(server, "source", shape, place)
    ways = [way for way in ways_for(source, SHAPE_WAYS) if binaries.major >= way.since]
    samples: dict[str, list[Sample]] = defaultdict(list)
    drills: dict[str, list[Drilled]] = defaultdict(list)
    for number in range(rounds):
        note(f"{shape.title}: round {number + 1} of {rounds}")
        for way in ways:
            samples[way.name].append(run_once(way, source, binaries.major))
        for name, form in WHOLE.items():
            drills[name].append(drill(place, str(source.dumps[form]), {}))
    return Compared(shape.title, source.dumps["plain"].stat().st_size, samples, drills)


def ways_table(found: Compared) -> str:
    """Markdown: medians and ranges of each way, without ANALYZE, which stands beside; memory."""
    best = found.best
    lines = [
        f"### {found.title} ({show_bytes(found.size)} of plain dump)",
        "",
        "| way | median s | range s | ANALYZE s | " + HEAD.format(best=best),
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, runs in found.ways.items():
        taken = found.seconds(name)
        ratios = " | ".join(ratio(found.seconds(base), taken) for base in (FIRST, best))
        analyzed = statistics.median(run.analyze for run in runs)
        memory = " | ".join(
            show_bytes(max(column)) for column in zip(*(run[2:] for run in runs), strict=True)
        )
        lines.append(f"| {name} | {spread(taken)} | {analyzed:.2f} | {ratios} | {memory} |")
    for name, drills in found.drills.items():
        whole = [run.seconds for run in drills]
        ratios = " | ".join(ratio(found.seconds(base), whole) for base in (FIRST, best))
        memory = show_bytes(max(run.client for run in drills))
        lines.append(f"| {name} | {spread(whole)} | in it | {ratios} | {memory} | |")
    return "\n".join([*lines, ""])


def summary(found: Sequence[Compared]) -> str:
    """Markdown: the drill's restore of each shape against the others, without and with ANALYZE."""
    lines = [
        "### All shapes",
        "",
        ABOUT,
        "",
        ONE_ROW,
        "|" + "---|" * (ONE_ROW.count("|") - 1),
    ]
    for each in found:
        cells = [
            " / ".join(medians(each, base, name, is_with) for is_with in (False, True))
            if name in each.ways
            else "-"
            for name in (OURS, OURS_ARCHIVE, OURS_KEPT)
            for base in (FIRST, each.best)
        ]
        cells += [
            ratio(each.seconds(base), [run.seconds for run in drills]).split()[0]
            for drills in each.drills.values()
            for base in (FIRST, each.best)
        ]
        lines.append(f"| {each.title} | {' | '.join(cells)} | {each.best} |")
    return "\n".join([*lines, ""])


def medians(found: Compared, base: str, name: str, with_analyze: bool) -> str:  # noqa: FBT001
    """The ratio of two ways of a shape, without its range."""
    pair = (found.seconds(each, with_analyze=with_analyze) for each in (base, name))
    return ratio(*pair).split()[0]
