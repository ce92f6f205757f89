"""Healthy physical backups, of every kind and of shapes that look damaged: each must stay green."""

from __future__ import annotations

import gzip
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from restore_drill.backups.physical.repositories import use_pgbackrest
from restore_drill.config.criteria.pgbackrest import PgBackRest
from tests.corpus.physical.in_chains import NAMES, chain_of
from tests.corpus.physical.in_repositories import barman_of, encrypted, repository_of
from tests.corpus.physical.look import Asked
from tests.corpus.physical.shapes import SHAPES
from tests.corpus.physical.sources import MORE, statements
from tests.helpers.physical import Source, copied, source
from tests.helpers.points import TABLES, load
from tests.helpers.promotions import promote, resized

BIG = 1 << 24
Take = Callable[[Source], Iterator[tuple[str, Asked]]]
"""Takes backups of a server, and gives each by what it is."""


class Healthy(NamedTuple):
    """Backups that `take` takes of servers from `since` to `until` with those `options`."""

    what: str
    take: Take
    since: int = 15
    until: int = 99
    checksums: bool = True
    options: dict[str, Any] = {}  # noqa: RUF012 - never changed


def forms(server: Source) -> Iterator[tuple[str, Asked]]:
    """Every form of pg_basebackup, a cold copy and a snapshot with a label, with its archive."""
    statements(server, MORE)
    kinds = {
        "plain": ("plain", ()), "fetch": ("plain", ("-X", "fetch")),
        "tar": ("tar", ()), "gzip": ("tar", ("-z",)), "zstd": ("tar", ("--compress=zstd",)),
        "lz4": ("tar", ("--compress=lz4",)), "tar fetch": ("tar", ("-X", "fetch")),
        "gzip by the server": ("tar", ("--compress=server-gzip",)),
        "no manifest": ("plain", ("--no-manifest",)),
        "none": ("plain", ("-X", "none")), "tar none": ("tar", ("-X", "none")),
    }  # fmt: skip
    taken = {
        name: server.base_backup(name.replace(" ", "_"), *options, form=form)
        for name, (form, options) in kinds.items()
    }
    snapshot = snapshot_of(server)
    for name in ("one", "two"):
        server.commit(name, 30)
        server.restore_point(f"after_{name}")
        server.switch()
    for name, path in taken.items():
        if "none" not in name:
            yield f"pg_basebackup {name}", Asked(alone(path))
    for name in ("plain", "none", "tar none", "gzip", "no manifest"):
        yield f"pg_basebackup {name}, archive", Asked(taken[name], wal=server.archive)
    for goal in ("immediate", "name:after_one"):
        yield f"pg_basebackup none, archive, {goal}", Asked(taken["none"], goal, server.archive)
    yield "snapshot with a label, archive", Asked(snapshot, wal=server.archive)
    server.stop("fast")
    cold = copied(server.data, server.folder / "cold")
    tablespace_into(cold, server)
    (cold / "postmaster.pid").unlink(missing_ok=True)
    yield "cold copy", Asked(alone(cold))


def alone(path: Path) -> Path:
    """The backup in a folder where no archive lies beside it."""
    to = path.parent / "alone" / path.name
    to.parent.mkdir(exist_ok=True)
    return copied(path, to)


def snapshot_of(server: Source) -> Path:
    """Files copied between pg_backup_start and pg_backup_stop, with the label of the latter."""
    to = server.folder / "snapshot"
    with server.connect() as connection:
        connection.execute("SELECT pg_backup_start('a snapshot', true)")
        shutil.copytree(server.data, to, symlinks=True)
        server.commit("while it was copied", 10)
        row = connection.execute("SELECT labelfile, spcmapfile FROM pg_backup_stop()").fetchone()
    assert row is not None
    (to / "backup_label").write_text(row[0])
    (to / "tablespace_map").write_text(row[1])
    (to / "postmaster.pid").unlink()
    tablespace_into(to, server)
    for each in (to / "pg_wal").iterdir():
        if each.is_file():
            each.unlink()
    return to


def tablespace_into(copy: Path, server: Source) -> None:
    """Copy the tablespace beside the data directory, and let the link lead there."""
    (link,) = (copy / "pg_tblspc").iterdir()
    to = Path(f"{copy}.ts1")
    shutil.copytree(server.tablespace, to)
    link.unlink()
    link.symlink_to(to)


def under_load(server: Source) -> Iterator[tuple[str, Asked]]:
    """Taken while eight clients write, with checkpoints inside."""
    statements(server, TABLES)
    with load(server):
        plain = server.base_backup("plain", "--max-rate=30M")
        server.sql("CHECKPOINT")
        bare = server.base_backup("bare", "-X", "none", form="tar")
        time.sleep(1)
    server.switch()
    yield "pg_basebackup under load", Asked(alone(plain))
    yield "pg_basebackup under load, archive", Asked(bare, wal=server.archive)


