"""Healthy databases with the hard features of PostgreSQL: each must stay green in every format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "databases"
EXPECTED_RED = "-- red by its nature: "
ENCODING = "-- encoding: "
NEEDS = "-- needs: "


@dataclass(frozen=True)
class Healthy:
    """A source database: `what` it has, the `script` that makes it.

    `red` names the criteria that are rightly red, since the database is as odd as that;
    `encoding` is that of the database; `needs` are extensions beyond PostgreSQL's own, as in
    `Binaries.lacks`: where a machine has them not, the database is left out and that is reported.
    """

    name: str
    what: str
    script: str
    red: frozenset[str] = frozenset()
    encoding: str = "UTF8"
    needs: frozenset[str] = frozenset()


def read_healthy(path: Path) -> Healthy:
    """The database of one script; its first lines say what it has."""
    script = path.read_text(encoding="utf-8")
    first, second = script.splitlines()[:2]
    red = second.removeprefix(EXPECTED_RED) if second.startswith(EXPECTED_RED) else ""
    names = frozenset(red.replace(" ", "").split(",")) - {""}
    encoding = second.removeprefix(ENCODING) if second.startswith(ENCODING) else "UTF8"
    extensions = second.removeprefix(NEEDS) if second.startswith(NEEDS) else ""
    needs = frozenset(f"extension:{name}" for name in extensions.split())
    return Healthy(path.stem, first.removeprefix("-- "), script, names, encoding, needs)


HEALTHY = {path.stem: read_healthy(path) for path in sorted(FOLDER.glob("*.sql"))}
