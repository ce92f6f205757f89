"""What a drill says of its options, by the keys of the inventory that set them."""

from __future__ import annotations

import re

from restore_drill.config.options import OPTIONS, VARIABLES
from restore_drill.fleet.inventory.options import IN_BUDGETS, KEYS
from restore_drill.fleet.model import Database

FOLDER = VARIABLES["backup_path"]
UNNOTED = (
    'there is no history: write environment = { DRILL_HISTORY = "…" } for it, then drill again'
)
"""What is to be done about a database whose drills are noted nowhere."""


BEFORE, AFTER = r"(?<![\w/$'\"{}`-])", r"(?![/$'\"{}`])"
"""Around a word that is of no path, no value and no code."""


def of_option(name: str) -> str:
    """Pattern of the option `name` in a message: `--backup (DRILL_BACKUP)`, or one of the two."""
    flag, variable = OPTIONS[name].flag, OPTIONS[name].variable
    return rf"{BEFORE}(?:{flag}(?![\w-]){AFTER}(?: \({variable}[^)]*\))?|{variable}\b{AFTER})"


WORDS = {
    rf"\bset {FOLDER}=(.+)$": r'write backups = "\1"',
    rf"(?<=: ){FOLDER}=(.+)$": r'backups = "\1"',
    rf"\bunset {FOLDER} or (?=[A-Z])": "leave backups out, or unset ",
    rf"\bunset {FOLDER}\b{AFTER}": "leave backups out",
    rf"{BEFORE}{FOLDER}\b(?!=){AFTER}": "backups",
    r"\bname (it|a file) with --backup\b": r'name \1 with backup = "…"',
    rf"{of_option('target')} (embedded|container)\b{AFTER}": r'target = "\1"',
    **{of_option(name): name for name in KEYS},
    **{of_option(name): f"{name} under budgets" for name in IN_BUDGETS},
}
"""Patterns of what a drill says, and what a fleet file calls it; the first ones come first."""
PATTERNS = [(re.compile(pattern, re.MULTILINE), words) for pattern, words in WORDS.items()]
COMMAND = re.compile(
    r"(?<![\w/-])(?:[A-Z_]+=(?:'[^']*'|\S)+ )*restore-drill (?=[\w-])|pytest drill/|-m drill "
)
"""How a command begins, on whatever machine: it is left as it is."""
HIDDEN = "\0"
"""Stands for a place whose text is no word of a drill."""


def in_keys(text: str, database: Database | None = None) -> str:
    """What a drill says in `text`, a line, by the keys of the inventory.

    The place of the backups of `database` is left as it is.
    """
    place = (database.backups or database.backup).rstrip("/") if database else ""
    if "/" in place:
        return in_keys(text.replace(place, HIDDEN)).replace(HIDDEN, place)
    command = COMMAND.search(text)
    end = command.start() if command else len(text)
    said = text[:end]
    for pattern, words in PATTERNS:
        said = pattern.sub(words, said)
    return said + text[end:]