def shapes(server: Source) -> Iterator[tuple[str, Asked]]:
    """Bloated and deduplicated indexes, kinds of tables, types, settings of databases."""
    statements(server, SHAPES)
    held = server.connect()
    held.execute("SET default_transaction_read_only = off")
    held.execute("CREATE TEMP TABLE here AS SELECT generate_series(1, 5000)")
    held.execute("BEGIN; INSERT INTO public.bare SELECT n, 'never' FROM generate_series(1, 3000) n")
    path = server.base_backup("plain")
    held.close()
    yield "shapes that look damaged", Asked(alone(path))


def prepared(server: Source) -> Iterator[tuple[str, Asked]]:
    """A transaction that waits for its second phase."""
    with server.connect() as connection:
        connection.execute("BEGIN; INSERT INTO customers (email) VALUES ('p@example.org')")
        connection.execute("PREPARE TRANSACTION 'waits'")
    path = server.base_backup("plain")
    with server.connect() as connection:
        connection.execute("BEGIN; DELETE FROM customers WHERE id = 1500 AND false")
        connection.execute("INSERT INTO customers (email) VALUES ('q@example.org')")
        connection.execute("PREPARE TRANSACTION 'waits too'")
    server.switch()
    yield "prepared transactions", Asked(alone(path))
    yield "prepared transactions, archive", Asked(path, wal=server.archive)


def crashed(server: Source) -> Iterator[tuple[str, Asked]]:
    """The server crashed while tables grew: pages of zeros, entries of rows that never were."""

    def fill(table: str) -> None:
        try:
            with server.connect() as connection:
                connection.execute(
                    f"INSERT INTO {table} (a, b) SELECT n, repeat('x', 300)"
                    " FROM generate_series(1, 3000000) n".encode()
                )
        except psycopg.Error:
            pass

    statements(server, "CREATE TABLE keyed (a int PRIMARY KEY, b text)")
    threads = [threading.Thread(target=fill, args=(name,)) for name in ("bare", "keyed")]
    for each in threads:
        each.start()
    time.sleep(1.5)
    server.stop("immediate")
    for each in threads:
        each.join()
    server.start()
    path = server.base_backup("crashed")
    server.switch()
    yield "after a crash while tables grew", Asked(alone(path))


def crash_in_wal(server: Source) -> Iterator[tuple[str, Asked]]:
    """The crash lies in the archived WAL behind the backup."""
    path = server.base_backup("plain")
    yield from ()
    for _, found in crashed(server):
        del found
    yield "a crash in the archived WAL", Asked(path, wal=server.archive)


def promoted(server: Source) -> Iterator[tuple[str, Asked]]:
    """Two promotions behind the backup: three timelines in the archive."""
    path = server.base_backup("plain", "-X", "none")
    server.commit("one", 10)
    server.switch()
    promote(server)
    server.commit("two", 10)
    server.switch()
    promote(server, "fast")
    server.commit("three", 10)
    server.switch()
    yield "timelines after promotions", Asked(path, wal=server.archive)
    newer = server.base_backup("newer", "-X", "none")
    server.commit("four", 10)
    server.switch()
    yield "backup of a later timeline", Asked(newer, wal=server.archive)


def of_a_standby(server: Source) -> Iterator[tuple[str, Asked]]:
    """Taken from a standby, which goes on replaying."""
    folder = server.folder / "standby"
    folder.mkdir()
    server.launcher.own(folder)
    data = folder / "data"
    mapped = f"--tablespace-mapping={server.tablespace}={folder}/ts1"
    server.run("pg_basebackup", "-D", data, "-h", server.folder, "-U", "postgres", "-R",
               "--checkpoint=fast", mapped)  # fmt: skip
    with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(f"unix_socket_directories = '{folder}'\narchive_mode = off\nhot_standby = on\n")
    standby = Source(folder, server.binaries, server.launcher)
    standby.start()
    try:
        server.commit("one", 10)
        server.switch()
        server.sql("CHECKPOINT")
        until = time.monotonic() + 20
        while standby.sql("SELECT count(*) FROM events WHERE what = 'one'") < 10:
            assert time.monotonic() < until
            time.sleep(0.05)
        path = standby.base_backup("plain")
        tar = standby.base_backup("tar", "-X", "fetch", form="tar")
        server.commit("two", 10)
        server.switch()
        yield "a standby's backup", Asked(alone(path))
        yield "a standby's backup, tar", Asked(alone(tar))
        yield "a standby's backup, archive", Asked(path, wal=server.archive)
    finally:
        standby.stop("immediate")


