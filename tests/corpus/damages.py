"""The cases: source database x format x damage x position, each with the criteria that catch it.

Damages that can be done to any backup are the engine's; those here need to know what lies in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from restore_drill.damages.catalogue import DATABASE_DAMAGES
from restore_drill.damages.files import EMPTY, FLIPPED, STALE, TRUNCATED, cut_at, empty, flip
from restore_drill.damages.model import (
    COMPLETE,
    MANIFEST,
    OBJECTS,
    SEQUENCES,
    DatabaseDamage,
)
from tests.corpus import edits
from tests.corpus.archives import (
    Do,
    edited,
    from_later_run,
    member,
    renamed,
    with_later_behind,
    with_toc_of_later_run,
)

ERRORS = frozenset({"test_restore_has_no_errors"})
FILES = ("plain.sql", "inserts.sql", "rows.sql", "custom.dump", "archive.tar", "plain.sql.gz",
         "plain.sql.zst", "plain.sql.lz4", "plain.sql.xz", "plain.sql.bz2")  # fmt: skip
SHARES = (0.13, 0.31, 0.52, 0.74, 0.91)


@dataclass(frozen=True)
class Case:
    """One damage to one backup.

    At least one of the criteria `caught_by` must be red; where there is none, only a manifest is
    sure to show it. `options` are pg_dump's, for what a dump leaves out.
    """

    source: str
    form: str
    kind: str
    name: str
    do: Do
    caught_by: frozenset[str] = MANIFEST
    options: tuple[str, ...] = ()

    @property
    def needs_manifest(self) -> bool:
        """Whether nothing but a manifest is sure to show it."""
        return not self.caught_by

    @property
    def id(self) -> str:
        """Name of the case."""
        words = (self.source, self.form, self.kind, self.name)
        return "-".join(word.replace(" ", "_") for word in words)


@dataclass(frozen=True)
class CopyCase:
    """One damage to a copy of the restored database of `source`."""

    source: str
    damage: DatabaseDamage

    @property
    def id(self) -> str:
        """Name of the case."""
        return f"{self.source}-{self.damage.name}"


def cuts() -> Iterator[Case]:
    """The file ends early: anywhere, just before its end, between two things."""
    for source in ("shop", "circular"):
        for form in FILES:
            for share in SHARES:
                do = edited(cut_at(share))
                yield Case(source, form, "cut anywhere", f"{share:.0%}", do, TRUNCATED.caught_by)
    for form in FILES:
        for count in (1, 10, 100):
            # The last 75 bytes of a plain dump only end its \restrict, a tar ends in zero bytes.
            slack = form.endswith((".sql", ".tar")) and not (form.endswith(".sql") and count == 100)
            do = edited(edits.cut_last(count))
            named = MANIFEST if slack else COMPLETE
            yield Case("shop", form, "cut of the last bytes", str(count), do, named)
    for what, pattern, form in (
        ("behind a COPY", rb"^\\\.\n", "plain.sql"),
        ("behind a row", rb"^\d+\t.*\n", "plain.sql"),
        ("behind a statement", rb";\n", "plain.sql"),
        ("behind an INSERT", rb"^INSERT .*;\n", "inserts.sql"),
        ("behind a heading", rb"^-- Name: .*\n--\n", "plain.sql"),
    ):
        for share in (0.0, 0.3, 0.6, 1.0):
            do = edited(edits.cut_behind(pattern, share))
            yield Case("shop", form, "cut at a boundary", f"{what} {share:.0%}", do, COMPLETE)
    for source in ("shop", "partitions"):
        do = edited(edits.without_marker)
        yield Case(source, "plain.sql", "end marker removed", "all", do, COMPLETE)


def bytes_changed() -> Iterator[Case]:
    """Bytes are others than they were."""
    for form in FILES:
        # Of these every byte of the data is under a checksum; the others have none, or in parts.
        checked = form.endswith((".gz", ".xz", ".bz2"))
        for share in SHARES:
            named = COMPLETE if checked else FLIPPED.caught_by
            yield Case("shop", form, "flipped bit", f"{share:.0%}", edited(flip(share)), named)
            block = edited(edits.zero(share))
            yield Case("shop", form, "zeroed block", f"{share:.0%}", block, named)
    for source in ("shop", "circular"):
        for share in (0.2, 0.4, 0.6, 0.8):
            for kind, edit in (
                ("lost line", edits.on_line(share, lambda _line: b"")),
                ("doubled line", edits.on_line(share, lambda line: line * 2)),
                ("swapped blocks", edits.swap_blocks(share)),
            ):
                yield Case(source, "plain.sql", kind, f"{share:.0%}", edited(edit))


def rows_changed() -> Iterator[Case]:
    """Rows are missing, or there are more."""
    for form in ("plain.sql", "inserts.sql"):
        for kind, table, name, change, named in (
            ("rows lost", rb"public\.cards", "one", lambda rows: rows[1:], MANIFEST),
            ("rows lost", rb"public\.cards", "half", lambda rows: rows[::2], MANIFEST),
            ("rows lost", rb"public\.cards", "all but one", lambda rows: rows[:1], MANIFEST),
            ("rows lost", rb"public\.events_rest", "all", lambda _: [], MANIFEST),
            ("referenced rows lost", rb"public\.artists", "one", lambda rows: rows[1:], ERRORS),
            ("referenced rows lost", rb"public\.purchases", "all", lambda _: [], ERRORS),
            ("rows doubled", rb"public\.cards", "one", lambda rows: [*rows, rows[0]], ERRORS),
            ("rows doubled", rb"public\.artists", "all", lambda rows: rows * 2, ERRORS),
            ("rows doubled", rb"billing\.lines", "without a key", lambda rows: rows * 2, MANIFEST),
        ):
            edit = edits.rows_of(table, change)
            where = f"{name} of {table.decode()}".replace("\\", "")
            yield Case("shop", form, kind, where, edited(edit), named)
    for source, name, encoding in (
        ("shop", "public.cards", "utf-8"), ("shop", "public.artists", "utf-8"),
        ("shop", "public.events_2026", "utf-8"), ("shop", "public.empty_table", "utf-8"),
        ("latin1", 'public."größe"', "latin-1"), ("latin1", 'public."leer_ä"', "latin-1"),
    ):  # fmt: skip
        do = edited(edits.without_copy(re.escape(name).encode(encoding)))
        yield Case(source, "plain.sql", "COPY block removed", name, do, COMPLETE)


def statements_lost() -> Iterator[Case]:
    """Statements are missing, with their headings and without."""
    for kind, named in (
        ("TABLE", ERRORS), ("TYPE", ERRORS), ("DOMAIN", ERRORS), ("SEQUENCE", ERRORS),
        ("SCHEMA", ERRORS), ("FUNCTION", OBJECTS), ("VIEW", OBJECTS), ("INDEX", OBJECTS),
        ("MATERIALIZED VIEW", ERRORS), ("CONSTRAINT", OBJECTS), ("FK CONSTRAINT", OBJECTS),
        ("TRIGGER", OBJECTS), ("RULE", OBJECTS), ("POLICY", OBJECTS), ("COMMENT", OBJECTS),
        ("ACL", OBJECTS), ("DEFAULT", OBJECTS), ("ROW SECURITY", OBJECTS),
        ("TABLE ATTACH", OBJECTS | {"test_partitions_are_attached"}),
        ("SEQUENCE SET", SEQUENCES),
        ("MATERIALIZED VIEW DATA", frozenset({"test_materialised_views_are_populated"})),
        ("BLOB", ERRORS), ("BLOBS", MANIFEST),
    ):  # fmt: skip
        do = edited(edits.without_statement(kind.encode()))
        yield Case("shop", "plain.sql", "statement removed", kind, do, named)
        if named in (OBJECTS, ERRORS):
            both = edited(edits.without_statement(kind.encode(), heading=False))
            found = MANIFEST if named is OBJECTS or kind in ("TABLE", "FUNCTION") else named
            yield Case("shop", "plain.sql", "entry removed", kind, both, found)


def members() -> Iterator[Case]:
    """Files of an archive are missing, empty, cut, or another run's."""
    for form in ("directory", "archive.tar"):
        for name in ("*", "toc.dat", "blobs.toc"):
            kinds = (("member missing", None), ("member emptied", empty),
                     ("member cut", cut_at(0.5)))  # fmt: skip
            for kind, edit in kinds:
                # pg_restore finds the large objects of a tar without their table.
                needless = (form, name) == ("archive.tar", "blobs.toc") and kind != "member emptied"
                named = MANIFEST if needless else COMPLETE | ERRORS
                yield Case("shop", form, kind, name, member(name, edit), named)
    for share in SHARES:
        yield Case(
            "shop", "directory", "flipped bit", f"{share:.0%}", edited(flip(share)), COMPLETE
        )
    yield Case("shop", "directory", "another run's member", "rows", from_later_run)
    yield Case("shop", "directory", "another run's member", "toc.dat", with_toc_of_later_run)


