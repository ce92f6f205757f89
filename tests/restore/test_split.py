"""The quick ways make the very database, and find the very errors, that the serial way does."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.backups.arrival import Arrival
from restore_drill.backups.plaindump import copy_reader
from restore_drill.backups.plaindump.object_reader import ObjectReader
from restore_drill.backups.read import read_contents
from restore_drill.restore import crew, loader, portions, ranges, table_work, transactions
from restore_drill.restore.model import Restoration, RestoreError
from restore_drill.restore.restorers import restorer_of
from restore_drill.restore.single_transaction import restore_in_one_transaction
from restore_drill.restore.split import restore_split
from restore_drill.restore.transactions import restore_in_transactions
from restore_drill.servers.model import Target
from tests.helpers.drills import run_drill
from tests.helpers.restoring import NUMBER, backup_of, new_database
from tests.helpers.shop import FORMATS, GIVEN, USUAL, Shops, fill_shop, pg_dump, quiet
from tests.helpers.split_sources import CIRCLES, LYING, MANY, OBJECTS, ODD

BothWays = Callable[..., list[Restoration]]


EVERY, NONE = 0, 1 << 40
WAYS = {"big": (EVERY, NONE), "by ranges": (NONE, EVERY)}
"""Sizes from which a table is a big one, which takes the steps that pay for those, and from which
all connections load it together. Then only its rows may lie in another order."""

JAPANESE = Path(__file__).parent.parent / "corpus/databases/japanese.sql"
SMALL_PORTIONS = {
    (transactions, "MOST"): 7,
    (crew, "FEWEST"): 2,
    (portions, "LARGEST"): 3000,
}
"""Statements and bytes of a transaction where there are to be several."""


def content(target: Target, *options: str) -> list[bytes]:
    """Lines of a new dump of `target`, rows in the order in which they lie."""
    done = subprocess.run(
        [target.binaries.tool("pg_dump"), "--no-password", *options],
        env=target.tool_environment,
        check=True,
        capture_output=True,
    )
    lines = done.stdout.splitlines()
    return [line for line in lines if not line.startswith((b"\\restrict", b"\\unrestrict"))]


def errors_of(done: Restoration) -> list[RestoreError]:
    """Errors; which of two broken keys the server names hangs on which index was made first."""
    return [
        replace(error, message=re.sub(r"(unique_violation).*", r"\1", error.message))
        for error in done.errors
    ]


@pytest.fixture
def both_ways(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> BothWays:
    """Function that restores a dump by hand, split and at once, and asserts that all is equal.

    It gives the outcomes of the split ones, in each of WAYS.
    """

    def compare(
        major: int, path: Path, *, schema: Path | None = None, encoding: str = "UTF8"
    ) -> list[Restoration]:
        backup = backup_of(path)
        monkeypatch.setattr(copy_reader, "LEAST", 1)
        contents = read_contents(backup, path.parent, quiet)
        first, second = (new_database(shops, major, schema, encoding) for _ in range(2))
        as_runbook = restorer_of(backup).restore_as_runbook
        serial = as_runbook(first, backup, contents, 1, quiet)
        wanted = content(first)
        once = restore_in_one_transaction(second, backup, contents, quiet)
        if once is None:  # and it left nothing behind
            once = as_runbook(second, backup, contents, 1, quiet)
        assert content(second) == wanted
        for (module, name), value in SMALL_PORTIONS.items():
            monkeypatch.setattr(module, name, value)
        third = new_database(shops, major, schema, encoding)
        several = restore_in_transactions(third, backup, contents, jobs=3, progress=quiet)
        assert content(third) == wanted
        split = []
        monkeypatch.setattr(ranges, "RANGE", 300)
        for big, together in WAYS.values():
            monkeypatch.setattr(table_work, "BIG", big)
            monkeypatch.setattr(loader, "FRESH_SIZE", big)
            monkeypatch.setattr(loader, "hands_for", lambda *_, n=together: 1 if n else 3)
            target = new_database(shops, major, schema, encoding)
            # Rows are passed over where they were noted, and read again where they were not.
            known = contents if together else replace(contents, spans={})
            split.append(restore_split(target, backup, known, jobs=3, progress=quiet))
            found = content(target)
            assert found == wanted or (not together and sorted(found) == sorted(wanted))

        for quick in (once, several, *split):
            assert errors_of(quick) == errors_of(serial)
            assert backup.is_archive or sorted(quick.harmless) == sorted(serial.harmless)
        return split

    return compare


def is_parallel(split: list[Restoration]) -> bool:
    """Whether the whole dump went over several connections each time."""
    return all(done.way == "split over 3 connections" for done in split)


REPRESENTATIVES = () if GIVEN else ("plain.sql", "custom.dump")
"""Forms that go into the usual major too; all do where a row of tests.yml asks for that major."""


@pytest.mark.parametrize(
    ("major", "form"),
    [
        *((18, form) for form in (*FORMATS, "plain.sql.gz")),
        *((USUAL, form) for form in REPRESENTATIVES or FORMATS if USUAL != 18),
    ],
)
def test_shop_is_the_same(major: int, form: str, shops: Shops, both_ways: BothWays) -> None:
    """The shop's dump in every form makes the same database, and no entry stops the split."""
    assert is_parallel(both_ways(major, shops.dump(major, form)))


