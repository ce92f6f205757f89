"""Damages of files, as they would come out of a backup: each is named, or known to be silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from restore_drill.facts.model import Facts
from restore_drill.facts.physical.checksum import PAGE
from restore_drill.facts.physical.facts import read_all_facts
from restore_drill.servers.launcher import choose_launcher
from tests.facts.physical.damages import GONE, at, cut, flipped, gone, head, in_row, put, zeroed
from tests.helpers.physical import majors
from tests.helpers.recovered import recovered
from tests.helpers.shapes_of_files import Files, files_of
from tests.helpers.shop import quiet


class Damage(NamedTuple):
    """What is done to a relation's file (`fork` of it), and what is said of it.

    `said` is what is found without checksums, None where nothing can see it; with them `block` is
    that whose checksum is wrong, None where checksums do not tell it.
    """

    relation: str
    do: Callable[[bytearray], None]
    said: str | None
    block: int | None = None
    fork: str = ""
    title: str = ""


def index(name: str, table: str) -> str:
    """How an index is named."""
    return f"index {name} on {table}: "


DAMAGES = {
    "bit of a value that no index holds": Damage("bare", flipped(in_row(2, 9)), None, 2),
    "bit of a value in an index": Damage(
        "customers",
        flipped(in_row(3)),
        index("public.customers_pkey", "public.customers") + "heap tuple (3,1) from table",
        3,
    ),
    "xmin": Damage(
        "orders",
        put(head(4), b"\xff\xff\xff\x0f"),
        "table public.orders: block 4, row 1: xmin",
        4,
    ),
    "number of columns": Damage(
        "documents",
        put(head(0, 18), b"\xff\x07"),
        "table public.documents: block 0, row 1: number of attributes 2047 exceeds",
        0,
    ),
    "line pointer": Damage(
        "parted_2",
        put(at(2 * PAGE + 24), b"\xf8\xff\xc8\x00"),
        "table public.parted_2: block 2, row 1: line pointer",
        2,
    ),
    "length of a value": Damage(
        "gone",
        put(in_row(150, 4, 20), b"\xfc\xff\xff\x3f"),
        "table public.gone: block 150, row 20: attribute",
        150,
    ),
    "row taken for dead": Damage("parted_1", put(at(24), b"\xff\xff\xff\xff"), None, 0),
    "hint bit": Damage("seen", flipped(head(2, 21)), None, 2),
    "page of a table zeroed": Damage(
        "few_values", zeroed(3), index("public.few_values_v", "public.few_values") + "1"
    ),
    "table cut": Damage("hot", cut(5), index("public.hot_pkey", "public.hot")),
    "table emptied": Damage(
        "all_null",
        cut(0),
        index("public.all_null_v", "public.all_null") + "9,000 entries of 9,000 lead to rows",
    ),
    "table removed": Damage("back", gone, "table public.back: its file base/"),
    "index removed": Damage(
        "emptied_pkey", gone, index("public.emptied_pkey", "public.emptied") + "its file base/"
    ),
    "page of a sequence zeroed": Damage(
        "customers_id_seq", zeroed(0), "sequence public.customers_id_seq: its first page is lost"
    ),
    "index of another kind emptied": Damage(
        "wide_hash", cut(0), "index public.wide_hash on public.wide: its first page is lost"
    ),
    "table of a tablespace removed": Damage(
        "events", gone, "table public.events: its file pg_tblspc/"
    ),
    "page of an index zeroed": Damage(
        "orders_pkey",
        zeroed(5),
        index("public.orders_pkey", "public.orders") + 'index "orders_pkey" contains unexpected',
    ),
    "bit of an index": Damage(
        "customers_email_key",
        flipped(head(4, 10, 7)),
        index("public.customers_email_key", "public.customers"),
        4,
    ),
    "index cut": Damage("parted_1_pkey", cut(3), index("public.parted_1_pkey", "public.parted_1")),
    "page of TOAST zeroed": Damage(
        "TOAST table of public.wide", zeroed(1), "index of the TOAST table of public.wide: "
    ),
    "page of pg_proc zeroed": Damage(
        "billing.pg_catalog.pg_proc",
        zeroed(7),
        index("billing.pg_catalog.pg_proc_oid_index", "billing.pg_catalog.pg_proc"),
    ),
    "page of pg_attribute zeroed": Damage(
        "billing.pg_catalog.pg_attribute",
        zeroed(20),
        index(
            "billing.pg_catalog.pg_attribute_relid_attnum_index", "billing.pg_catalog.pg_attribute"
        ),
    ),
    "bit of a visibility map": Damage(
        "wide", flipped(at(24)), None, 0, "_vm", "visibility map of table public.wide"
    ),
    "bit of a free space map": Damage(
        "wide", flipped(at(5000)), None, 0, "_fsm", "free space map of table public.wide"
    ),
}


FURTHER = [(each, False) for each in majors(15, 18)[1:]]


@pytest.fixture(
    scope="module",
    params=[(15, False), *((each, True) for each in majors(18, 15)), *FURTHER],
    ids=lambda param: f"{param[0]}, checksums" if param[1] else str(param[0]),
)
def files(request: pytest.FixtureRequest) -> Iterator[Files]:
    """Files of a server that was shut down."""
    with files_of(request.param[0], checksums=request.param[1]) as found:
        found.server.stop("fast")
        yield found


@pytest.fixture(scope="module")
def problems(files: Files) -> tuple[list[str], Facts]:
    """All that is found where all damages are done at once, each to a file of its own."""

    def damage(data: Path) -> None:
        for each in DAMAGES.values():
            path = data / files.path(each.relation, each.fork).relative_to(files.data)
            content = bytearray(path.read_bytes())
            each.do(content)
            path.unlink()
            if content != GONE:
                path.write_bytes(content)
                choose_launcher().own(path)

    server = files.server
    with recovered(server.data, server.binaries, server.folder / "recovered", damage) as found:
        examined = found.examine()
        facts = read_all_facts(examined, 2, quiet)
    dangling = [each.problem for each in examined.pages.dangling]
    return [*examined.pages.problems, *dangling, *examined.storage], facts


def title_of(damage: Damage) -> str:
    """How a damaged table or map is named where its checksum is wrong."""
    if damage.title:
        return damage.title
    if damage.relation.endswith("_key"):
        return f"index public.{damage.relation} on public.customers"
    kind = "materialised view" if damage.relation == "seen" else "table"
    return f"{kind} public.{damage.relation}"


def test_each_damage_is_named(files: Files, problems: tuple[list[str], Facts]) -> None:
    """By its relation and its kind; with checksums each bit, without them what is in the way."""
    lines = problems[0]
    for name, each in DAMAGES.items():
        if each.block is not None and files.has_checksums:
            assert f"{title_of(each)}: checksum of 1 page (block {each.block}) is wrong" in lines
        elif each.said is not None:
            assert any(each.said in line for line in lines), name
        else:
            assert not [line for line in lines if line.startswith(f"{title_of(each)}: ")], name


def test_nothing_else_is_found(problems: tuple[list[str], Facts]) -> None:
    """But what stands on it: an index of a damaged table, what a damaged catalog describes."""
    names = [each.relation.split(".")[-1] for each in DAMAGES.values()]
    others = [
        line
        for line in problems[0]
        if not any(name in line for name in names) and "billing.pg_catalog." not in line
    ]

    assert others == []


def test_rows_of_damaged_tables_are_not_read(
    files: Files, problems: tuple[list[str], Facts]
) -> None:
    """They are named with the reason; nor can one be read whose index has no file."""
    facts = problems[1]
    damaged = {
        "orders",
        "documents",
        "parted_2",
        "parted",
        "gone",
        "wide",
        "back",
        "events",
        "emptied",
    }
    if files.has_checksums:
        damaged |= {"bare", "customers", "parted_1"}

    assert {name.removeprefix("public.") for name in facts.unreadable} == damaged
    assert facts.rows["billing.public.invoices"] == 300
    assert facts.rows["public.hot"] < 3000
    assert facts.rows["public.all_null"] == 0
    assert [key.is_broken for key in facts.foreign_keys] == [True]
    assert "restored" not in " ".join(facts.notes)