def transfers() -> Iterator[Case]:
    """What transfers, editors and wrong redirects make of a file."""
    for form in ("plain.sql", "inserts.sql"):
        for kind, edit, named in (
            ("CRLF", edits.to_crlf, MANIFEST), ("UTF-16", edits.to_utf16, COMPLETE),
            ("byte order mark", lambda data: b"\xef\xbb\xbf" + data, MANIFEST),
            ("HTML page", lambda _: edits.HTML, COMPLETE),
            ("stderr in front", lambda data: edits.STDERR + data, COMPLETE),
            ("stderr behind", lambda data: data + edits.STDERR, COMPLETE),
            ("empty file", empty, EMPTY.caught_by),
        ):  # fmt: skip
            yield Case("shop", form, kind, "all", edited(edit), named)
    yield Case("names", "plain.sql", "wrong encoding", "all", edited(edits.to_latin1), ERRORS)
    for form in ("custom.dump", "plain.sql.gz"):
        yield Case("shop", form, "CRLF", "all", edited(edits.to_crlf), COMPLETE)
        yield Case("shop", form, "HTML page", "all", edited(lambda _: edits.HTML), COMPLETE)
    twice = edited(lambda data: data * 2)
    yield Case("shop", "plain.sql", "two dumps in one file", "the same", twice, ERRORS)
    yield Case("shop", "plain.sql.gz", "two dumps in one file", "the same", twice, ERRORS)
    for share in (0.25, 0.5, 1.0):
        do, named = with_later_behind(share), ERRORS | COMPLETE
        yield Case("shop", "plain.sql", "another run's half behind", f"{share:.0%}", do, named)
    cut = edited(lambda data: data[: data.index(b"COPY public.cards")] + data)
    yield Case("shop", "plain.sql", "two dumps in one file", "the first cut", cut, COMPLETE)
    for form in ("plain.sql", "custom.dump", "plain.sql.gz"):
        for name in ("backup_20231201_050001", "backup_20990101"):
            do = renamed(name + form[form.index(".") :])
            yield Case("shop", form, "time too old or to come", name, do, STALE.caught_by)


