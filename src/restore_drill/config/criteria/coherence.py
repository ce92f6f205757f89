"""`[[redis.coherence]]` and `[redis.volatile]`: which keys belong to rows, and which grow stale."""

from __future__ import annotations

import re
from string import Formatter
from typing import Any

from restore_drill.config.criteria.kinds import Count, Flag, Share, Text
from restore_drill.config.criteria.model import qualified
from restore_drill.config.criteria.patterns import Patterns
from restore_drill.config.criteria.place import Place
from restore_drill.config.criteria.rule_kinds import Choice, Columns, Lifetime, Shown
from restore_drill.config.criteria.rules import Rule
from restore_drill.config.criteria.sections import Entries, Key, Section, Tables

DIRECTIONS = ("keys", "rows", "both")
STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
"""A step of a path into JSON: `.price`, `[0]`."""
PLACEHOLDER = "a placeholder is a name in braces, as in card:{id}; write {{ and }} for braces"


def parts_of(place: Place, keys: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stands around the placeholders of `keys`, and their names."""
    at = place.inside("keys")
    literals, names = [""], list[str]()
    try:
        for literal, name, options, conversion in Formatter().parse(keys):
            literals[-1] += literal
            if name is None:
                continue
            if options or conversion or not re.fullmatch(r"[^\W\d]\w*", name):
                raise at.error(f"{keys!r}: {PLACEHOLDER}")
            if name in names:
                raise at.error(f"{keys!r} has {{{name}}} twice")
            if names and not literals[-1]:
                raise at.error(f"{keys!r}: nothing stands between {{{names[-1]}}} and {{{name}}}")
            names.append(name)
            literals.append("")
    except ValueError:
        raise at.error(f"{keys!r}: {PLACEHOLDER}") from None
    if not names:
        raise at.error(f"{keys!r} has no placeholder; {PLACEHOLDER}")
    return tuple(literals), tuple(names)


def path_of(place: Place, field: str) -> tuple[str | int, ...]:
    """Steps of a `field` that is a path into JSON, `$.offers[0].price`; none for that of a hash."""
    if not field.startswith(("$.", "$[")):
        return ()
    if not re.fullmatch(rf"\$(?:{STEP.pattern})+", field):
        what = f"{field!r} is not a path of names and numbers, as in $.offers[0].price"
        raise place.inside("field").error(what)
    return tuple(name or int(number) for name, number in STEP.findall(field))


def rule_of(place: Place, values: dict[str, Any]) -> Rule:
    """One entry of `[[redis.coherence]]`."""
    literals, names = parts_of(place, values["keys"])
    columns = values.pop("columns", names)
    if len(columns) != len(names):
        what = f"{', '.join(columns)}: one for each placeholder, {', '.join(names)}"
        raise place.inside("column").error(
            f"column must name as many columns as keys has placeholders, not {what}"
        )
    field, equals = values.get("field", ""), values.get("equals", "")
    if field and not equals:
        what = f"field also needs equals, the column that {field} must agree with"
        raise place.inside("field").error(what)
    if values.get("where") and values.get("direction", "keys") == "keys":
        what = "where picks the rows that need a key: it needs direction = 'rows' or 'both'"
        raise place.inside("where").error(what)
    values |= {"table": qualified(values["table"]), "path": path_of(place, field)}
    values |= {"but": tuple(values.get("but", ()))}
    return Rule(literals=literals, columns=columns, **values)


RULE = Section(
    {
        "keys": Key(
            Shown("names of keys, as in card:{id}"),
            "names of the keys: card:{id}, cart:{shop}:{number}",
            "",
            True,
        ),
        "table": Key(Text("the table of the rows"), "table of their rows", "", True),
        "except": Key(
            Patterns("patterns of keys"),
            "keys to leave out although they match: card:*:comments",
            "but",
        ),
        "column": Key(
            Columns(), "column of the placeholder, or a list (default: of the same name)", "columns"
        ),
        "field": Key(
            Text("a field of a hash, or a path as $.price"),
            "field of a hash, or path in JSON ($.price), that must agree; without it the value",
        ),
        "equals": Key(Text("a column"), "column that it must agree with"),
        "direction": Key(
            Choice("what needs what", words=DIRECTIONS),
            "keys need rows (keys, the default), rows need keys (rows), or both",
        ),
        "where": Key(
            Text("a condition on the rows", strips=False), "condition, in SQL: rows that need a key"
        ),
        "tolerance": Key(Share(1), "share of keys, and of rows, that may disagree: 0.01"),
        "database": Key(Count(), "number of the Redis database (default: that of REDIS_URL, or 0)"),
        "live": Key(Flag(), "compare the Redis of REDIS_URL where no Redis backup is drilled"),
    },
    build=rule_of,
)


class Rules(Tables):
    """All rules; two of the same name could not be told apart."""

    def read(self, place: Place, value: Any) -> tuple[Rule, ...]:
        """The rules."""
        rules: tuple[Rule, ...] = super().read(place, value)
        for number, rule in enumerate(rules):
            if rule.name in [each.name for each in rules[:number]]:
                at = place.inside(number).labelled("[[redis.coherence]]")
                raise at.error(f"a second rule for {rule.name}")
        return rules


COHERENCE = Rules(RULE, "keys", "[[redis.coherence]]")
VOLATILE = Entries(Lifetime(), "[redis.volatile]")
