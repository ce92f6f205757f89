"""Where SQL criteria lie, and which files lie where some are looked for and are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from restore_drill.checks.files import SqlCriterion, error_in, read_folder
from restore_drill.config.criteria import Criteria
from restore_drill.core.calling import DRILL
from restore_drill.core.errors import UsageError
from restore_drill.core.units import show_count


def read_all(criteria: Criteria, drill: Path, taken: Collection[str]) -> dict[Path, SqlCriterion]:
    """SQL criteria by path; tags that are `taken` mean something else.

    Raises UsageError for an error in one of them.
    """
    folder = folder_of(criteria, drill)
    found = read_folder(folder)
    if criteria.sql_folder is not None and not found:
        what = "which holds no .sql file" if folder.is_dir() else "which is not a folder"
        raise UsageError(f"criteria file {criteria.path}, [sql]: folder names {folder}, {what}")
    for criterion in found.values():
        for tag in criterion.tags:
            if tag in taken or not tag.replace("-", "_").isidentifier():
                what = f"tag {tag!r} " + ("is already in use" if tag in taken else "is not a name")
                raise error_in(criterion.path, 0, f"{what}; choose another")
    return found


def folder_of(criteria: Criteria, drill: Path) -> Path:
    """Folder of the SQL criteria: as the criteria file says, `sql` beside it, or `drill/sql`."""
    beside = criteria.path.parent / "sql"
    return criteria.sql_folder or (beside if beside.is_dir() else drill / "sql")


def left_out(
    criteria: Criteria, drill: Path, found: Collection[Path], asked: Sequence[Path]
) -> Iterator[tuple[str, str]]:
    """Criteria that lie where some are looked for and are not among `found`, and why not.

    `asked` are the paths that the command line names.
    """
    here = criteria.path.parent
    folders = {here, here / "sql", drill / "sql"}
    queries = {each for folder in folders for each in folder.glob("*.sql")} - set(found)
    for folder, count in sorted(Counter(each.parent for each in queries).items()):
        yield (
            f"{show_count(count, 'SQL file')} in {folder}",
            f"SQL criteria are read from {folder_of(criteria, drill)}; move them there",
        )
    tests = {*here.glob("test_*.py"), *here.glob("checks/test_*.py")}
    tests = {each for each in tests if not any(map(each.resolve().is_relative_to, asked))}
    for folder, count in sorted(Counter(each.parent for each in tests).items()):
        if not folder.is_relative_to(drill):
            what = f"{show_count(count, 'test file')} in {folder}"
            yield what, f"the command line does not name it; run: {DRILL} {folder}"
