"""A metrics file that several drills share: each writes what is of its own series.

Whose each series is stands in comments, which no collector reads: two folders of backups may have
series of one name.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from restore_drill.watch.append import lock
from restore_drill.watch.groups import UNNAMED
from restore_drill.watch.metrics import LAST_PASS, shown

Blocks = dict[str, tuple[list[str], list[str]]]
"""Comments and values of each metric, by its name."""
MARK = "# restore-drill: "
SAMPLE = re.compile(r'(\w+)\{series="((?:[^"\\]|\\.)*)"')


class Sheet(NamedTuple):
    """What a metrics file holds: its metrics, and where the backups of each series lie."""

    blocks: Blocks
    owners: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> Sheet:
        """What lies at `path`, nothing where there is no file; OSError where it cannot be read."""
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            lines = []
        return cls(blocks_of(lines), dict(owners_in(lines)))

    @property
    def series(self) -> list[str]:
        """Labels of all series."""
        values = (value for _, values in self.blocks.values() for value in values)
        return list(dict.fromkeys(map(label_in, values)))

    def of(self, owner: str) -> list[str]:
        """Labels of the series of `owner`; of one that is not known the only one that there is."""
        found = [each for each in self.series if self.owners.get(each) == owner]
        return found or (self.series if len(self.series) == 1 and not self.owners else [])

    def label_for(self, series: str, owner: str) -> str:
        """Label of the `series` of `owner`: with that behind it where another has the name."""
        is_taken = series in self.series and self.owners.get(series, owner) != owner
        return f"{series} ({owner})" if is_taken else series

    def last_pass(self, label: str) -> float | None:
        """When the series `label` has last passed, in seconds since 1970, None if unknown."""
        start = f"{LAST_PASS}{shown({'series': label})} "
        values = self.blocks.get(LAST_PASS, ([], []))[1]
        found = next((v.removeprefix(start) for v in values if v.startswith(start)), "")
        return float(found) if re.fullmatch(r"\d+(\.\d+)?", found) else None

    def with_new(self, text: str, label: str, owner: str) -> Sheet:
        """The same with `text`, of the series `label` of `owner`, in place of what it had.

        What was said where no backup was found goes once its owner has a series.
        """
        gone = {label, *(e for e in self.series if self.is_replaced(e, label, owner))}
        found = blocks_of(text.split("\n"))
        for name, (comments, values) in self.blocks.items():
            if kept := [value for value in values if label_in(value) not in gone]:
                found.setdefault(name, (comments, []))[1].extend(kept)
        owners = {name: whose for name, whose in self.owners.items() if name not in gone}
        return Sheet(found, owners | {label: owner})

    def is_replaced(self, other: str, label: str, owner: str) -> bool:
        """Whether the series `other` was `label` before that was known, or had another title."""
        if self.owners.get(other, "") not in (owner, ""):
            return False
        longer, shorter = (other, label) if len(other) > len(label) else (label, other)
        is_renamed = longer.startswith(f"{shorter} (") and longer.endswith(")")
        return is_unnamed(other) or (is_renamed and other in self.owners)

    @property
    def text(self) -> str:
        """As it is written."""
        owners = [
            MARK + json.dumps({"series": each, "of": self.owners[each]}) for each in self.owners
        ]
        lines = [line for comments, values in self.blocks.values() for line in (*comments, *values)]
        return "\n".join([*owners, *lines, ""])


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other drills from writing metrics into `folder`; OSError where they do not end."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        lock(handle)
        yield
    finally:
        os.close(handle)


def is_unnamed(label: str) -> bool:
    """Whether `label` is that of drills that found no backup, and so no series."""
    return not label or label.startswith(UNNAMED)


def label_in(value: str) -> str:
    """The series of a sample, with its escapes undone."""
    found = SAMPLE.match(value)
    escaped = found[2] if found else ""
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], escaped)


def owners_in(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Series and their owners, as comments say."""
    for line in lines:
        if line.startswith(MARK):
            try:
                raw = json.loads(line.removeprefix(MARK))
                yield str(raw["series"]), str(raw["of"])
            except (ValueError, KeyError, TypeError):
                continue


def blocks_of(lines: Iterable[str]) -> Blocks:
    """What `lines` say of each metric, in their order."""
    found: Blocks = {}
    for line in lines:
        is_comment = line.startswith(("# HELP ", "# TYPE "))
        if is_comment or SAMPLE.match(line):
            name = line.split(" ", maxsplit=3)[2] if is_comment else line.partition("{")[0]
            found.setdefault(name, ([], []))[0 if is_comment else 1].append(line)
    return {name: block for name, block in found.items() if block[1]}
