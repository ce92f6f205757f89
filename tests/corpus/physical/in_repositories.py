"""Damages of repositories of pgBackRest and Barman."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.physical.repositories import use_pgbackrest
from restore_drill.config.criteria.pgbackrest import PgBackRest
from tests.corpus.physical.before import cut, edited, flip
from tests.corpus.physical.model import (
    EITHER,
    RECOVERY,
    SILENT,
    TOLD,
    UNABLE,
    WAL,
    WHOLE,
    Damage,
    Do,
)
from tests.corpus.physical.sources import Made, kept
from tests.helpers.physical import Source
from tests.helpers.repositories import Barman, Rest, barman_server, pgbackrest_repository

REST, SECRET, BARMAN = "pgBackRest", "pgBackRest, encrypted", "Barman"
Act = Callable[[Path], object]


class Repository(NamedTuple):
    """A repository with a full backup, a differential and an incremental one, and WAL behind."""

    rest: Rest
    labels: list[str]
    segments: list[str]


def repository_of(server: Source) -> Repository:
    """Make one without encryption, file by file."""
    return filled(server, pgbackrest_repository(server, repo1_bundle="n"))


def encrypted(server: Source) -> Repository:
    """Make an encrypted one."""
    return filled(
        server,
        pgbackrest_repository(server, repo1_cipher_type="aes-256-cbc", repo1_cipher_pass="secret"),
    )


def filled(server: Source, rest: Rest) -> Repository:
    """Take the backups, and archive some WAL."""
    labels, segments = [], []
    for kind in ("full", "diff", "incr"):
        server.commit(f"before {kind}", 50)
        server.sql("UPDATE customers SET name = name || '!' WHERE id % 7 = 0")
        labels.append(rest.backup(kind))
    for name in ("one", "two", "three"):
        server.commit(name, 20)
        segments.append(server.switch())
    rest.run("check")
    return Repository(rest, labels, segments)


def backups(at: Path) -> Path:
    """Folder of the backups of a repository."""
    return at / "backup" / "main"


def sets(at: Path) -> list[Path]:
    """Folders of the sets: full, differential, incremental."""
    return sorted((each for each in backups(at).iterdir() if re.match(r"\d{8}-", each.name)),
                  key=lambda each: each.name.split("_")[-1])  # fmt: skip


def largest(folder: Path) -> Path:
    """The largest file of a set."""
    found = (each for each in folder.rglob("*") if each.is_file() and "manifest" not in each.name)
    return max(found, key=lambda each: each.stat().st_size)


def segments(at: Path) -> list[Path]:
    """Archived segments, the oldest first."""
    return sorted(each for each in (at / "archive").rglob("*-*") if re.match(
        r"[0-9A-F]{24}-", each.name) and each.is_file())  # fmt: skip


def both(act: Act, folder: Callable[[Path], Path], *names: str) -> Act:
    """Do it to a file and to its copy."""

    def do(at: Path) -> None:
        for name in names:
            act(folder(at) / name)

    return do


def unlink(path: Path) -> None:
    """Remove a file."""
    path.unlink()


def no_segments(at: Path) -> None:
    """Nothing is left of the WAL."""
    for each in segments(at):
        each.unlink()


def archive_at(at: Path) -> Path:
    """Folder of the WAL of a repository."""
    return at / "archive" / "main"


IN_REST: tuple[tuple[str, Act, str, str], ...] = (
    ("bit in a file of the full backup", lambda at: flip(largest(sets(at)[0]), 3000), WHOLE, ""),
    ("file of the full backup cut", lambda at: cut(largest(sets(at)[0]), 500), WHOLE, ""),
    ("file of the full backup gone", lambda at: largest(sets(at)[0]).unlink(), WHOLE, ""),
    ("bit in a file of the newest", lambda at: flip(largest(sets(at)[2]), 300), WHOLE, ""),
    ("file of the newest gone", lambda at: largest(sets(at)[2]).unlink(), WHOLE, ""),
    ("full backup gone", lambda at: shutil.rmtree(sets(at)[0]), WHOLE, ""),
    ("differential backup gone", lambda at: shutil.rmtree(sets(at)[1]), WHOLE, ""),
    ("newest gone", lambda at: shutil.rmtree(sets(at)[2]), RECOVERY, ""),
    ("manifest of the newest: bit", both(lambda path: flip(path, 700), lambda at: sets(at)[2],
                                         "backup.manifest", "backup.manifest.copy"), RECOVERY, ""),
    ("manifest of the newest: bit, copy whole", lambda at: flip(sets(at)[2] / "backup.manifest",
                                                               700), SILENT,
     "pgBackRest uses the copy"),
    ("manifest of the full backup gone", both(unlink, lambda at: sets(at)[0],
                                              "backup.manifest"), SILENT,
     "pgBackRest uses the copy"),
    ("backup.info: junk, copy whole", lambda at: (backups(at) / "backup.info").write_text("junk"),
     SILENT, "pgBackRest uses the copy"),
    ("backup.info: junk, copy too", both(lambda path: path.write_text("junk"), backups,
                                         "backup.info", "backup.info.copy"), EITHER, ""),
    ("backup.info gone, copy too", both(unlink, backups, "backup.info", "backup.info.copy"),
     EITHER, ""),
    ("archive.info gone, copy too", both(unlink, archive_at, "archive.info",
                                         "archive.info.copy"), EITHER, ""),
    ("segment missing", lambda at: segments(at)[-2].unlink(), WAL, ""),
    ("bit in a segment", lambda at: flip(segments(at)[-2], 3000), EITHER, ""),
    ("newest segment: bit", lambda at: flip(segments(at)[-1], 3000), EITHER, ""),
    ("segment cut", lambda at: cut(segments(at)[-2], 500), EITHER, ""),
    ("segment emptied", lambda at: segments(at)[-2].write_bytes(b""), EITHER, ""),
    ("another segment under its name", lambda at: shutil.copyfile(segments(at)[-3],
                                                                 segments(at)[-2]), EITHER, ""),
    ("newest segment missing", lambda at: segments(at)[-1].unlink(), SILENT,
     "no archive says what it once had"),
    ("all WAL gone", no_segments, EITHER, ""),
)  # fmt: skip


def sources(made: Made) -> Path:
    """The repository's folder."""
    found: Repository = kept(made, "rest", repository_of)
    return found.rest.path


