"""Drills of physical backups, whole: what is green, what is red, and what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers.buckets import s3_server
from tests.helpers.drills import ROOT, command, run_drill
from tests.helpers.physical import Source, source
from tests.helpers.repositories import Rest, in_bucket, pgbackrest_repository
from tests.helpers.tls_proxy import tls_proxy


class Backups(NamedTuple):
    """Backups of one server: a base backup, ours with facts, and the WAL behind both.

    `first` is a transaction behind the backups, and `second` one in a later segment.
    """

    made: Source
    base: Path
    ours: Path
    first: int
    second: int
    time_between: str


@pytest.fixture(scope="module")
def backups() -> Iterator[Backups]:
    """Backups of a server of version 15."""
    with source(15) as made:
        # A tar has the tablespace in it; `ours` is taken without one.
        made.sql("ALTER TABLE events SET TABLESPACE pg_default")
        made.sql("DROP TABLESPACE ts1")
        base = made.base_backup("base", "-z", form="tar")
        url = f"postgresql://postgres@/shop?host={made.folder}&port=5432"
        taken = command(
            "backup", "--physical", "--checkpoint=fast", f"--to={made.folder}/ours",
            DATABASE_URL=url,
        )  # fmt: skip
        assert taken.returncode == 0, taken.stderr
        ours = next(each for each in (made.folder / "ours").iterdir() if each.is_dir())
        first, between = made.commit("first", 3)
        made.switch()
        second, _ = made.commit("second", 5)
        made.switch()
        yield Backups(made, base, ours, first, second, between)


@pytest.fixture
def criteria(tmp_path: Path) -> Path:
    """Criteria of the shop, with a table of another database."""
    path = tmp_path / "criteria.toml"
    path.write_text(
        '[backup]\ndatabase = "shop"\n[tables."public.events"]\nmin_rows = 508\n'
        '[tables."billing.public.invoices"]\nmin_rows = 300\n'
        '[freshness]\n"public.events.at" = "1h"\n'
    )
    return path


def test_all_wal_is_replayed_and_every_database_checked(
    backups: Backups, criteria: Path, tmp_path: Path
) -> None:
    """Green: rows behind the backup are there, and tables of other databases have three parts."""
    drill = run_drill(
        f"--backup={backups.base}", f"--criteria={criteria}", report_dir=tmp_path / "report"
    )

    assert drill.code == 0, drill.output
    result = drill.result
    assert result["tables"]["public.events"]["rows"] == 508
    assert result["tables"]["billing.public.invoices"]["rows"] == 300
    assert result["recovery"]["reached"] and result["recovery"]["goal"] == "latest"
    assert set(result["recovery"]["databases"]) >= {"shop", "billing", "postgres", "template0"}
    assert "test_every_object_came_back" not in drill.output
    assert any("public.cache" in note for note in result["notes"])


def test_our_own_backup_is_proved_equal(backups: Backups, tmp_path: Path) -> None:
    """Where no archive lies beside it, it is recovered to the place that its manifest is of."""
    alone = tmp_path / "alone"
    alone.mkdir()
    for each in backups.ours.parent.glob(f"{backups.ours.name}*"):
        (shutil.copytree if each.is_dir() else shutil.copy)(each, alone / each.name)

    drill = run_drill(report_dir=tmp_path / "report", BACKUP_PATH=str(alone))

    assert drill.code == 0, drill.output
    assert drill.result["strength"] == "proven"
    assert drill.result["recovery"]["goal"].startswith("lsn:")


@pytest.mark.parametrize("goal", ["xid", "time"])
def test_both_sides_of_a_target_are_proved(backups: Backups, goal: str, tmp_path: Path) -> None:
    """The first transaction is in, the second one is not."""
    to = {"xid": f"xid:{backups.first}", "time": backups.time_between}[goal]

    drill = run_drill(
        f"--backup={backups.base}", f"--recover-to={to}", "-k", "recovery or wal or every_row",
        report_dir=tmp_path / "report",
    )  # fmt: skip

    assert drill.code == 0, drill.output
    found = drill.result["recovery"]
    assert drill.result["tables"]["public.events"]["rows"] == 503
    assert found["reached"]
    if goal == "time":
        assert backups.first < found["first_out"]["xid"] <= backups.second


def test_a_hole_in_the_archive_is_red(backups: Backups, tmp_path: Path) -> None:
    """PostgreSQL starts without a word; the drill names the segment and what is lost."""
    archive = tmp_path / "archive"
    shutil.copytree(backups.made.archive, archive)
    segments = sorted(each for each in archive.iterdir() if len(each.name) == 24)
    segments[-2].unlink()

    drill = run_drill(
        f"--backup={backups.base}", f"--wal={archive}", report_dir=tmp_path / "report"
    )

    assert drill.code == 1, drill.output
    assert set(drill.failed) == {"test_wal_is_complete"}
    assert segments[-2].name in drill.failed["test_wal_is_complete"]


def test_what_no_recovery_reaches_is_refused_at_once(backups: Backups, tmp_path: Path) -> None:
    """A place before the backup's end, nonsense, and a target that only a dump has: exit 4."""
    for option, word in (
        ("--recover-to=2020-01-01", "before the end of the backup"),
        ("--recover-to=yesterday", "--recover-to"),
        ("--target=container", "--target"),
    ):
        drill = run_drill(f"--backup={backups.base}", option, report_dir=tmp_path / "report")

        assert drill.code == 4, drill.output
        assert word in drill.output


@pytest.fixture(params=["on a disk", "in a bucket"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rest]:
    """An encrypted repository with a full backup, an increment, and WAL behind it."""
    with ExitStack() as stack:
        settings = {"repo1-cipher-type": "aes-256-cbc", "repo1-cipher-pass": "x"}
        if request.param == "in a bucket":
            url = stack.enter_context(s3_server(tmp_path))
            settings |= in_bucket(stack.enter_context(tls_proxy(url, tmp_path)))
        made = stack.enter_context(source(15))
        found = pgbackrest_repository(made, **settings)
        found.backup()
        found.backup("incr")
        made.commit("behind", 7)
        made.switch()
        yield found


def test_a_repository_that_only_the_criteria_file_names_is_drilled(
    repository: Rest, tmp_path: Path
) -> None:
    """Encrypted, by its own configuration; the sample shop is not drilled in its place."""
    path = tmp_path / "criteria.toml"
    named = f'{{ stanza = "main", config = "{repository.config}" }}'
    path.write_text(f'[backup]\npgbackrest = {named}\ndatabase = "shop"\n')

    drill = run_drill(f"--criteria={path}", report_dir=tmp_path / "report")

    assert drill.code == 0, drill.output
    assert not drill.result["sample"]
    assert drill.result["tables"]["public.events"]["rows"] == 507

    found = command("doctor", f"--criteria={path}")
    assert "a drill would use" in found.stdout.lower(), found.stdout + found.stderr
    drill = run_drill(f"--criteria={path}", "--set=20200101-010000F", report_dir=tmp_path / "set")
    assert drill.code == 4 and "has no such backup" in drill.output, drill.output
    assert "INTERNALERROR" not in drill.output
    elsewhere = {"BACKUP_PATH": str(tmp_path)}
    drill = run_drill(f"--criteria={path}", report_dir=tmp_path / "two", cwd=ROOT, **elsewhere)
    assert drill.code == 4 and "only one of them can be drilled" in drill.output, drill.output
