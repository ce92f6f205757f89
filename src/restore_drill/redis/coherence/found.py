"""What became of a rule: how many keys and rows agree, and how many do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
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
    `examples` are names of keys by these words: row data, which stands in no record.
    """

    rule: Rule
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
    def cause(self) -> str:
        """What speaks against it the most: the cause of its remedy; empty where it holds."""
        if not self.keys and self.rule.direction != "rows":
            return "no_keys"
        if not self.keys and not self.rows:
            return "nothing"
        shares = {
            "without_row": self.astray / max(self.keys, 1),
            "differing": self.wrong / max(self.keys, 1),
            "without_key": (self.without_key or 0) / max(self.rows or 0, 1),
        }
        worst = max(shares, key=lambda cause: shares[cause])
        if shares[worst] <= self.rule.tolerance:
            return ""
        only_names = worst == "without_row" and not self.without_row
        return "misnamed" if only_names else worst

    @property
    def basis(self) -> str:
        """`1,000 keys like card:{id}, 980 rows of public.cards`."""
        rows = "" if self.rows is None else f", {show_count(self.rows, 'row')} of {self.rule.table}"
        return f"{show_count(self.keys, 'key')} like {self.rule.keys}{rows}"

    @property
    def problems(self) -> list[str]:
        """A line for each kind of what does not agree, whether it is tolerated or not."""
        return [line for count, line in self.counted() if count]

    def counted(self) -> Iterator[tuple[int, str]]:
        """Each kind with how many there are, in words."""
        rule, value = self.rule, self.value

        def keys(count: int, what: str) -> tuple[int, str]:
            return count, f"{show_count(count, 'key')} {what}"

        if rule.needs_rows:
            yield keys(self.without_row, f"without a row in {rule.table}")
            columns = " and ".join(rule.columns)
            yield keys(self.misnamed, f"whose name holds no value for {columns}")
        yield keys(self.differing, f"whose {value} is not the row's {rule.equals}")
        yield keys(self.lacking, f"without {value}, though the row has {rule.equals}")
        yield keys(self.unreadable, f"whose {value} is no value for {rule.equals}")
        yield keys(self.other_type, f"of a type of Redis that has no {value}")
        count = self.without_key or 0
        yield count, f"{show_count(count, 'row')} of {rule.table} without a key like {rule.keys}"

    @property
    def value(self) -> str:
        """What is compared, in words."""
        if not self.rule.field:
            return "value"
        return self.rule.field if self.rule.path else f"field {self.rule.field}"

    def as_json(self) -> dict[str, Any]:
        """What result.json holds of it: no key, and no value."""
        shown = asdict(self)
        for name in ("rule", "examples"):
            del shown[name]
        rule = {name: getattr(self.rule, name) for name in ("keys", "table", "direction")}
        return {**rule, **shown, "tolerance": self.rule.tolerance, "ok": not self.cause}
