"""Damages of files that came with the source's own files: no manifest knows of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.physical.manifests import MANIFEST
from restore_drill.facts.physical.checksum import PAGE
from tests.corpus.physical.model import (
    ENTRIES,
    OPENED,
    PAGES,
    RECOVERY,
    SILENT,
    STORAGE,
    TOLD,
    WHOLE,
    Damage,
    Do,
)
from tests.corpus.physical.page_edits import Edit, last_zeroed, longer, swapped, within
from tests.corpus.physical.sources import Made
from tests.facts.physical.damages import GONE, at, cut, flipped, gone, head, in_row, put, zeroed

KIND = "pg_basebackup -Fp"
UNSEEN = "without checksums nothing holds this value twice"
HARMLESS = "no row is another one: the server reads the same"
NO_INDEX = "the page has a right checksum, and no index knows its rows"


class InFile(NamedTuple):
    """What is done to a relation's file, what must be red without checksums, and with them.

    Where both are None the damage is not noticeable, which `why` explains.
    """

    what: str
    relation: str
    edit: Edit
    off: str
    on: str
    why: str = ""
    fork: str = ""
    since: int = 15
    until: int = 99
    words: str = ""


OnFile = Callable[[Made, Path, Path], None]
"""Does something to a file of a copy."""


def from_file(relation: str, page: int | None, *, early: bool) -> OnFile:
    """Replace a page, or all, of a file by that of another relation, or by its own earlier one."""

    def do(made: Made, copy: Path, path: Path) -> None:
        other = (made.early if early else copy) / made.paths[relation]
        data = bytearray(other.read_bytes())
        if page is None:
            path.write_bytes(data)
            return
        place = slice(page * PAGE, (page + 1) * PAGE)
        content = bytearray(path.read_bytes())
        assert content[place] != data[place] and any(data[place])
        content[place] = data[place]
        path.write_bytes(content)

    return do


IN_FILES = (
    InFile("bit of a value that no index holds", "bare", flipped(in_row(2, 9)), SILENT, PAGES,
           UNSEEN),
    InFile("bit of a value in an index", "customers", flipped(in_row(3)), STORAGE, PAGES),
    InFile("bit of a value in an index, bit 7", "pairs", flipped(in_row(2), 7), STORAGE, PAGES),
    InFile("bit of a foreign key", "orders", flipped(in_row(4, 8)), STORAGE, PAGES),
    InFile("bit of an amount", "orders", flipped(in_row(4, 15)), SILENT, PAGES, UNSEEN),
    InFile("xmin of the future", "orders", put(head(4), b"\xff\xff\xff\x0f"), STORAGE, PAGES),
    InFile("xmax of the future", "orders", put(head(4, 4), b"\xff\xff\xff\x0f"), SILENT, PAGES,
           "the row says that it has no xmax (HEAP_XMAX_INVALID): it is not read"),
    InFile("number of columns", "documents", put(head(0, 18), b"\xff\x07"), STORAGE, PAGES),
    InFile("one column more", "orders", put(head(4, 18), b"\x05"), STORAGE, PAGES),
    InFile("line pointer behind the page", "kept", put(at(2 * PAGE + 24), b"\xf8\xff\xc8\x00"),
           STORAGE, PAGES),
    InFile("line pointer unused", "kept", put(at(2 * PAGE + 24), bytes(4)), ENTRIES, PAGES),
    InFile("line pointer of a row taken for dead", "bare", put(at(24), b"\xff\xff\xff\xff"),
           SILENT, PAGES, "a dead row is healthy, and no index knows of it"),
    InFile("length of a value", "bare", put(in_row(2, 4, 20), b"\xfc\xff\xff\x3f"), STORAGE,
           PAGES),
    InFile("offset of a row's values", "kept", put(head(2, 22), b"\xf0"), STORAGE, PAGES),
    InFile("hint bit", "orders", flipped(head(2, 21)), SILENT, PAGES, HARMLESS),
    InFile("pd_upper", "orders", flipped(at(3 * PAGE + 14), 3), SILENT, PAGES, HARMLESS),
    InFile("pd_lower of 0", "orders", put(at(3 * PAGE + 12), bytes(2)), ENTRIES, PAGES),
    InFile("header of a page", "kept", put(at(2 * PAGE + 10), b"\xff\xff"), PAGES, PAGES),
    InFile("LSN of a page", "kept", flipped(at(2 * PAGE + 4)), SILENT, PAGES, HARMLESS),
    InFile("checksum field alone", "kept", flipped(at(2 * PAGE + 8)), SILENT, PAGES, HARMLESS),
    InFile("page of random bytes", "kept", put(at(3 * PAGE), b"\xa5\x5a\x01" * 2730), PAGES, PAGES),
    InFile("half a page of zeros", "kept", put(at(3 * PAGE + 4096), bytes(4096)), STORAGE, PAGES),
    InFile("page zeroed", "customers", zeroed(3), ENTRIES, ENTRIES),
    InFile("last page zeroed", "customers", last_zeroed,
           ENTRIES, ENTRIES),
    InFile("page of few values zeroed", "pairs", zeroed(3), ENTRIES, ENTRIES),
    InFile("page zeroed that VACUUM has seen", "plain", zeroed(2), PAGES, PAGES),
    InFile("page zeroed, no index, no VACUUM", "bare", zeroed(3), TOLD, TOLD,
           "a crash while a table grows leaves such pages", words="bare"),
    InFile("cut at a page", "kept", cut(5), ENTRIES, ENTRIES),
    InFile("cut at a page, no index, vacuumed", "plain", cut(5), PAGES, PAGES),
    InFile("cut at a page, no index, no VACUUM", "bare", cut(5), SILENT, SILENT,
           "the server knows the length of a file by the file alone"),
    InFile("cut within a page", "kept", within(5, 4000), PAGES, PAGES),
    InFile("emptied", "kept", cut(0), ENTRIES, ENTRIES),
    InFile("emptied, no index, vacuumed", "plain", cut(0), PAGES, PAGES),
    InFile("removed", "kept", gone, PAGES, PAGES),
    InFile("removed, no index", "bare", gone, PAGES, PAGES),
    InFile("two pages swapped, indexed", "customers", swapped(2, 3), STORAGE, PAGES),
    InFile("two pages swapped, no index", "bare", swapped(2, 3), SILENT, PAGES,
           "a table has no order: the rows are the same"),
    InFile("pages of zeros behind the end", "kept", longer(bytes(3 * PAGE)), SILENT, SILENT,
           "so it looks after a crash while a table grows: nothing is lost"),
    InFile("index page zeroed", "orders_pkey", zeroed(5), STORAGE, STORAGE),
    InFile("index: last page zeroed", "orders_pkey",
           last_zeroed, STORAGE, STORAGE),
    InFile("index: meta page zeroed", "orders_pkey", zeroed(0), STORAGE, STORAGE),
    InFile("bit of a key in an index", "customers_email_key", flipped(head(4, 12, 7)), STORAGE,
           PAGES),
    InFile("bit of a row's place in an index", "orders_pkey", flipped(head(4, 4, 7), 6), STORAGE,
           PAGES),
    InFile("index cut at a page", "orders_pkey", cut(9), STORAGE, STORAGE),
    InFile("index emptied", "orders_pkey", cut(0), STORAGE, STORAGE),
    InFile("index removed", "orders_pkey", gone, PAGES, PAGES),
    InFile("index: two pages swapped", "orders_pkey", swapped(5, 6), STORAGE, PAGES),
    InFile("index of few values: page zeroed", "pairs_a", zeroed(2), STORAGE, STORAGE),
    InFile("TOAST page zeroed", "TOAST of wide", zeroed(1), ENTRIES, ENTRIES),
    InFile("TOAST cut", "TOAST of wide", cut(3), ENTRIES, ENTRIES),
    InFile("TOAST removed", "TOAST of wide", gone, PAGES, PAGES),
    InFile("TOAST: bit of a value", "TOAST of wide", flipped(in_row(1, 100)), SILENT, PAGES,
           UNSEEN),
    InFile("TOAST: number of a piece", "TOAST of wide", put(in_row(1, 4), b"\x63"), STORAGE, PAGES),
    InFile("TOAST index page zeroed", "TOAST index of wide", zeroed(1), STORAGE, STORAGE),
    InFile("materialised view: page zeroed", "sums", zeroed(3), ENTRIES, ENTRIES),
    InFile("large objects: page zeroed", "pg_largeobject", zeroed(1), ENTRIES, ENTRIES),
    InFile("GIN page zeroed", "tags_gin", zeroed(4), STORAGE, STORAGE, since=18),
    InFile("GIN page zeroed", "tags_gin", zeroed(4), SILENT, SILENT,
           "amcheck of this version does not read GIN, which is told", until=17),
    InFile("GIN: first page zeroed", "tags_gin", zeroed(0), PAGES, PAGES),
    InFile("GIN emptied", "tags_gin", cut(0), PAGES, PAGES),
    InFile("hash index: first page zeroed", "tags_hash", zeroed(0), PAGES, PAGES),
    InFile("hash index emptied", "tags_hash", cut(0), PAGES, PAGES),
    InFile("hash index page zeroed", "tags_hash", zeroed(3), SILENT, SILENT,
           "amcheck does not read hash indexes, which is told"),
    InFile("sequence page zeroed", "customers_id_seq", zeroed(0), PAGES, PAGES),
    InFile("sequence emptied", "customers_id_seq", cut(0), PAGES, PAGES),
    InFile("sequence removed", "customers_id_seq", gone, PAGES, PAGES),
    InFile("catalog: pg_proc page zeroed", "pg_proc", zeroed(7), ENTRIES, ENTRIES),
    InFile("catalog: pg_attribute page zeroed", "pg_attribute", zeroed(20), ENTRIES, ENTRIES),
    InFile("catalog: pg_attribute of another database", "billing.pg_attribute", zeroed(20),
           ENTRIES, ENTRIES),
    InFile("catalog: pg_class page zeroed", "billing.pg_class", zeroed(5), OPENED, OPENED),
    InFile("catalog: pg_depend page zeroed", "pg_depend", zeroed(3), ENTRIES, ENTRIES),
    InFile("catalog: pg_type page zeroed", "pg_type", zeroed(3), OPENED, OPENED),
    InFile("catalog: index page zeroed", "pg_attribute_relid_attnum_index", zeroed(5), OPENED,
           OPENED),
    InFile("catalog: pg_proc removed", "pg_proc", gone, OPENED, OPENED),
    InFile("catalog: pg_class removed", "billing.pg_class", gone, OPENED, OPENED),
    InFile("catalog: pg_authid page zeroed", "pg_authid", zeroed(0), ENTRIES, ENTRIES),
    InFile("catalog: pg_database page zeroed", "pg_database", zeroed(0), RECOVERY, RECOVERY),
    InFile("catalog: bit in pg_proc", "pg_proc", flipped(in_row(7, 90)), SILENT, PAGES, UNSEEN),
    InFile("visibility map: bit", "kept", flipped(at(5000)), PAGES, PAGES, fork="_vm"),
    InFile("free space map: bit", "kept", flipped(at(5000)), SILENT, PAGES, HARMLESS, "_fsm"),
    InFile("free space map removed", "kept", gone, SILENT, SILENT, HARMLESS, "_fsm"),
    InFile("visibility map removed", "kept", gone, SILENT, SILENT, HARMLESS, "_vm"),
    InFile("table in a tablespace removed", "events", gone, PAGES, PAGES),
    InFile("table in a tablespace: page zeroed", "events", zeroed(1), ENTRIES, ENTRIES),
    InFile("unlogged table: its init file gone", "cache", gone, PAGES, PAGES, "", "_init"),
)  # fmt: skip
OF_OTHERS = (
    ("page of another table", "customers", from_file("orders", 3, early=False), STORAGE, STORAGE),
    ("file of another table", "customers", from_file("orders", None, early=False), STORAGE,
     STORAGE),
    ("index of another table", "kept_n", from_file("pairs_a", None, early=False), STORAGE, STORAGE),
    ("older page, indexed", "younger", from_file("younger", 4, early=True), ENTRIES, ENTRIES),
    ("older file, indexed", "younger", from_file("younger", None, early=True), ENTRIES, ENTRIES),
    ("older index", "younger_pkey", from_file("younger_pkey", None, early=True), STORAGE, STORAGE),
    ("older page, no index", "plain", from_file("plain", 0, early=True), SILENT, SILENT),
)  # fmt: skip
"""Pages and files that are sound by themselves, and do not belong where they lie."""


def in_files(made: Made) -> Iterator[Damage]:
    """Damages of relations of a source."""
    for each in IN_FILES:
        if each.since <= made.major <= each.until:
            must = each.on if made.checksums else each.off
            why = each.why if must in (SILENT, TOLD) else ""
            yield Damage(each.what, KIND, edited(each), must, why, each.words)
    for what, relation, do, off, on in OF_OTHERS:
        must = on if made.checksums else off
        why = NO_INDEX if must == SILENT else ""
        yield Damage(what, KIND, replaced(relation, do), must, why)
    for what, path, act, must, why in OF_THE_SERVER:
        yield Damage(what, KIND, on_path(path, act), must, why)


def edited(each: InFile) -> Do:
    """Edit the file of a relation."""

    def do(made: Made, copy: Path) -> None:
        (copy / MANIFEST).unlink()
        path = copy / f"{made.paths[each.relation]}{each.fork}"
        content = bytearray(path.read_bytes())
        before = bytes(content)
        each.edit(content)
        assert bytes(content) != before
        if content == GONE:
            path.unlink()
        else:
            path.write_bytes(content)

    return do


def replaced(relation: str, act: OnFile) -> Do:
    """Replace what is in the file of a relation."""

    def do(made: Made, copy: Path) -> None:
        (copy / MANIFEST).unlink()
        act(made, copy, copy / made.paths[relation])

    return do


def on_path(pattern: str, act: Callable[[Path], object]) -> Do:
    """Do something to the file that `pattern` names below the data directory."""

    def do(made: Made, copy: Path) -> None:
        (copy / MANIFEST).unlink()
        shop = made.paths["customers"].rpartition("/")[0]
        (path,) = copy.glob(pattern.format(shop=shop))
        act(path)

    return do


def zeros(path: Path) -> None:
    """Only zeros, as many."""
    path.write_bytes(bytes(path.stat().st_size))


def bit(place: int) -> Callable[[Path], object]:
    """A bit flipped at a place of a file."""

    def act(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[place] ^= 1
        path.write_bytes(content)

    return act


OF_THE_SERVER: tuple[tuple[str, str, Callable[[Path], object], str, str], ...] = (
    ("pg_control: bit in its settings", "global/pg_control", bit(200), RECOVERY, ""),
    ("pg_control: bit of the system identifier", "global/pg_control", bit(2), RECOVERY, ""),
    ("pg_control emptied", "global/pg_control", lambda path: path.write_bytes(b""), WHOLE, ""),
    ("pg_control gone", "global/pg_control", Path.unlink, WHOLE, ""),
    ("pg_filenode.map: bit", "{shop}/pg_filenode.map", bit(20), OPENED, ""),
    ("pg_filenode.map gone", "{shop}/pg_filenode.map", Path.unlink, OPENED, ""),
    ("shared pg_filenode.map gone", "global/pg_filenode.map", Path.unlink, RECOVERY, ""),
    ("PG_VERSION of a database gone", "{shop}/PG_VERSION", Path.unlink, OPENED, ""),
    ("PG_VERSION gone", "PG_VERSION", Path.unlink, WHOLE, ""),
    ("folder of a database gone", "{shop}", shutil.rmtree, OPENED, ""),
    ("pg_xact zeroed", "pg_xact/0000", zeros, STORAGE, ""),
    ("pg_xact gone", "pg_xact/0000", Path.unlink, RECOVERY, ""),
    ("pg_multixact gone", "pg_multixact/offsets/0000", Path.unlink, RECOVERY, ""),
    ("postgresql.conf gone", "postgresql.conf", Path.unlink, SILENT,
     "the drill uses settings of its own; only a manifest knows of the file"),
    ("pg_hba.conf gone", "pg_hba.conf", Path.unlink, SILENT, "as postgresql.conf"),
    ("tablespace gone", "pg_tblspc/*", lambda link: shutil.rmtree(link.resolve()), WHOLE, ""),
    ("link of a tablespace gone", "pg_tblspc/*", Path.unlink, PAGES, ""),
)  # fmt: skip
