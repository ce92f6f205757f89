"""The forms of a dump that are restored by every way: formats and options of pg_dump."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """One form: options of pg_dump, the majors that know them, and what it can be compared with.

    `is_whole` says that the restored database is the source again; else only the ways are compared
    with each other. `into_schema` has the tables there before. `is_run_by_psql` is false for what
    would drop other databases there. `compressor` names what the file goes through. Those of a
    `usual` form go every way, on every major, and have their fingerprints compared too.
    """

    name: str
    options: tuple[str, ...] = ()
    since: int = 14
    is_whole: bool = True
    into_schema: bool = False
    is_run_by_psql: bool = True
    compressor: str = ""
    usual: bool = False

    @property
    def is_archive(self) -> bool:
        """Whether pg_restore reads it."""
        return any(option.startswith("--format=") for option in self.options)

    @property
    def has_inserts(self) -> bool:
        """Whether rows are written as INSERTs."""
        return any("insert" in option or "conflict" in option for option in self.options)


FORMS = [
    Form("plain", usual=True),
    Form("inserts", ("--inserts",), usual=True),
    Form("column-inserts", ("--column-inserts",)),
    Form("rows of 100", ("--rows-per-insert=100",), usual=True),
    Form("rows of 7, columns", ("--column-inserts", "--rows-per-insert=7")),
    Form("on conflict", ("--inserts", "--on-conflict-do-nothing"), usual=True),
    Form("on conflict, rows of 50", ("--on-conflict-do-nothing", "--rows-per-insert=50")),
    Form("custom", ("--format=custom",), usual=True),
    Form("directory", ("--format=directory",)),
    Form("tar", ("--format=tar",)),
    Form("custom, zstd", ("--format=custom", "--compress=zstd"), since=16),
    Form("directory, zstd", ("--format=directory", "--compress=zstd:3"), since=16),
    Form("directory, lz4", ("--format=directory", "--compress=lz4"), since=16),
    Form("custom, inserts", ("--format=custom", "--rows-per-insert=30")),
    Form("plain, zst", compressor="zst"),
    Form("inserts, gz", ("--inserts",), compressor="gz"),
    Form("clean", ("--clean", "--if-exists")),
    Form("create", ("--create", "--clean", "--if-exists"), is_run_by_psql=False),
    Form("by partition root", ("--load-via-partition-root",)),
    Form("by partition root, rows of 9", ("--load-via-partition-root", "--rows-per-insert=9")),
    Form("quoted", ("--quote-all-identifiers",)),
    Form("quoted, inserts", ("--quote-all-identifiers", "--rows-per-insert=3")),
    Form("latin1", ("--encoding=LATIN1",)),
    Form("latin1, rows of 20", ("--encoding=LATIN1", "--rows-per-insert=20")),
    Form("sjis", ("--encoding=SJIS",)),
    Form("sjis, inserts", ("--encoding=SJIS", "--inserts")),
    Form("big5, rows of 20", ("--encoding=BIG5", "--rows-per-insert=20")),
    Form("no owner", ("--no-owner", "--no-privileges"), is_whole=False),
    Form("session authorization", ("--use-set-session-authorization",)),
    Form("verbose", ("--verbose",)),
    Form("no dollar quotes", ("--disable-dollar-quoting", "--inserts")),
    Form("pre-data and data", ("--section=pre-data", "--section=data"), is_whole=False),
    Form("data only", ("--data-only",), is_whole=False, into_schema=True),
    Form(
        "data only, triggers off", ("--data-only", "--disable-triggers"),
        is_whole=False, into_schema=True,
    ),
    Form(
        "data only, rows of 40", ("--data-only", "--rows-per-insert=40"),
        is_whole=False, into_schema=True,
    ),
    Form("data without tables", ("--data-only", "--inserts"), is_whole=False),
]  # fmt: skip
"""In the order of how much they matter."""