def test_what_was_fetched_is_split_as_well(shops: Shops, tmp_path: Path) -> None:
    """Rows of a plain dump go to the server as ranges of its file, wherever it has come from."""
    data = shops.dump(USUAL, "plain.sql").read_bytes()
    with closing(Arrival(tmp_path / "shop.sql", iter([data]), len(data))) as arrival:
        backup = backup_of(arrival.path)
        contents = read_contents(backup, tmp_path, quiet)
        target = new_database(shops, USUAL, None, "UTF8")
        done = restore_split(target, backup, contents, jobs=3, progress=quiet)
    assert is_parallel([done]) and not done.errors


def test_rows_are_read_once(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore lets the server have what the first reading has noted, and parses none of it."""
    monkeypatch.setattr(copy_reader, "LEAST", 1)
    backup = backup_of(shops.dump(USUAL, "plain.sql"))
    contents = read_contents(backup, shops.folder, quiet)
    monkeypatch.setattr(ObjectReader, "copy_end", lambda reader: pytest.fail(f"{reader.line}"))
    target = new_database(shops, USUAL, None, "UTF8")

    done = restore_split(target, backup, contents, jobs=3, progress=quiet)

    assert contents.spans and is_parallel([done]) and not done.errors
    with target.connect() as connection:
        row = connection.execute("SELECT count(*) FROM public.cards").fetchone()
    assert row == (contents.counted["public.cards"],) and row != (0,)


@pytest.mark.parametrize("form", ["plain", "custom", "directory", "tar"])
def test_small_backup_goes_in_at_once(form: str, shops: Shops) -> None:
    """The drill restores a small backup of every format in one transaction, as in 18 the shop's."""
    backup = backup_of(source_dump(shops, USUAL, "circles", f"--format={form}"))
    contents = read_contents(backup, shops.folder, quiet)

    done = restorer_of(backup).restore(
        new_database(shops, USUAL, None, "UTF8"), backup, contents, 2, quiet
    )

    assert done.way == "in one transaction"


@pytest.mark.parametrize("form", FORMATS)
def test_way_of_the_shop(form: str, shops: Shops) -> None:
    """All goes in at once, unless `--clean` drops what is not there."""
    backup = backup_of(shops.dump(18, form))
    contents = read_contents(backup, shops.folder, quiet)

    done = restorer_of(backup).restore(
        new_database(shops, 18, None, "UTF8"), backup, contents, 2, quiet
    )

    assert not done.errors
    assert done.way.startswith("statement by" if form == "clean.sql" else "in one transaction")


SOURCES = {"odd": ODD, "circles": CIRCLES, "lying": LYING, "many": MANY, "objects": OBJECTS}


def source_dump(shops: Shops, major: int, name: str, *options: str) -> Path:
    """Dump of one of SOURCES, made once."""
    path = shops.folder / str(major) / f"{name}{''.join(options)}.sql"
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        shops.source(major)
        target = shops.database(major, f"{name}_{next(NUMBER)}")
        script = SOURCES[name]
        fill_shop(target, script if major >= 15 else script.replace("NULLS NOT DISTINCT", ""))
        pg_dump(target, path, *options)
    return path


OLDER = SOURCES if GIVEN else ("odd", "objects")
"""What else the usual major restores: where no row of tests.yml asks for it, what it dumps in
another way than 18; `make corpus ARGS=ways` has databases of all kinds in both."""


@pytest.mark.parametrize(
    ("major", "form", "name"),
    sorted(
        {
            *((18, form, name) for form in ("plain", "custom") for name in SOURCES),
            *((USUAL, "plain", name) for name in OLDER),
            *((int(GIVEN or 18), "custom", name) for name in SOURCES),
        }
    ),
)
def test_hard_databases_are_the_same(
    major: int, form: str, name: str, shops: Shops, both_ways: BothWays
) -> None:
    """Databases with the features that order matters to come back the same."""
    split = both_ways(major, source_dump(shops, major, name, f"--format={form}"))

    assert not any(done.errors for done in split)
    assert is_parallel(split) or name == "odd"


@pytest.mark.parametrize(
    "options",
    [
        ("--load-via-partition-root", "--verbose"),
        ("--no-owner", "--no-privileges", "--section=pre-data", "--section=data"),
        ("--schema-only",),
        ("--clean", "--if-exists"),
        ("--use-set-session-authorization",),
        ("--quote-all-identifiers", "--disable-dollar-quoting"),
        ("--inserts",),
        ("--column-inserts", "--on-conflict-do-nothing"),
        ("--inserts", "--rows-per-insert=7", "--load-via-partition-root"),
    ],
    ids=" ".join,
)
def test_options_of_pg_dump_are_the_same(
    options: tuple[str, ...], shops: Shops, both_ways: BothWays
) -> None:
    """Whatever options pg_dump was given, the database is the same.

    Those that change other bytes of a dump come together; `make corpus ARGS=ways` has each alone.
    """
    both_ways(18, source_dump(shops, 18, "odd", *options))


@pytest.mark.parametrize("options", [(), ("--inserts",), ("--rows-per-insert=7",)], ids="".join)
def test_backslashes_of_longer_characters_are_the_same(
    options: tuple[str, ...], shops: Shops, both_ways: BothWays
) -> None:
    """In a dump in SJIS with old strings, where a text may end with the byte of a backslash."""
    target = new_database(shops, USUAL, None, "UTF8")
    fill_shop(target, JAPANESE.read_text(encoding="utf-8"))
    name = target.conninfo["dbname"]
    fill_shop(target, f"ALTER DATABASE {name} SET standard_conforming_strings = off")
    path = shops.folder / f"old_sjis_{next(NUMBER)}.sql"

    split = both_ways(USUAL, pg_dump(target, path, "--encoding=SJIS", *options))

    assert b"standard_conforming_strings = off" in path.read_bytes()
    assert not any(done.errors for done in split)


@pytest.mark.parametrize("form", ["plain", "custom"])
def test_statistics_end_no_split(form: str, shops: Shops, both_ways: BothWays) -> None:
    """Those that pg_dump 18 writes between rows and keys wait for the tables and indexes."""
    path = pg_dump(shops.source(18), shops.folder / f"stats.{form}", f"-F{form[0]}", "--statistics")
    split = both_ways(18, path)

    assert is_parallel(split) and not any(done.errors for done in split)
    entries = read_contents(backup_of(path), path.parent, quiet).entries
    assert ("STATISTICS DATA", "public", "cards") in {each[:3] for each in entries}


@pytest.mark.parametrize("options", [(), ("--disable-triggers",)], ids=["bare", "triggers off"])
def test_data_only_is_the_same(options: tuple[str, ...], shops: Shops, both_ways: BothWays) -> None:
    """Rows alone go into tables that have keys and triggers already, at their place."""
    source = shops.source(18)
    schema = pg_dump(source, shops.folder / "schema.sql", "--schema-only")
    path = pg_dump(source, shops.folder / "data.sql", "--data-only", *options)

    both_ways(18, path, schema=schema)


def test_rows_without_tables_are_the_same(shops: Shops, both_ways: BothWays) -> None:
    """Rows alone into an empty database give the same errors."""
    path = pg_dump(shops.source(18), shops.folder / "rows_alone.sql", "--data-only")

    assert all(len(done.errors) > 5 for done in both_ways(18, path))


def test_other_encoding_is_the_same(shops: Shops, both_ways: BothWays) -> None:
    """Names and rows of a LATIN1 database come back in it."""
    shops.source(USUAL)
    source = shops.servers[USUAL].create_database(f"latin_{next(NUMBER)}", encoding="LATIN1")
    with source.connect(client_encoding="UTF8") as connection:
        connection.execute('CREATE TABLE "größe" (id int PRIMARY KEY, "maß" text)')
        connection.execute("INSERT INTO \"größe\" SELECT n, 'ä' || n FROM generate_series(1, 9) n")
    path = pg_dump(source, shops.folder / "latin.sql")
    assert "größe".encode("latin1") in path.read_bytes()

    assert is_parallel(both_ways(USUAL, path, encoding="LATIN1"))


def test_line_ends_of_windows_are_the_same(
    shops: Shops, both_ways: BothWays, tmp_path: Path
) -> None:
    """A dump with CRLF line ends, rows too, is read as the serial way reads it.

    Its large objects are not read in runs, and go over one connection.
    """
    path = tmp_path / "crlf.sql"
    path.write_bytes(shops.dump(18, "plain.sql").read_bytes().replace(b"\n", b"\r\n"))

    ways = [done.way for done in both_ways(18, path)]
    assert all(re.match(r"split over 3 connections up to line \d{3}, then", way) for way in ways)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "lost column": lambda dump: re.sub(rb"\n7\tCard[^\n]*\t[^\n]*", b"\n7\tgone", dump),
    "orphan": lambda dump: re.sub(rb"\n3\tartist 3\t[^\n]*", b"", dump),
    "double key": lambda dump: re.sub(rb"(\n7\tCard[^\n]*)", rb"\1\1", dump),
    "no SQL": lambda dump: dump.replace(b"CREATE INDEX cards_title", b"CREATE INDEXX cards_title"),
    "lost table": lambda dump: re.sub(
        rb"CREATE TABLE public\.cards .*?\);\n", b"", dump, flags=re.DOTALL
    ),
    "cut in rows": lambda dump: dump[: dump.index(b"COPY public.cards") + 3000],
    "cut behind rows": lambda dump: dump[: dump.rindex(b"\n\\.\n") + 4],
    "twice": lambda dump: dump + dump,
    "key twice": lambda dump: re.sub(rb"(\nALTER TABLE[^;]*cards_pkey[^;]*;)", rb"\1\1", dump),
    "refused": lambda dump: dump.replace(b"1.50", b"-1.5"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_gives_the_same_errors(
    damage: str, shops: Shops, both_ways: BothWays, tmp_path: Path
) -> None:
    """A damaged dump meets the same errors, with lines, and leaves the same database."""
    path = tmp_path / "damaged.sql"
    whole = shops.dump(18, "plain.sql").read_bytes()
    path.write_bytes(DAMAGES[damage](whole))
    assert path.read_bytes() != whole

    split = both_ways(18, path)

    assert all(done.errors for done in split) or damage.startswith("cut")


STRANGERS: dict[str, bytes] = {
    "block": b"DO $$ BEGIN PERFORM 1; END $$;",
    "role": b"SET ROLE shop_owner;",
    "user": b"SET SESSION AUTHORIZATION shop_owner;",
    "replica": b"SET session_replication_role = replica;",
    "transaction": b"BEGIN;",
    "rows": b"UPDATE public.cards SET title = title || '!';",
    "function": b"SELECT public.twice(2);",
    "other database": b"\\connect postgres",
}


KEY, DATA = b"\n-- Name: cards cards_pkey", b"\n-- Data for Name: cards;"


@pytest.mark.parametrize(
    ("stranger", "place"),
    [*((each, DATA) for each in STRANGERS), ("block", KEY), ("role", KEY), ("rows", KEY)],
)
def test_what_is_not_understood_runs_at_its_place(
    stranger: str, place: bytes, shops: Shops, both_ways: BothWays, tmp_path: Path
) -> None:
    """What pg_dump does not write there ends the split, is reported, and all is still the same."""
    dump = shops.dump(18, "plain.sql").read_bytes()
    at = dump.index(place) - len(b"\n--\n")
    path = tmp_path / "edited.sql"
    path.write_bytes(dump[:at] + b"\n" + STRANGERS[stranger] + b"\n" + dump[at:])

    assert all("then over one" in done.way for done in both_ways(18, path))


def test_handwritten_dump_is_the_same(shops: Shops, both_ways: BothWays, tmp_path: Path) -> None:
    """A dump without pg_dump's comments runs statement by statement."""
    path = tmp_path / "by_hand.sql"
    dump = shops.dump(18, "plain.sql").read_bytes()
    path.write_bytes(re.sub(rb"(?m)^--.*\n", b"", dump))

    assert all("then over one" in done.way for done in both_ways(18, path))


def test_drill_says_how_it_restored(shops: Shops, tmp_path: Path) -> None:
    """A big dump is split; with --production-settings it goes over one connection."""
    shops.source(18)
    source = shops.database(18, f"large_{next(NUMBER)}")
    fill_shop(
        source, "CREATE TABLE t AS SELECT n, repeat('x', 9000) FROM generate_series(1, 999) n"
    )
    path = pg_dump(source, tmp_path / "large.sql")

    split = run_drill(f"--backup={path}", report_dir=tmp_path / "split", DRILL_JOBS="2")
    default = run_drill(
        f"--backup={path}", "--production-settings", report_dir=tmp_path / "default"
    )

    assert "split over 2 connections" in split.output
    assert "statement by statement, over one connection" in default.output
    assert any("default settings" in note for note in default.result["notes"])
