"""A rule of the criteria file about keys of Redis and the rows that they belong to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """Keys like `keys`, `card:{id}`, belong to the rows of `table` (`schema.table`).

    `literals` stand before, between and behind the placeholders, each of which is a value of the
    column of `columns` in its place. `direction` says what must be there for what: a row for each
    key (`keys`), a key for each row (`rows`), or `both`; `where` picks the rows that need a key.
    With `equals` the key's value agrees with that column: the field `field` of a hash, what `path`
    leads to in its JSON, or else the whole of it. Keys like one of `but`, where `*` and `?` are
    wild, are none of it. `tolerance` is the share that need not be so.
    `database` is the number of Redis's, None for that of REDIS_URL; with `live` the user's own
    Redis is compared where no backup of Redis is drilled.
    """

    keys: str
    table: str
    literals: tuple[str, ...]
    columns: tuple[str, ...]
    field: str = ""
    path: tuple[str | int, ...] = ()
    equals: str = ""
    direction: str = "keys"
    where: str = ""
    tolerance: float = 0.0
    database: int | None = None
    live: bool = False
    but: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What its criterion is called: `card:{id}`, `card:{id} price`, `card:{id} db 3`."""
        value = self.field or (self.equals and "value")
        number = "" if self.database is None else f"db {self.database}"
        return " ".join(filter(None, (self.keys, value, number)))

    @property
    def needs_rows(self) -> bool:
        """Whether each key must have a row."""
        return self.direction in ("keys", "both")

    @property
    def needs_keys(self) -> bool:
        """Whether each row must have a key."""
        return self.direction in ("rows", "both")
