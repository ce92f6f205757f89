"""`make docs` (`python -m tests.helpers.options_table`) writes what is made of the code.

That is the table in docs/options.md, and the JSON Schemas of the criteria file, of the fleet file,
of result.json and of fleet.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from restore_drill.config.criteria import schema
from restore_drill.config.help import GROUPS
from restore_drill.config.option import Option
from restore_drill.config.options import OPTIONS
from restore_drill.fleet.inventory import schema as fleet_schema
from restore_drill.fleet.report.schema import fleet_schema as fleet_result_schema
from restore_drill.results.schema import result_schema

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "options.md"
SCHEMA = ROOT / "drill" / "criteria.schema.json"
RESULT_SCHEMA = ROOT / "docs" / "result.schema.json"
FLEET_SCHEMA = ROOT / "docs" / "fleet.schema.json"
FLEET_RESULT_SCHEMA = ROOT / "docs" / "fleet-result.schema.json"
BEGIN, END = "<!-- options: begin -->\n", "<!-- options: end -->\n"


def table() -> str:
    """The Markdown table of all options, in the groups and the order of `--help`."""
    head = ["| option | variable | default | meaning |", "|---|---|---|---|"]
    rows = [f"| **{title}** | | | |\n" + rows_of(names) for title, names in GROUPS.items()]
    return "\n".join([*head, *rows]) + "\n"


def rows_of(names: tuple[str, ...]) -> str:
    """Rows of the options with these `names`."""
    return "\n".join(row(OPTIONS[name]) for name in names)


def row(option: Option) -> str:
    """Row of one option."""
    flag = f"`{option.flag}`" if option.is_flag else f"`{option.flag} X`"
    variable = f"`{option.variable}`" if option.variable else "-"
    default = f"`{option.default}`" if option.default else option.unset
    default = default or ("off" if option.is_flag else "-")
    return f"| {flag} | {variable} | {default} | {option.help} |"


def in_page(text: str) -> str:
    """The table that stands in the `text` of the page, between its two marks."""
    return text.partition(BEGIN)[2].partition(END)[0]


def rewritten(text: str) -> str:
    """The `text` of the page with the table of today."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        sys.exit(f"{PAGE} has lost its marks: {BEGIN.strip()} and {END.strip()}")
    return before + begin + table() + end + after


def schema_text() -> str:
    """The JSON Schema of the criteria file, as it lies beside the one of the drill."""
    return json.dumps(schema(), indent=2) + "\n"


def result_schema_text() -> str:
    """The JSON Schema of result.json, as it lies in the docs."""
    return json.dumps(result_schema(), indent=2) + "\n"


def fleet_schema_text() -> str:
    """The JSON Schema of the fleet file, as it lies in the docs."""
    return json.dumps(fleet_schema(), indent=2) + "\n"


def fleet_result_schema_text() -> str:
    """The JSON Schema of fleet.json, as it lies in the docs."""
    return json.dumps(fleet_result_schema(), indent=2) + "\n"


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    RESULT_SCHEMA.write_text(result_schema_text(), encoding="utf-8")
    FLEET_SCHEMA.write_text(fleet_schema_text(), encoding="utf-8")
    FLEET_RESULT_SCHEMA.write_text(fleet_result_schema_text(), encoding="utf-8")