def secret(made: Made) -> Path:
    """The encrypted repository's folder."""
    found: Repository = kept(made, "secret", encrypted)
    return found.rest.path


def plainly(act: Act) -> Do:
    """Do `act` to the copy of a repository."""

    def do(_: Made, copy: Path) -> None:
        use_pgbackrest(None)
        act(copy)

    return do


def with_pass(act: Act, word: str = "secret") -> Do:
    """Do it to the copy of an encrypted repository, which is read with a passphrase."""

    def do(made: Made, copy: Path) -> None:
        found: Repository = made.more["secret"]
        config = copy.parent / "theirs.conf"
        text = found.rest.config.read_text().replace(str(found.rest.path), str(copy))
        config.write_text(text.replace("cipher-pass=secret", f"cipher-pass={word}"))
        use_pgbackrest(PgBackRest(stanza="main", config=config, repo=1))
        act(copy)

    return do


def nothing(at: Path) -> None:
    """The repository is whole."""


IN_SECRET: tuple[tuple[str, Act, str, str], ...] = (
    ("bit in the full backup", lambda at: flip(largest(sets(at)[0]), 3000), WHOLE, "secret"),
    ("file cut", lambda at: cut(largest(sets(at)[0]), 100), WHOLE, "secret"),
    ("segment missing", lambda at: segments(at)[-2].unlink(), WAL, "secret"),
    ("bit in a segment", lambda at: flip(segments(at)[-2], 3000), EITHER, "secret"),
    ("wrong passphrase", nothing, UNABLE, "guessed"),
)  # fmt: skip


