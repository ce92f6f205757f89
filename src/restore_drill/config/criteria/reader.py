"""Reads the criteria file; a mistake in it is a usage error that names its place."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from restore_drill.config.criteria.model import Criteria, Fact, Freshness, TableCriteria, qualified
from restore_drill.config.criteria.values import Values
from restore_drill.config.criteria.waivers import read_waiver
from restore_drill.core.errors import UsageError
from restore_drill.core.names import split_name

SECTIONS = {
    "tables": (),
    "facts": (),
    "freshness": (),
    "waivers": (),
    "sql": ("folder", "timeout"),
    "budgets": ("max_backup_age", "max_restore_time", "max_verify_time", "max_total_time"),
    "backup": ("timezone", "name", "min_size_ratio"),
    "tolerance": ("max_shrink", "max_growth", "tables"),
    "drift": ("head",),
    "redis": ("max_latency",),
}


def load_criteria(path: Path) -> Criteria:
    """Read the criteria file at `path`; any mistake is a `UsageError` with its place."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"criteria file {path}: {error.strerror}; name another with --criteria (DRILL_CRITERIA)"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"criteria file {path} is no valid TOML: {error}") from None
    reader = Reader(path)
    reader.known("the file", raw, SECTIONS)
    for name, keys in SECTIONS.items():
        if keys:
            reader.known(f"[{name}]", reader.table(name, raw.get(name, {})), keys)
    return reader.criteria(raw)


@dataclass(frozen=True)
class Reader(Values):
    """Turns the raw TOML of the file at `path` into `Criteria`."""

    def criteria(self, raw: dict[str, Any]) -> Criteria:
        """All sections."""
        backup, redis, sql = (raw.get(name, {}) for name in ("backup", "redis", "sql"))
        budgets = raw.get("budgets", {})
        ratio = self.number("[backup]", backup, "min_size_ratio")
        latency = self.duration("[redis]", redis, "max_latency")
        timeout = self.duration("[sql]", sql, "timeout")
        tables = [
            self.required(*item) for item in self.table("[tables]", raw.get("tables", {})).items()
        ]
        facts = [self.fact(*item) for item in self.table("[facts]", raw.get("facts", {})).items()]
        fresh = list(self.freshness("", self.table("[freshness]", raw.get("freshness", {}))))
        return Criteria(
            path=self.path,
            tables={table.name: table for table in tables},
            facts={fact.name: fact for fact in facts},
            freshness={each.name: each for each in fresh},
            waivers=tuple(
                read_waiver(self, values) for values in self.tables("waivers", raw.get("waivers"))
            ),
            budgets={key: self.duration("[budgets]", budgets, key) or 0.0 for key in budgets},
            timezone=self.zone(backup.get("timezone", "UTC")),
            backup_name=self.pattern(backup),
            min_size_ratio=0.5 if ratio is None else ratio,
            **self.tolerance(raw.get("tolerance", {})),
            head=self.head(raw.get("drift", {})),
            max_redis_latency=0.1 if latency is None else latency,
            sql_folder=self.folder("[sql]", sql, "folder"),
            sql_timeout=timeout or 30.0,
        )

    def tolerance(self, raw: dict[str, Any]) -> dict[str, Any]:
        """How far a table's rows may be from those of the last passed drill, as shares of them."""
        found: dict[str, Any] = {}
        for key in ("max_shrink", "max_growth"):
            value = self.share("[tolerance]", raw, key, most=1 if key == "max_shrink" else None)
            found |= {} if value is None else {key: value}
        where = "[tolerance.tables]"
        tables = self.table(where, raw.get("tables", {}))
        shrinks = {qualified(name): self.share(where, tables, name, most=1) for name in tables}
        return found | {"shrinks": shrinks}

    def share(
        self, where: str, raw: dict[str, Any], key: str, *, most: float | None
    ) -> float | None:
        """Share under `key`, or None."""
        value = self.number(where, raw, key)
        if value is not None and (value < 0 or (most is not None and value > most)):
            raise self.error(where, f"{key} is a share like 0.1, not {value!r}")
        return value

    def head(self, raw: dict[str, Any]) -> str | None:
        """Query for the migration head in `[drift]`, None for none."""
        why = "a query that returns the versions of the schema that are applied"
        return self.text("[drift]", raw, "head", why) if "head" in raw else None

    def pattern(self, backup: dict[str, Any]) -> str:
        """Pattern of the names of the backups to choose from; empty for all."""
        return self.text("[backup]", backup, "name", "a pattern") if "name" in backup else ""

    def zone(self, name: object) -> tzinfo:
        """Time zone of the times in backups' names."""
        try:
            return ZoneInfo(str(name))
        except (LookupError, ValueError, OSError):
            what = f"timezone {name!r} is unknown; write it like 'Europe/Berlin'"
            raise self.error("[backup]", what) from None

    def required(self, name: str, raw: Any) -> TableCriteria:
        """One entry of `[tables]`; a name without schema means `public`."""
        where = f"[tables] {name}"
        values = self.table(where, raw)
        self.known(where, values, ("min_rows", "max_rows", "references"))
        low, high = self.rows(where, values, "min_rows"), self.rows(where, values, "max_rows")
        if high is not None and (1 if low is None else low) > high:
            raise self.error(where, f"min_rows is above max_rows ({high})")
        references = values.get("references", [])
        if not isinstance(references, list) or not all(
            isinstance(each, str) for each in references
        ):
            raise self.error(where, "references must be a list of table names")
        return TableCriteria(
            qualified(name),
            min_rows=1 if low is None else low,
            max_rows=high,
            references=tuple(map(qualified, references)),
        )

    def fact(self, name: str, raw: Any) -> Fact:
        """One entry of `[facts]`: its SQL and at least one bound."""
        where = f"[facts.{name}]"
        values = self.table(where, raw)
        self.known(where, values, ("sql", "description", "min", "max", "equals"))
        sql = values.get("sql")
        if not isinstance(sql, str) or not sql.strip():
            raise self.error(where, "sql is missing: a query that returns one number")
        bounds = {key: self.number(where, values, key) for key in ("min", "max", "equals")}
        if all(bound is None for bound in bounds.values()):
            raise self.error(where, "give min, max or equals, else nothing is checked")
        return Fact(name=name, sql=sql, description=str(values.get("description", "")), **bounds)

    def freshness(self, prefix: str, raw: dict[str, Any]) -> Iterator[Freshness]:
        """Entries of `[freshness]`: `table.column` or `schema.table.column`, quoted or nested."""
        for key, value in raw.items():
            name = prefix + key
            if isinstance(value, dict):
                yield from self.freshness(f"{name}.", value)
                continue
            *table, column = split_name(name)
            if len(table) not in (1, 2) or not all((*table, column)):
                raise self.error("[freshness]", f"{name!r} is no 'table.column' of one table")
            age = self.duration("[freshness]", {name: value}, name)
            if not age:
                raise self.error("[freshness]", f"{name} must be an age like '26h', not {value!r}")
            yield Freshness(table[0] if table[1:] else "public", table[-1], column, age)
