"""The files of a listing are copied, several at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress

from restore_drill.recovery.copies.files import copy_file
from restore_drill.recovery.copies.listing import Listing
from restore_drill.recovery.copies.work import TICK, Over, Work

MOST = 2
"""Threads: 8,000 files took two thirds of the time of one, large ones the same; cp took longer."""
AT_ONCE = 16
"""Files that a thread takes from the list at once."""
Pair = tuple[str, str]


def copy_all(listing: Listing, work: Work) -> None:
    """Make the folders of `listing`, and copy the files.

    This thread copies as the others do: an interrupt, or what fails in any of them, ends all.
    """
    for folder in listing.folders:
        if folder.target != str(work.data):
            work.make_folder(folder.target)
    queue = Queue(files_of(listing))
    errors: list[Exception] = []
    count = min(MOST, os.cpu_count() or 1) - 1
    threads = [threading.Thread(target=queue.copy, args=(work, errors)) for _ in range(count)]
    try:
        for each in threads:
            each.start()
        queue.copy(work, errors)
        wait_for(threads, work)
    except BaseException:
        work.is_over.set()
        raise
    finally:
        for each in threads:
            if each.ident is not None:
                each.join()
    if errors:
        raise errors[0]


def wait_for(threads: list[threading.Thread], work: Work) -> None:
    """Wait for what the others still copy, and show how far it is."""
    with suppress(Over):
        for each in threads:
            while each.is_alive():
                each.join(TICK)
                work.count(0)


class Queue:
    """Files that are waiting to be copied, from one path to another."""

    def __init__(self, pairs: Iterator[Pair]) -> None:
        """All of them."""
        self.pairs = pairs
        self.lock = threading.Lock()

    def take(self) -> list[Pair]:
        """The next ones; none at the end."""
        with self.lock:
            return [pair for _, pair in zip(range(AT_ONCE), self.pairs, strict=False)]

    def copy(self, work: Work, errors: list[Exception]) -> None:
        """Copy until none is left, or something has failed: that is one of `errors`."""
        try:
            while some := self.take():
                for source, target in some:
                    copy_file(source, target, work)
        except Over:
            pass
        except Exception as error:  # noqa: BLE001 - it is raised where the threads are waited for
            errors.append(error)
            work.is_over.set()


def files_of(listing: Listing) -> Iterator[Pair]:
    """Each file of `listing`, and where it goes."""
    for folder in listing.folders:
        for name in folder.names:
            yield f"{folder.source}/{name}", f"{folder.target}/{name}"
    yield from listing.links
