"""The database target: a live database is reset only behind a proved snapshot, and brought back."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.live.hold import LOCK_KEY, Hold
from restore_drill.live.safety import refuse_change, take_snapshot
from restore_drill.manifest.fingerprint import Fingerprint, differences, read_fingerprint
from restore_drill.servers.database import check_resettable, open_database
from restore_drill.servers.embedded import EmbeddedServer, start_embedded
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target
from tests.corpus.hostile import PLACE, in_place
from tests.helpers.drills import ROOT, Drill, run_drill
from tests.helpers.shop import MORE, Shops, fill_shop, pg_dump, quiet

LIVE = """
CREATE ROLE app LOGIN SUPERUSER PASSWORD 'p@ss:w/rd#1';
CREATE TABLE artists (id serial PRIMARY KEY, name text);
CREATE TABLE only_live (id int);
INSERT INTO artists (name) SELECT 'live ' || n FROM generate_series(1, 5) n;
INSERT INTO only_live SELECT generate_series(1, 7);
SELECT lo_from_bytea(0, 'live');
"""
PASSWORD = "p%40ss%3Aw%2Frd%231"


@pytest.fixture(scope="module")
def live_server() -> Iterator[EmbeddedServer]:
    """A server that stands for production."""
    server = start_embedded(find_binaries(15, note=quiet), note=quiet)
    yield server
    server.stop()


@pytest.fixture
def live(live_server: EmbeddedServer, request: pytest.FixtureRequest) -> Target:
    """A live database that differs from the backup."""
    target = live_server.create_database(f"live_{abs(hash(request.node.name)) % 10**8}")
    with target.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS app")
    fill_shop(target, LIVE)
    with target.connect() as connection:
        for role in ("shop_owner", "shop_reader"):
            found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            if found is None:
                connection.execute(f"CREATE ROLE {role} NOLOGIN".encode())
    return target


def url_of(target: Target) -> str:
    """DATABASE_URL of `target`, with a password that needs percent-encoding."""
    host = target.conninfo["host"].replace("/", "%2F")
    port, name = target.conninfo["port"], target.conninfo["dbname"]
    return f"postgresql://app:{PASSWORD}@{host}:{port}/{name}"


def test_password_may_stand_outside_the_url(live: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that libpq finds in the environment goes on to pg_dump and pg_restore."""
    monkeypatch.setenv("PGPASSWORD", "elsewhere")
    url = url_of(live).replace(f":{PASSWORD}@", "@")

    target = open_database(url, lambda major: find_binaries(major, note=quiet))

    assert "password" not in target.conninfo
    assert target.tool_environment["PGPASSWORD"] == "elsewhere"


def test_subscriptions_of_another_database_are_not_in_the_way(
    live: Target, live_server: EmbeddedServer
) -> None:
    """A reset drops what is in its own database; only a subscription there reaches a publisher."""
    subscribe = (
        "CREATE SUBSCRIPTION elsewhere CONNECTION 'host=nowhere.invalid' PUBLICATION p"
        " WITH (connect = false, slot_name = NONE)"
    )
    with live_server.create_database("subscribed").connect() as other:
        other.execute(subscribe)
        check_resettable(live)
        other.execute("DROP SUBSCRIPTION elsewhere")
    with live.connect() as own:
        own.execute(subscribe)
        with pytest.raises(CouldNotRun, match="it has subscriptions"):
            check_resettable(live)
        own.execute("DROP SUBSCRIPTION elsewhere")


def fingerprint(target: Target) -> Fingerprint:
    """What the live database is."""
    return read_fingerprint(target, 2, quiet)


@pytest.fixture
def backups(shops: Shops, tmp_path: Path) -> Path:
    """BACKUP_PATH with one backup of the shop."""
    (tmp_path / "backups" / "db").mkdir(parents=True)
    pg_dump(shops.source(15), tmp_path / "backups" / "db" / "backup.dump", "--format=custom")
    return tmp_path / "backups"