def odd_archive(server: Source) -> Iterator[tuple[str, Asked]]:
    """Compressed segments, .partial, histories of backups, and things of others in the archive."""
    path = server.base_backup("plain", "-X", "none")
    names = []
    for name in ("one", "two", "three", "four"):
        server.commit(name, 10)
        names.append(server.switch())
    for name in names[:2]:
        segment = server.archive / name
        segment.with_name(f"{name}.gz").write_bytes(gzip.compress(segment.read_bytes(), 1))
        segment.unlink()
    newest = server.archive / names[-1]
    newest.with_name(f"{names[-1]}.partial").write_bytes(newest.read_bytes()[: BIG // 2])
    (server.archive / "README").write_text("WAL of the shop")
    (server.archive / f"{names[-1]}.tmp").write_bytes(b"half")
    yield "compressed segments, .partial, others beside", Asked(path, wal=server.archive)


def small_segments(server: Source) -> Iterator[tuple[str, Asked]]:
    """Segments of 1 MB."""
    resized(server, 1)
    path = server.base_backup("plain")
    bare = server.base_backup("bare", "-X", "none")
    for number in range(4):
        server.commit(f"more {number}", 3000)
        server.switch()
    yield "segments of 1 MB", Asked(alone(path))
    yield "segments of 1 MB, archive", Asked(bare, wal=server.archive)


def large_segments(server: Source) -> Iterator[tuple[str, Asked]]:
    """Segments of 64 MB."""
    resized(server, 64)
    path = server.base_backup("plain")
    server.commit("one", 10)
    server.switch()
    yield "segments of 64 MB, archive", Asked(path, wal=server.archive)


def chains(server: Source) -> Iterator[tuple[str, Asked]]:
    """A chain, by its members, and with WAL behind."""
    chain_of(server)
    server.commit("behind", 10)
    server.switch()
    for name in NAMES[1:]:
        yield f"chain to {name}", Asked(server.folder / name, wal=server.archive)


def rest(server: Source) -> Iterator[tuple[str, Asked]]:
    """Sets of a repository of pgBackRest."""
    found = repository_of(server)
    use_pgbackrest(None)
    for label, kind in zip(found.labels, ("full", "diff", "incr"), strict=True):
        yield f"pgBackRest {kind}", Asked(found.rest.path, set_name=label)


def secret_rest(server: Source) -> Iterator[tuple[str, Asked]]:
    """Sets of an encrypted one."""
    found = encrypted(server)
    use_pgbackrest(PgBackRest(stanza="main", config=found.rest.config, repo=1))
    try:
        for label, kind in zip(found.labels, ("full", "diff", "incr"), strict=True):
            yield f"pgBackRest encrypted {kind}", Asked(found.rest.path, set_name=label)
    finally:
        use_pgbackrest(None)


def barman(server: Source) -> Iterator[tuple[str, Asked]]:
    """The newest backup of a Barman server, and an older one."""
    found = barman_of(server)
    ids = sorted(each.name for each in (found.server / "base").iterdir())
    yield "Barman, newest", Asked(found.server)
    yield "Barman, older", Asked(found.server, set_name=ids[0])


TWO_PHASES = {"max_prepared_transactions": "20"}
HEALTHY = (
    Healthy("forms", forms), Healthy("forms", forms, checksums=False),
    Healthy("load", under_load, options=TWO_PHASES), Healthy("shapes", shapes),
    Healthy("shapes", shapes, checksums=False),
    Healthy("prepared", prepared, options=TWO_PHASES),
    Healthy("crash", crashed), Healthy("crash in WAL", crash_in_wal),
    Healthy("promotions", promoted), Healthy("standby", of_a_standby),
    Healthy("odd archive", odd_archive), Healthy("small segments", small_segments),
    Healthy("large segments", large_segments),
    Healthy("chains", chains, since=17), Healthy("rest", rest, until=15),
    Healthy("secret", secret_rest, until=15), Healthy("barman", barman, until=15),
    Healthy("compressed WAL", under_load, options=TWO_PHASES | {"wal_compression": "on"}),
)  # fmt: skip


def healthy(major: int, *wanted: str) -> Iterator[tuple[str, Asked]]:
    """Backups of servers of `major`, all or those `wanted`, drilled while the server is there."""
    for each in HEALTHY:
        if each.since <= major <= each.until and each.what in (wanted or (each.what,)):
            sums = "checksums" if each.checksums else "no checksums"
            with ExitStack() as stack:
                server = stack.enter_context(
                    source(major, checksums=each.checksums, rows=300, **each.options)
                )
                for what, asked in each.take(server):
                    yield f"{what}, {major}, {sums}", asked
