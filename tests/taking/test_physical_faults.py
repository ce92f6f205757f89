"""Physical backups that cannot be taken, or are stopped: it is said, and nothing half is left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.helpers.base_backups import begun, manifest_in, names_in, physical
from tests.helpers.physical import Source, source
from tests.helpers.warm import Kept

ROLES = """
CREATE ROLE plain LOGIN; GRANT pg_read_all_data TO plain;
CREATE ROLE copier LOGIN REPLICATION;
CREATE ROLE saver LOGIN REPLICATION; GRANT pg_read_all_data TO saver;
"""
SLOW = ("--max-rate=2M", "--compress=none")
"""What takes some twenty seconds, of these databases."""


@pytest.fixture(scope="module")
def shop() -> Iterator[Source]:
    """Server 15 with the roles."""
    with source(15, rows=50) as found:
        found.sql(ROLES)
        yield found


@contextmanager
def hba(shop: Source, text: str) -> Iterator[None]:
    """Let the server accept the connections of `text` alone."""
    path = shop.data / "pg_hba.conf"
    before = path.read_text()
    try:
        path.write_text(text)
        shop.sql("SELECT pg_reload_conf()")
        time.sleep(0.2)
        yield
    finally:
        path.write_text(before)
        shop.sql("SELECT pg_reload_conf()")


def writing(process: Kept, to: Path) -> None:
    """Wait until the backup into `to` has written something."""
    until = time.monotonic() + 30
    while not any(each.stat().st_size for each in to.glob(".*.part/*/base.tar")):
        assert process.poll() is None and time.monotonic() < until, process.output
        time.sleep(0.02)


def senders(to: Path) -> list[psutil.Process]:
    """Processes that write to `to` for us."""
    return [
        each
        for each in psutil.process_iter(["cmdline"])
        if any(f"--pgdata={to}" in word for word in each.info["cmdline"] or ())
    ]


@pytest.mark.parametrize(
    ("role", "options", "says"),
    [
        ("plain", (), ("the role in DATABASE_URL may not stream", "ALTER ROLE ... REPLICATION")),
        ("copier", (), ("may not read public.", "--no-facts")),
    ],
)
def test_rights_that_are_missing_are_named_before_anything_is_written(
    role: str, options: tuple[str, ...], says: tuple[str, ...], shop: Source, tmp_path: Path
) -> None:
    """Each with what to do about it."""
    done = physical(shop, tmp_path / "to", *options, role=role)
    assert done.returncode == 6, done.stdout
    assert all(each in done.stderr for each in says), done.stderr
    assert not (tmp_path / "to").exists()


def test_a_role_that_may_only_stream_takes_one_without_facts(shop: Source, tmp_path: Path) -> None:
    """Nothing else is asked of it."""
    done = physical(shop, tmp_path, "--no-facts", role="copier")
    assert done.returncode == 0, done.stderr
    assert len(names_in(tmp_path)) == 1


def test_a_missing_line_for_replication_is_named(shop: Source, tmp_path: Path) -> None:
    """A line for all databases lets nobody replicate."""
    with hba(shop, "local all all trust\n"):
        done = physical(shop, tmp_path)
    assert done.returncode == 6 and "pg_hba.conf" in done.stderr, done.stderr
    assert "host replication ROLE" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_facts_that_cannot_be_read_leave_the_backup(shop: Source, tmp_path: Path) -> None:
    """It is whole, and what is missing is told, with exit 6."""
    number = shop.sql("SELECT lo_from_bytea(0, 'x')")
    try:
        done = physical(shop, tmp_path, role="saver")
    finally:
        shop.sql(f"SELECT lo_unlink({number})")
    assert done.returncode == 6, done.stdout
    (name,) = names_in(tmp_path)
    assert "a drill cannot be held to this backup: the source cannot be read" in done.stderr
    assert f"the backup {tmp_path}/{name} was taken, and is complete" in done.stderr
    facts = manifest_in(tmp_path, name).physical
    assert facts and facts.point is None and "large object" in facts.why_not

    again = physical(shop, tmp_path / "again", role="saver")
    assert again.returncode == 0, again.stderr


def interrupted(process: Kept, _to: Path, _shop: Source) -> None:
    """End the command."""
    process.send_signal(signal.SIGTERM)


def killed(_process: Kept, to: Path, _shop: Source) -> None:
    """End pg_basebackup."""
    for each in senders(to):
        each.kill()


def crashed(_process: Kept, _to: Path, shop: Source) -> None:
    """Crash the server."""
    shop.stop("immediate")


@pytest.mark.parametrize(
    ("what", "code", "says"),
    [
        (interrupted, 2, "SIGTERM"),
        (killed, 6, "pg_basebackup failed"),
        (crashed, 6, "pg_basebackup failed"),
    ],
)
def test_what_is_stopped_in_the_middle_leaves_nothing(
    what: Callable[[Kept, Path, Source], None],
    code: int,
    says: str,
    shop: Source,
    tmp_path: Path,
) -> None:
    """No file, no folder, no program that goes on."""
    process = begun(shop, tmp_path, *SLOW)
    writing(process, tmp_path)
    what(process, tmp_path, shop)
    output, _ = process.communicate(timeout=30)
    if what is crashed:
        shop.start()
    assert process.returncode == code and says in output, output
    assert f"no backup was left in {tmp_path}" in output or code == 6
    assert list(tmp_path.iterdir()) == [] and senders(tmp_path) == []
    assert shop.sql("SELECT count(*) FROM pg_replication_slots") == 0


def test_of_two_at_once_under_one_name_one_is_refused(shop: Source, tmp_path: Path) -> None:
    """The other one is whole; nothing is written over, whatever lies there."""
    both = [begun(shop, tmp_path, "--name=only", "--no-facts") for _ in range(2)]
    outputs = [each.communicate(timeout=60)[0] for each in both]
    assert sorted(each.returncode or 0 for each in both) == [0, 6], outputs
    assert any("only already exists and was not overwritten" in each for each in outputs)
    assert {each.name for each in tmp_path.iterdir()} == {
        "only", "only.sha256", "only.manifest.json",
    }  # fmt: skip


def test_damage_in_the_source_is_no_backup(tmp_path: Path) -> None:
    """What the server's checksums show is said, and what to do."""
    with source(15, rows=50) as damaged:
        path = damaged.data / str(damaged.sql("SELECT pg_relation_filepath('customers')"))
        damaged.sql("CHECKPOINT")
        with path.open("r+b") as file:
            file.seek(5000)
            file.write(b"\xff\x00\xff")
        done = physical(damaged, tmp_path)
    assert done.returncode == 6 and "checksum" in done.stderr, done.stderr
    assert "keep the older backups" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted by root alone")
def test_a_full_disk_leaves_nothing(shop: Source, tmp_path: Path) -> None:
    """However far it came; and one that is too small from the start is refused before."""
    for size, says in ((2, "are free in"), (30, "No space left")):
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(tmp_path)], check=False
        )
        if mounted.returncode:
            pytest.skip("nothing can be mounted here")
        try:
            done = physical(shop, tmp_path)
            assert done.returncode == 6 and says in done.stderr, done.stderr
            assert "free disk space" in done.stderr
            assert list(tmp_path.iterdir()) == []
        finally:
            subprocess.run(["umount", str(tmp_path)], check=True)
