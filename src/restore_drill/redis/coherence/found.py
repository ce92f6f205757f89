"""What became of a rule: how many keys and rows agree, and how many do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from restore_drill.config.criteria import Rule
from restore_drill.core.units import show_count

MISNAMED, WITHOUT_ROW, WITHOUT_KEY = "misnamed", "without_row", "without_key"
DIFFERING, LACKING, WRONG, OTHER = "differing", "lacking", "unreadable", "other_type"
"""What does not agree, by the attribute of Found that counts it."""


@dataclass
class Found:
    """Counts of one rule; those of `rows` are None where no row needs a key.

    `keys` are like the rule's. Of these `misnamed` have a name that holds no value of the column's
    type, `without_row` no row; of those with a row `differing` have another value than it,
    `lacking` none, `unreadable` one that is none of the column's type, and `other_type` are of a
    type of Redis without such a value. Of the `rows` that need a key `without_key` have none.
    `redis` is the server in words. `examples` are names of keys by these kinds: row data, which
    stands in no record.
    """

    rule: Rule
    redis: str = ""
    keys: int = 0
    misnamed: int = 0
    without_row: int = 0
    differing: int = 0
    lacking: int = 0
    unreadable: int = 0
    other_type: int = 0
    rows: int | None = None
    without_key: int | None = None
    seconds: float = 0.0
    examples: dict[str, list[bytes]] = field(default_factory=dict)

    @property
    def astray(self) -> int:
        """Keys that belong to no row."""
        return self.misnamed + self.without_row if self.rule.needs_rows else 0

    @property
    def wrong(self) -> int:
        """Keys whose value is not that of their row."""
        return self.differing + self.lacking + self.unreadable + self.other_type

    @property
    def lacks_rows(self) -> bool:
        """Whether the rule is about rows alone, and about all of them, and there is none."""
        return self.rule.direction == "rows" and not self.rule.where and not self.rows

    @property
    def cause(self) -> str:
        """What speaks against it the most: the cause of its remedy; empty where it holds."""
        if not self.keys and self.rule.direction != "rows":
            return "no_keys"
        if not self.rows and (not self.keys or self.lacks_rows):
            return "nothing"
        shares = {
            WITHOUT_ROW: self.astray / max(self.keys, 1),
            DIFFERING: self.wrong / max(self.keys, 1),
            WITHOUT_KEY: (self.without_key or 0) / max(self.rows or 0, 1),
        }
        worst = max(shares, key=lambda cause: shares[cause])
        if shares[worst] <= self.rule.tolerance:
            return ""
        return MISNAMED if worst == WITHOUT_ROW and not self.without_row else worst

    @property
    def summary(self) -> str:
        """`9 keys like card:{id}, 8 rows of public.cards: 2 keys without a row in public.cards`."""
        rule, rows = self.rule, ""
        if self.rows is not None:
            rows = f", {show_count(self.rows, 'row')} of {rule.table} that need one"
        agree = "nothing to compare" if self.cause in ("no_keys", "nothing") else "all agree"
        found = "; ".join(line for _, line in self.problems) or agree
        return f"{show_count(self.keys, 'key')} like {rule.keys}{rows}: {found}"

    @property
    def what(self) -> str:
        """What speaks against it the most, in a line."""
        rule = self.rule
        if self.cause == "no_keys":
            return f"no key matches {rule.keys}"
        if self.cause == "nothing":
            none = f"no row of {rule.table} needs a key like {rule.keys}"
            if not self.keys:
                return f"no key matches {rule.keys}, and no row of {rule.table} needs one"
            return f"{none}, though there are {self.keys:,}"
        line = next(line for cause, line in self.problems if cause == self.cause)
        if self.cause == WITHOUT_KEY:
            return f"{line}, of {show_count(self.rows or 0, 'row')}"
        return f"{line}, of {show_count(self.keys, 'key')} like {rule.keys}"

    @property
    def checked(self) -> list[str]:
        """What the message says beside its first line."""
        lines = [line for _, line in self.problems if not self.what.startswith(line)]
        if self.rule.tolerance:
            lines.append(f"tolerance: {self.rule.tolerance:g}")
        hint = "their names are row data: --show-keys shows some on the terminal"
        return [*filter(None, [self.redis]), *lines, *([] if self.examples else [hint])]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Cause and line of each kind of what does not agree, whether it is tolerated or not."""
        return [(cause, line) for count, cause, line in self.counted() if count]

    def counted(self) -> Iterator[tuple[int, str, str]]:
        """How many there are of each kind, the cause of its remedy, and a line."""
        rule, value = self.rule, self.value

        def keys(count: int, cause: str, what: str) -> tuple[int, str, str]:
            return count, cause, f"{show_count(count, 'key')} {what}"

        if rule.needs_rows:
            yield keys(self.without_row, WITHOUT_ROW, f"without a row in {rule.table}")
            columns = " and ".join(rule.columns)
            yield keys(self.misnamed, MISNAMED, f"whose name has no valid {columns}")
        yield keys(self.differing, DIFFERING, f"whose {value} is not the row's {rule.equals}")
        yield keys(self.lacking, DIFFERING, f"without {value}, though the row has {rule.equals}")
        yield keys(self.unreadable, DIFFERING, f"whose {value} is not valid for {rule.equals}")
        yield keys(self.other_type, DIFFERING, f"of a Redis type that has no {value}")
        count = self.without_key or 0
        rows = f"{show_count(count, 'row')} of {rule.table} without a key like {rule.keys}"
        yield count, WITHOUT_KEY, rows

    @property
    def value(self) -> str:
        """What is compared, in words."""
        if not self.rule.field:
            return "value"
        return self.rule.field if self.rule.path else f"field {self.rule.field}"

    def as_json(self) -> dict[str, Any]:
        """What result.json holds of it: no key, and no value."""
        left_out = ("rule", "examples", "seconds")
        counts = {name: each for name, each in vars(self).items() if name not in left_out}
        return {
            "rule": self.rule.name,
            "like": self.rule.keys,
            "table": self.rule.table,
            "direction": self.rule.direction,
            "summary": self.summary,
            **counts,
            "tolerance": self.rule.tolerance,
            "ok": not self.cause,
            "seconds": round(self.seconds, 3),
        }