def base(at: Path) -> Path:
    """Folder of the newest backup of a Barman server."""
    return max((at / "base").iterdir())


def barman_of(server: Source) -> Barman:
    """A Barman server with two backups, and WAL behind."""
    found = barman_server(server)
    for name in ("first", "second"):
        server.commit(name, 20)
        found.backup()
    for name in ("three", "four", "five"):
        server.commit(name, 20)
        server.switch()
        found.run("archive-wal", "shop")
    return found


def of_barman(made: Made) -> Path:
    """The folder of the Barman server."""
    found: Barman = kept(made, "barman", barman_of)
    return found.server


def wals(at: Path) -> list[Path]:
    """Barman's segments, the oldest first."""
    return sorted(each for each in (at / "wals").rglob("*") if re.fullmatch(r"[0-9A-F]{24}",
                                                                           each.name))  # fmt: skip


def data(at: Path) -> Path:
    """A larger file of the newest backup."""
    return max((base(at) / "data" / "base").rglob("*"), key=lambda each: each.stat().st_size)


def tablespaces_gone(at: Path) -> None:
    """The folders of tablespaces are removed, which Barman keeps beside the data."""
    for each in [each for each in base(at).iterdir() if each.name.isdigit()]:
        shutil.rmtree(each)


def without_barmans_manifest(act: Act) -> Act:
    """Do it to a backup as method rsync takes it: without a manifest."""

    def do(at: Path) -> None:
        (base(at) / "data" / "backup_manifest").unlink()
        act(at)

    return do


IN_BARMAN: tuple[tuple[str, Act, str, str], ...] = (
    ("bit in a file", lambda at: flip(data(at), 24676), WHOLE, ""),
    ("file gone", lambda at: data(at).unlink(), WHOLE, ""),
    ("file cut", lambda at: cut(data(at), 8192), WHOLE, ""),
    ("file cut, no manifest", without_barmans_manifest(lambda at: cut(data(at), 8192)), WHOLE, ""),
    ("file gone, no manifest", without_barmans_manifest(lambda at: data(at).unlink()), WHOLE, ""),
    ("tablespace gone", tablespaces_gone, WHOLE, ""),
    ("label gone", lambda at: (base(at) / "data" / "backup_label").unlink(), WHOLE, ""),
    ("folder data gone", lambda at: shutil.rmtree(base(at) / "data"), WHOLE, ""),
    ("backup.info gone", lambda at: (base(at) / "backup.info").unlink(), TOLD, ""),
    ("status FAILED", lambda at: edited(base(at) / "backup.info", "status=DONE", "status=FAILED"),
     TOLD, ""),
    ("segment missing", lambda at: wals(at)[-2].unlink(), WAL, ""),
    ("bit in a segment", lambda at: flip(wals(at)[-2], 200), WAL, ""),
    ("segment cut", lambda at: cut(wals(at)[-2], 8192), WAL, ""),
    ("newest segment missing", lambda at: wals(at)[-1].unlink(), SILENT,
     "no archive says what it once had"),
    ("xlog.db gone", lambda at: (at / "wals" / "xlog.db").unlink(), SILENT,
     "the segments themselves are read"),
    ("all WAL gone", lambda at: shutil.rmtree(at / "wals"), EITHER, ""),
)  # fmt: skip


def in_repositories(made: Made) -> Iterator[Damage]:
    """Damages of repositories; Debian's pgBackRest and Barman know 15 and no newer one."""
    if made.major != 15 or not (shutil.which("pgbackrest") and shutil.which("barman")):
        return
    for what, act, must, why in IN_REST:
        yield Damage(what, REST, plainly(act), must, why, takes=sources)
    for what, act, must, word in IN_SECRET:
        yield Damage(what, SECRET, with_pass(act, word), must, takes=secret)
    for what, act, must, why in IN_BARMAN:
        yield Damage(what, BARMAN, plainly(act), must, why, takes=of_barman)