@pytest.fixture
def drill_live(live: Target, backups: Path, report_dir: Path) -> Callable[..., Drill]:
    """Function that drills into the live database."""

    def run(*arguments: str, confirm: str = "", **environment: str) -> Drill:
        urls = {"BACKUP_PATH": str(backups), "DATABASE_URL": url_of(live)}
        named = f"--confirm-reset={confirm or live.conninfo['dbname']}"
        arguments = ("--target=database", named, *arguments)
        return run_drill(*arguments, report_dir=report_dir, cwd=ROOT, **(urls | environment))

    return run


def snapshots(backups: Path) -> list[str]:
    """Names of what lies in the snapshots' folder, without the files that say what they are of."""
    found = (backups / "snapshots").glob("*")
    return sorted(path.name for path in found if path.suffix != ".source")


def test_passed_drill_leaves_the_backup_in_the_database(
    live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """After a passed drill the database holds the backup, and the proved snapshot lies there."""
    drill = drill_live()

    assert drill.code == 0, drill.output
    with live.connect() as connection:
        row = connection.execute("SELECT count(*) FROM public.cards").fetchone()
        gone = connection.execute("SELECT to_regclass('public.only_live')").fetchone()
    assert row == (200,)
    assert gone == (None,)
    (name,) = snapshots(backups)
    assert name.startswith("pre_drill_snapshot_")
    assert name in drill.output
    assert drill.result["snapshot"]["rolled_back"] is None
    assert (backups / "snapshots" / name).stat().st_mode & 0o077 == 0


def test_failed_criterion_rolls_back(
    live: Target, backups: Path, tmp_path: Path, drill_live: Callable[..., Drill]
) -> None:
    """A criterion that fails brings the database back, proved by a facts."""
    before = fingerprint(live)
    criteria = tmp_path / "criteria.toml"
    criteria.write_text("[tables]\ncards = { min_rows = 201 }\n")

    drill = drill_live(f"--criteria={criteria}")

    assert drill.code == 1, drill.output
    assert drill.result["snapshot"]["rolled_back"] is True
    assert differences(before, fingerprint(live), live) == []
    assert "a comparison proves that the database is as it was" in drill.output
    assert not [name for name in snapshots(backups) if name.endswith(".undecided")]


def test_rollback_is_proved_where_the_catalog_says_more(
    live: Target, tmp_path: Path, drill_live: Callable[..., Drill]
) -> None:
    """What no dump can carry, the snapshot neither, leaves no rollback unproved."""
    fill_shop(live, MORE)
    criteria = tmp_path / "criteria.toml"
    criteria.write_text("[tables]\ncards = { min_rows = 201 }\n")

    drill = drill_live(f"--criteria={criteria}")

    assert drill.result["snapshot"]["rolled_back"] is True, drill.output
    assert "a comparison proves that the database is as it was" in drill.output


def test_failed_restore_rolls_back(
    live: Target, backups: Path, drill_live: Callable[..., Drill], shops: Shops
) -> None:
    """A restore with errors brings the database back."""
    before = fingerprint(live)
    (backups / "db" / "backup.dump").unlink()
    spoiled = shops.dump(15, "plain.sql").read_text().replace("CREATE INDEX", "CREATE INDEXX", 1)
    (backups / "db" / "backup.sql").write_text(spoiled)

    drill = drill_live()

    assert drill.code == 1, drill.output
    assert drill.result["snapshot"]["rolled_back"] is True
    assert differences(before, fingerprint(live), live) == []


def test_damaged_backup_never_reaches_the_database(
    live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """A backup that is not whole stops the drill before snapshot and reset."""
    before = fingerprint(live)
    path = backups / "db" / "backup.dump"
    path.write_bytes(path.read_bytes()[:-500])

    drill = drill_live()

    assert drill.code == 1, drill.output
    assert drill.result["snapshot"] is None
    assert snapshots(backups) == []
    assert differences(before, fingerprint(live), live) == []


@pytest.mark.parametrize("form", ["plain", "custom"])
def test_what_no_dump_holds_never_reaches_the_database(
    form: str, live: Target, backups: Path, drill_live: Callable[..., Drill], shops: Shops
) -> None:
    """A DO block that was added to a dump stops the drill before snapshot and reset."""
    before = fingerprint(live)
    (backups / "db" / "backup.dump").unlink()
    source = shops.database(15, f"with_added_{form}")
    fill_shop(source, "CREATE TABLE public.rows (n int PRIMARY KEY);" + PLACE)
    path = pg_dump(source, backups / "db" / "backup.dump", f"--format={form}")
    path.write_bytes(in_place(path.read_bytes(), "DO $$ BEGIN PERFORM 'deed'; END $$;"))

    drill = drill_live()

    assert drill.code == 6, drill.output
    assert "holds what is not for a live server" in drill.output
    assert "DO, which no pg_dump writes and which may run any code" in drill.output
    assert "leave --target database away" in drill.output
    assert "deed" not in drill.output
    assert drill.result["snapshot"] is None
    assert snapshots(backups) == []
    assert differences(before, fingerprint(live), live) == []


@pytest.mark.parametrize("confirmed", ["", "another"])
def test_reset_must_be_confirmed(
    confirmed: str, live: Target, backups: Path, report_dir: Path
) -> None:
    """Without the right name nothing is touched, and the message says what would be."""
    before = fingerprint(live)
    arguments = [f"--confirm-reset={confirmed}"] if confirmed else []

    drill = run_drill(
        "--target=database", *arguments,
        report_dir=report_dir, BACKUP_PATH=str(backups), DATABASE_URL=url_of(live),
    )  # fmt: skip

    assert drill.code == 6, drill.output
    assert f"--confirm-reset {live.conninfo['dbname']}" in drill.output
    assert snapshots(backups) == []
    assert differences(before, fingerprint(live), live) == []


def test_unwritable_snapshot_stops_the_drill(
    live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """No snapshot, no drop."""
    before = fingerprint(live)
    (backups / "snapshots").write_text("a file where the folder should be")

    drill = drill_live()

    assert drill.code == 6, drill.output
    assert "no safety snapshot, so nothing was touched" in drill.output
    assert differences(before, fingerprint(live), live) == []


def test_locked_table_stops_the_drill(live: Target, drill_live: Callable[..., Drill]) -> None:
    """A session of the application that holds a lock stops the reset, and nothing is lost."""
    before = fingerprint(live)
    with live.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE only_live IN ROW SHARE MODE")

        drill = drill_live()

    assert drill.code == 6, drill.output
    assert "other sessions hold locks" in drill.output
    assert differences(before, fingerprint(live), live) == []


def test_second_drill_is_refused(
    live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """Two drills at once on one database do not happen, and a running one is not called dead."""
    snapshots_folder = backups / "snapshots"
    snapshots_folder.mkdir()
    (snapshots_folder / "pre_drill_snapshot_20261101_000000.dump.undecided").write_text("{}")
    with live.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])

        drill = drill_live()

    assert drill.code == 6, drill.output
    assert "another drill is at work" in drill.output
    assert "mv " not in drill.output and "rollback" not in drill.output


def test_password_is_nowhere(drill_live: Callable[..., Drill]) -> None:
    """The password stands in no output and no report."""
    drill = drill_live("-v")

    texts = [path.read_text(errors="replace") for path in drill.report_dir.iterdir()]
    for text in (drill.output, *texts):
        assert "p@ss:w/rd#1" not in text
        assert PASSWORD not in text


def start_and_wait_for_reset(
    live: Target, backups: Path, report_dir: Path
) -> subprocess.Popen[str]:
    """Start a drill whose verification hangs, and wait until it has reset the database."""
    criteria = report_dir.parent / "hang.toml"
    criteria.write_text('[facts.hang]\nsql = "SELECT count(*) FROM pg_sleep(600)"\nmin = 1\n')
    process = subprocess.Popen(
        [
            sys.executable, "-m", "pytest", str(ROOT / "drill"),
            f"--report-dir={report_dir}", f"--criteria={criteria}", "-p", "no:cacheprovider",
            "--target=database", f"--confirm-reset={live.conninfo['dbname']}",
        ],
        cwd=ROOT,
        env=os.environ | {"BACKUP_PATH": str(backups), "DATABASE_URL": url_of(live)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()"
    )
    deadline = time.monotonic() + 60
    with live.connect(dbname="postgres") as connection:
        while connection.execute(query.encode()).fetchone() == (0,):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.1)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_drill_rolls_back(
    number: signal.Signals, live: Target, backups: Path, report_dir: Path
) -> None:
    """Ctrl-C or SIGTERM after the reset brings the database back before the drill ends."""
    before = fingerprint(live)
    process = start_and_wait_for_reset(live, backups, report_dir)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 2, output
    assert differences(before, fingerprint(live), live) == []
    assert "a comparison proves that the database is as it was" in output


def test_killed_drill_is_found_and_rolled_back_by_command(
    live: Target, backups: Path, report_dir: Path, drill_live: Callable[..., Drill]
) -> None:
    """After a kill the next drill refuses, names the way back, and the way works."""
    before = fingerprint(live)
    process = start_and_wait_for_reset(live, backups, report_dir)
    process.kill()
    process.communicate()
    with live.connect(dbname="postgres") as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [live.conninfo["dbname"]],
        )

    drill = drill_live()

    assert drill.code == 6, drill.output
    (snapshot,) = [name for name in snapshots(backups) if name.endswith(".dump")]
    command = f"python -m drill rollback {backups / 'snapshots' / snapshot}"
    assert command in drill.output
    other = roll_back_by_command(live, backups / "snapshots" / snapshot, name="postgres")
    assert other.returncode == 6, other.stdout + other.stderr
    assert snapshots(backups) == [snapshot, f"{snapshot}.undecided"]

    done = roll_back_by_command(live, backups / "snapshots" / snapshot)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "a comparison proves that it is as it was before the drill" in done.stdout
    assert differences(before, fingerprint(live), live) == []
    assert not [name for name in snapshots(backups) if name.endswith(".undecided")]

    with live.connect() as connection:
        connection.execute("INSERT INTO only_live VALUES (99)")
    again = roll_back_by_command(live, backups / "snapshots" / snapshot)

    assert again.returncode == 0, again.stdout + again.stderr
    assert "a facts proves" in again.stdout
    assert differences(before, fingerprint(live), live) == []


def test_rollback_can_be_taken_back(
    live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """A rollback keeps what it is about to drop, under a snapshot of its own."""
    assert drill_live().code == 0
    (snapshot,) = (backups / "snapshots").glob("*.dump")
    backup = fingerprint(live)

    done = roll_back_by_command(live, snapshot)

    assert done.returncode == 0, done.stdout + done.stderr
    (kept,) = re.findall(r"was kept in (\S+)", done.stdout)
    back = roll_back_by_command(live, Path(kept))
    assert back.returncode == 0, back.stdout + back.stderr
    assert differences(backup, fingerprint(live), live) == []


def roll_back_by_command(
    live: Target, snapshot: Path, name: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `python -m drill rollback`, for the database `name` or the right one."""
    return subprocess.run(
        [sys.executable, "-m", "drill", "rollback", str(snapshot),
         "--confirm-reset", name or live.conninfo["dbname"]],
        cwd=ROOT, env=os.environ | {"DATABASE_URL": url_of(live)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "part",
    [["-k", "restore_time"], ["-m", "verify"], ["-x"], ["--maxfail=3"], ["--deselect=x"]],
    ids=str,
)
def test_part_of_a_drill_is_refused(
    part: list[str], live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """Only the whole drill proves what it leaves in a live database."""
    before = fingerprint(live)

    drill = drill_live(*part)

    assert drill.code == 4, drill.output
    assert "takes no part of the drill" in drill.output
    assert snapshots(backups) == []
    assert differences(before, fingerprint(live), live) == []


def test_good_recovery_is_kept_whatever_age_times_and_redis_say(
    live: Target, drill_live: Callable[..., Drill]
) -> None:
    """Budgets, the backup's age and Redis make the drill red, and undo no recovery."""
    drill = drill_live(
        "--max-backup-age=1ms", "--max-restore-time=1ms", "--max-total-time=1ms",
        REDIS_URL="redis://127.0.0.1:1/0",
    )  # fmt: skip

    assert drill.code == 1, drill.output
    assert drill.result["snapshot"]["rolled_back"] is None
    assert drill.result["snapshot"]["live_database"] == "holds the backup"
    assert "keeps the backup" in drill.output
    with live.connect() as connection:
        assert connection.execute("SELECT count(*) FROM public.cards").fetchone() == (200,)


def test_second_interrupt_waits_for_the_rollback(
    live: Target, backups: Path, report_dir: Path
) -> None:
    """Ctrl-C again and again does not interrupt the way back, nor does SIGTERM."""
    before = fingerprint(live)
    process = start_and_wait_for_reset(live, backups, report_dir)
    for number in (signal.SIGINT, *[signal.SIGINT, signal.SIGTERM] * 20):
        if process.poll() is None:
            process.send_signal(number)
            time.sleep(0.05)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 2, output
    assert differences(before, fingerprint(live), live) == []
    assert "a comparison proves that the database is as it was" in output
    assert not [name for name in snapshots(backups) if name.endswith(".undecided")]


def test_failed_rollback_says_what_the_database_holds(
    live: Target, backups: Path, report_dir: Path
) -> None:
    """A rollback that fails tells the state of the live database and the command that goes on."""
    process = start_and_wait_for_reset(live, backups, report_dir)
    (snapshot,) = (backups / "snapshots").glob("*.dump")
    good = snapshot.read_bytes()
    snapshot.write_bytes(good[: len(good) // 2])
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    assert "was NOT brought back: it holds" in output
    assert f"python -m drill rollback {snapshot} --confirm-reset" in output
    assert "was not touched" not in output
    told = json.loads((report_dir / "result.json").read_text())["snapshot"]
    assert told["rolled_back"] is False and "NOT brought back" in told["live_database"]
    assert snapshot.with_name(snapshot.name + ".undecided").exists()

    snapshot.write_bytes(good)
    done = roll_back_by_command(live, snapshot)

    assert done.returncode == 0, done.stdout + done.stderr


def test_rollback_into_another_server_is_refused(
    live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """A snapshot goes back to the very database it is of, not to one of the same name elsewhere."""
    assert drill_live().code == 0
    (snapshot,) = (backups / "snapshots").glob("*.dump")
    with start_embedded(find_binaries(15, note=quiet), note=quiet) as server:
        elsewhere = server.create_database(live.conninfo["dbname"])
        fill_shop(elsewhere, LIVE)
        before = fingerprint(elsewhere)

        done = roll_back_by_command(elsewhere, snapshot)

        assert done.returncode == 4, done.stdout + done.stderr
        assert "nothing was touched" in done.stderr
        assert differences(before, fingerprint(elsewhere), elsewhere) == []


def test_writes_wait_from_the_snapshot_to_the_reset(live: Target, tmp_path: Path) -> None:
    """What is written after the snapshot cannot vanish: rows wait, all else stops the reset."""
    with Hold(live) as hold:
        hold.stop_writes()
        kept = take_snapshot(live, tmp_path, name="kept", jobs=2, progress=quiet)
        with live.connect() as application:
            application.execute("SET lock_timeout = '100ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                application.execute("INSERT INTO only_live VALUES (8)")
            refuse_change(live, kept.fingerprint)
            application.execute("SELECT nextval('artists_id_seq')")
        with pytest.raises(CouldNotRun, match="has changed since its snapshot"):
            hold.reset(lambda: refuse_change(live, kept.fingerprint))
    with live.connect() as connection:
        assert connection.execute("SELECT count(*) FROM only_live").fetchone() == (7,)


def test_drill_that_ends_early_rolls_back_whatever_its_exit_code(
    live: Target, tmp_path: Path, drill_live: Callable[..., Drill]
) -> None:
    """Criteria that have not reported are no pass, though nothing has failed and pytest says 0."""
    before = fingerprint(live)
    (tmp_path / "test_own.py").write_text(
        "import pytest\ndef test_ends_the_drill(facts):\n    pytest.exit('enough', returncode=0)\n"
    )

    drill = drill_live(str(tmp_path / "test_own.py"))

    assert "has not reported" in drill.output
    assert drill.result["snapshot"]["rolled_back"] is True
    assert differences(before, fingerprint(live), live) == []
