"""Lines for criteria and fleet files that pages and messages show: the readers take each."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.config.criteria.file import FILE
from restore_drill.config.criteria.reader import load_criteria
from restore_drill.core.remedies import catalogue, remedy_for
from restore_drill.fleet.inventory.file import FLEET
from restore_drill.fleet.inventory.files import read_file
from tests.core.test_remedies import GIVEN, SOURCES, fields_of
from tests.helpers.drills import ROOT
from tests.house.test_docs import PAGES

BLOCK = re.compile(r"(?ms)^```toml\n(.*?)^```")
UNDER = re.compile(r"`([^`\n]+ = [^`\n]+)`\sunder\s`(\[[^`\n]+\])`")
"""How a page shows a line and its section: `role = "shop_app"` under `[application]`."""
ADD = re.compile(r"add a line under (\[[\w.]+\]) in the criteria file: (.+)")
"""How a message does."""
ONE_LINE = re.compile(r"\[[a-z.]+\] (?:[a-z_]+|\"[^\"]+\"|\{\w+\}) = ")
"""A section and its key on one line, which is no TOML."""
CRITERIA = re.compile(r'(?m)^criteria = "([^"]+)"')
"""How a fleet file names a criteria file, which must be there."""
TABLE = 'sales."2026 \\ été"'


def shown() -> Iterator[tuple[str, str]]:
    """Each snippet, behind what shows it."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.findall(text):
            yield page.name, block
        for line, section in UNDER.findall(text):
            yield page.name, f"{section}\n{line}\n"
    for criterion, causes in catalogue().items():
        for cause, steps in causes.items():
            if any(map(ADD.search, steps)):
                names = dict.fromkeys(fields_of(steps) - GIVEN, TABLE)
                for step in filter(ADD.search, remedy_for(criterion, cause, **names)):
                    section, line = ADD.findall(step)[0]
                    yield f"remedy of {criterion}", f"{section}\n{line}\n"


SNIPPETS = list(shown())


@pytest.mark.parametrize(("where", "text"), SNIPPETS, ids=[where for where, _ in SNIPPETS])
def test_a_snippet_is_taken(where: str, text: str, tmp_path: Path) -> None:
    """It is valid, and every key in it is known."""
    path = tmp_path / f"{where}.toml"
    path.write_text(text, encoding="utf-8")
    if not is_of_fleet(text):
        load_criteria(path)
        return
    for name in CRITERIA.findall(text):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    read_file(path)


def is_of_fleet(text: str) -> bool:
    """Whether a snippet is of a fleet file: by its sections, of which criteria files have none."""
    return not tomllib.loads(text).keys() - FLEET.keys.keys()


def test_snippets_are_found() -> None:
    """Pages show some in blocks and in sentences, and remedies do."""
    places = [where for where, _ in SNIPPETS]
    assert len(places) >= 10
    assert {"criteria.md", "options.md", "remedy of test_table_rows_are_plausible"} <= {*places}
    assert {where for where, text in SNIPPETS if is_of_fleet(text)} == {"fleet.md"}
    assert not FLEET.keys.keys() & FILE.keys.keys()


def test_no_section_and_key_stand_on_one_line() -> None:
    """What looks as if it could be pasted can be."""
    texts = [*PAGES, *SOURCES, ROOT / "src/restore_drill/core/remedies.toml"]
    for path in texts:
        found = ONE_LINE.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path}: {found and found[0]}"