def left_out() -> Iterator[Case]:
    """What pg_dump was asked to leave out, or could not see."""
    empty = frozenset({"test_database_has_rows"})
    for form in ("plain.sql", "custom.dump"):
        for options, named in (
            (("--schema-only",), empty), (("--data-only",), ERRORS),
            (("--section=pre-data",), empty), (("--section=post-data",), ERRORS),
            (("--section=pre-data", "--section=data"), MANIFEST),
            (("--exclude-table-data=public.cards",), MANIFEST),
            (("--exclude-table=public.cards",), MANIFEST),
            (("--exclude-table=public.artists",), ERRORS), (("--table=public.artists",), ERRORS),
            (("--schema=billing",), MANIFEST), (("--exclude-schema=billing",), MANIFEST),
            (("--no-owner", "--no-acl"), MANIFEST), (("--no-comments",), MANIFEST),
            (("--no-blobs",), MANIFEST),
        ):  # fmt: skip
            yield Case("shop", form, "left out", " ".join(options), untouched, named, options)
        seen = ("--role=corpus_reader", "--enable-row-security", "--table=vault.notes")
        # The owner's schema is left out too, but the rows that the role may not see are the point.
        whole = ("--role=corpus_reader", "--enable-row-security", "--schema=vault")
        for of_role, named in ((seen, ERRORS), (whole, MANIFEST)):
            name = of_role[-1]
            yield Case("policies", form, "under row security", name, untouched, named, of_role)


def untouched(*_: object) -> None:
    """Leave the file as pg_dump wrote it."""


CASES = [
    *cuts(), *bytes_changed(), *rows_changed(), *statements_lost(), *members(), *transfers(),
    *left_out(),
]  # fmt: skip
COPY_CASES = [
    CopyCase(source, damage)
    for source in ("shop", "circular", "partitions", "generated", "views", "exclusion")
    for damage in DATABASE_DAMAGES
]
