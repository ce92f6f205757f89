"""The stages, in the order in which their criteria run, and what is open where one is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

STAGES = {
    "select": "the backup itself; nothing is restored",
    "snapshot": "the safety snapshot of a live database",
    "restore": "restoring the backup",
    "verify": "the restored database",
    "redis": "Redis",
    "coherence": "the keys of Redis against the rows",
    "system": "writing, and the time budgets",
    "prove": "the test that the drill can fail (--prove)",
}

FINAL = "Final system checks"
"""Title of the last step, that of the stage `system`."""
HELD = {"verify": "Data verification passed", "system": "System checks passed"}
"""What the guide says when all criteria of a stage hold."""

EMPTY = {
    "required": (
        "the tables that you require",
        "[tables] in the criteria file is empty",
    ),
    "fact": ("business facts", "[facts] in the criteria file is empty"),
    "coherence_rule": (
        "whether keys and rows agree",
        "[[redis.coherence]] in the criteria file is empty",
    ),
    "key_rule": (
        "which keys a backup of Redis must have",
        "[redis.keys] in the criteria file is empty",
    ),
    "fresh": ("how fresh the newest rows are", "[freshness] in the criteria file is empty"),
    "table": (
        "rows, keys and constraints, table by table",
        "the backup's tables are not known before it is read",
    ),
    "known_table": ("the content, table by table", "its manifest names no table"),
    "measured_table": (
        "how the rows of each table have changed",
        "the last passed drill recorded no table",
    ),
}
"""What is not checked, and why, where a criterion's parameter is given nothing, by its name."""

NAMES = ("Redis", "PostgreSQL")
"""First words of sentences that are names, and stay as they are."""


def what_is_open(
    name: str, sentence: str, parameters: Iterable[str], reasons: Mapping[str, str]
) -> tuple[str, str]:
    """What is not known because the criterion `name` has nothing to check, and why it has not.

    `sentence` is what it proves; `reasons` say why a parameter is given nothing, by its name.
    """
    for parameter in parameters:
        if parameter in EMPTY:
            what, why = EMPTY[parameter]
            return what, reasons.get(parameter, why)
    what = whether(sentence) if sentence else name.removesuffix("[NOTSET]")
    return what, "there is nothing to check, in the backup or in the criteria file"


def whether(sentence: str) -> str:
    """`Every table has rows.` as `whether every table has rows`: what is not known."""
    first, _, rest = sentence.rstrip(".").partition(" ")
    is_name = first in NAMES or not first[1:].islower()
    first = first if is_name and first not in ("A", "I") else first.lower()
    return f"whether {first} {rest}".rstrip()
