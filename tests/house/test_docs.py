"""README and reference pages: short where it should be, true where it can be compared."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fixtures import options, prove
from restore_drill.config.commands import COMMANDS
from restore_drill.config.options import OPTIONS
from tests.helpers.drills import ROOT
from tests.helpers.options_table import PAGE, in_page, rewritten, table

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"(?<!`)\[[^]\n]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Anchors that GitHub gives the headings of `page`."""
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[tuple[Path, str]]:
    """File and anchor of each link of `page` into the repository."""
    found = LINK.findall(page.read_text(encoding="utf-8"))
    parts = [link.partition("#") for link in found if "://" not in link]
    return [((page.parent / path).resolve() if path else page, to) for path, _, to in parts]


def test_readme_is_short() -> None:
    """What a newcomer needs; the rest is looked up."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Each names a file of the repository, and a heading that this file has."""
    for path, anchor in links(page):
        assert path.exists(), f"{page.name} links to {path}"
        assert not anchor or anchor in anchors(path), f"{page.name} links to {path.name}#{anchor}"


def test_every_page_is_in_the_index() -> None:
    """No page can be found by listing the folder alone."""
    indexes = set(DOCS.rglob("README.md"))
    indexed = {path for index in indexes for path, _ in links(index)}

    assert set(DOCS.rglob("*.md")) - {DOCS / "README.md"} <= indexed


def test_table_of_options_is_the_parsers() -> None:
    """The page has what `make docs` writes: just the options that pytest is given."""
    text = PAGE.read_text(encoding="utf-8")
    parser = pytest.Parser(_ispytest=True)
    options.pytest_addoption(parser)
    prove.pytest_addoption(parser)
    taken = {name for each in parser.getgroup("drill").options for name in each.names()}

    assert in_page(text) == table(), "the options have changed: make docs"
    assert rewritten(text) == text
    hidden = {"--prove", *(old for each in OPTIONS.values() for old in each.flags[1:])}
    assert set(re.findall(r"^\| `(--[\w-]+)", in_page(text), re.MULTILINE)) == taken - hidden
    assert hidden <= taken
    assert "--prove" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_pages_name_are_there(page: Path) -> None:
    """A command that is shown to be typed in is one that there is."""
    text = page.read_text(encoding="utf-8")
    named = re.findall(
        r"(?:^\$ [^#\n]*?|`|python -m )(?:restore-drill|drill) ([a-z]+)\b", text, re.MULTILINE
    )

    assert set(named) <= {"drill", *COMMANDS}


def test_targets_of_make_that_pages_name_are_there() -> None:
    """`make` has every target that pages name."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    there = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = re.findall(r"(?:^\$ (?:\w+=\S+ )*|`)make ([a-z]+)", text, re.MULTILINE)
        assert set(named) <= there, page.name


def pinned() -> dict[str, str]:
    """Version of each package that requirements-dev.txt pins; each has hashes."""
    text = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    found = re.findall(r"^([\w-]+)==(\S+)[^\n]*\\\n +--hash=sha256:", text, re.MULTILINE)

    assert len(found) == len(re.findall(r"(?m)^\S+==", text))
    return dict(found)


def test_pins_are_within_the_ranges_of_development() -> None:
    """requirements-dev.txt was made anew since a range has changed."""
    texts = [(ROOT / f"requirements{part}").read_text("utf-8") for part in (".txt", "-dev.in")]
    lines = [line for text in texts for line in text.splitlines() if re.match(r"\w", line)]
    found = pinned()

    assert len(lines) > 20
    for each in map(Requirement, lines):
        assert found[canonicalize_name(each.name)] in each.specifier, f"make lock: {each}"


def test_extra_for_alerts_is_what_development_tests() -> None:
    """The range of Apprise is the same in both places."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "requirements-dev.in").read_text(encoding="utf-8").splitlines()

    assert set(project["optional-dependencies"]["alerts"]) <= set(lines)


def test_hooks_use_the_versions_of_development() -> None:
    """A tool that checks a commit is the one that `make lint` and the tests run."""
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    used = dict(re.findall(r'"([\w-]+)==([\d.]+)"', hooks))

    assert used == {name: pinned()[name] for name in ("ruff", "check-jsonschema", "zizmor")}
