"""One pass over every file: pages, and whether each entry of a B-tree index meets a row.

Files are read past the server, after a CHECKPOINT while nothing writes: a page is read once, where
amcheck alone reads a table anew for each of its indexes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from restore_drill.core.units import progress_line
from restore_drill.facts.physical.checksum import PAGE
from restore_drill.facts.physical.files import Fork, list_files
from restore_drill.facts.physical.groups import Group, bundles_of, groups_of, left_over
from restore_drill.facts.physical.model import Pages
from restore_drill.facts.physical.reader import Reader, Shared
from restore_drill.facts.physical.relations import Relation
from restore_drill.facts.plan import TICK, follow


def read_all(
    data: Path,
    relations: Iterable[Relation],
    jobs: int,
    progress: Callable[[str], None],
    *,
    checksums_on: bool,
    settle: Callable[[], int | None],
) -> Pages:
    """Read all files below `data`; `settle` lets the server write what it holds in memory.

    It gives the end of the WAL then, in bytes, None where nobody knows it.
    What seems wrong is read once more behind another such pause, and counts only if it stays.
    """
    relations = list(relations)
    end = settle()
    files = list_files(data)
    shared = Shared(data, checksums_on, end)
    found = Pages(checksums_on)
    strays = left_over(files, relations)
    for fork in strays:
        del files[fork.path]
    doubtful: set[str] = set()
    for group, part in side_by_side(shared, groups_of(files, relations), jobs, progress):
        if part.is_sound:
            found.add(part)
        else:
            doubtful |= {fork.relation for fork in group.all_forks}
    if doubtful:
        shared.end = settle()
        files = list_files(data)
        again = {path: fork for path, fork in files.items() if fork.relation in doubtful}
        for _, part in side_by_side(shared, groups_of(again, relations), jobs, progress):
            found.add(part)
    found.missing += missing(files, relations)
    found.strays = [fork.path for fork in strays]
    found.sizes = {path: fork.pages for path, fork in files.items()}
    return found


def missing(files: Mapping[str, Fork], relations: Iterable[Relation]) -> list[str]:
    """Relations without their file."""
    return [
        f"{each.title}: its file {each.path} is missing"
        for each in relations
        if each.path and each.path not in files
    ]


def side_by_side(
    shared: Shared, groups: list[Group], jobs: int, progress: Callable[[str], None]
) -> list[tuple[Group, Pages]]:
    """What each of `groups` holds, read in so many threads."""
    began, before = time.monotonic(), shared.done
    total = PAGE * sum(group.pages for group in groups)

    def report() -> None:
        read = PAGE * (shared.done - before)
        progress(progress_line("reading pages", read, total, time.monotonic() - began))

    with ThreadPoolExecutor(jobs) as threads:
        bundles = bundles_of(groups)
        futures = [threads.submit(Reader(shared).read, bundle) for bundle in bundles]

        def stop() -> None:
            shared.stop.set()
            threads.shutdown(wait=False, cancel_futures=True)

        follow(futures, report, stop, TICK, stop)
    return [
        each
        for bundle, future in zip(bundles, futures, strict=True)
        for each in zip(bundle, future.result(), strict=True)
    ]
