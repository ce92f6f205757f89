"""Promotion by the command: the live name goes to the proved database, and back."""

from __future__ import annotations

import re
import shlex
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from restore_drill.servers.model import Target
from tests.helpers.drills import ROOT, Drill
from tests.helpers.live import Promote, databases, roll_back, rows_of, start_and_wait
from tests.helpers.shop import pg_dump
from tests.helpers.swaps import connect

EVERY_KIND = """
CREATE TABLE w (id serial PRIMARY KEY, v text NOT NULL);
INSERT INTO w (v) SELECT 'v' || n FROM generate_series(1, 100) n;
CREATE TYPE colour AS ENUM ('red', 'blue');
CREATE TABLE parts (c colour, n int) PARTITION BY HASH (c);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT 'red', generate_series(1, 9);
INSERT INTO parts VALUES ('blue', 3);
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n';
CREATE MATERIALIZED VIEW seen AS SELECT now() AS at, count(*) FROM w;
CREATE VIEW few AS SELECT * FROM w WHERE id < 9;
CREATE TABLE due (at timestamptz);
INSERT INTO due VALUES (now() + interval '1 second');
GRANT SELECT ON w TO PUBLIC;
"""


@pytest.fixture
def promote_equal(drill_beside: Callable[..., Drill], live: Target, backups: Path) -> Promote:
    """Function that drills with --promote and a backup of what the live database is."""
    with live.connect() as connection:
        connection.execute(EVERY_KIND.encode())
    (backups / "db" / "backup.dump").unlink()
    pg_dump(live, backups / "db" / "backup.dump", "--format=custom")
    named = ("--promote", f"--confirm={live.conninfo['dbname']}")
    return lambda *given, **named_too: drill_beside(*named, *given, **named_too)


def test_proved_database_takes_the_live_name_and_gives_it_back(
    live: Target, backups: Path, promote: Promote
) -> None:
    """The old database is whole beside it; the way back is the command that is printed."""
    name = live.conninfo["dbname"]
    with live.connect() as connection:
        connection.execute(f"ALTER DATABASE {name} SET work_mem = '7MB'".encode())
        connection.execute(f"COMMENT ON DATABASE {name} IS 'the shop'".encode())
    session = connect(live)

    drill = promote()
    session.close()

    assert drill.code == 0, drill.output
    found = drill.result["promotion"]
    kept = found["kept"]
    assert (found["promoted"], found["database"]) == (True, name)
    assert drill.result["target"]["way"] == "promote"
    assert kept.startswith(f"{name}_before_2")
    assert '"shop", idle' in drill.output
    assert "which gives up its name once this one is proved" in drill.output
    assert "Not needed: the live database stays whole, even where it" in drill.output
    assert "Step 8: Final system checks" in drill.output
    assert rows_of(live, name, "public.cards") == 200
    assert rows_of(live, name, "public.only_live") is None
    assert rows_of(live, kept, "public.only_live") == 7
    with live.connect() as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("7MB",)
    assert f"rollback --confirm {name}" in drill.output
    assert not [each for each in databases(live) if each.startswith(f"{name}_drill")]

    back = roll_back(live, backups, "--confirm", name)

    assert back.returncode == 0, back.stdout + back.stderr
    (undone,) = [each for each in databases(live) if each.startswith(f"{name}_undone_")]
    assert undone in back.stdout
    assert rows_of(live, name, "public.only_live") == 7
    assert rows_of(live, undone, "public.cards") == 200
    assert kept not in databases(live)

    again = roll_back(live, backups, "--confirm", name)
    assert again.returncode == 6
    assert "its last promotion has already been undone" in again.stderr


def test_unproved_database_is_not_promoted(live: Target, tmp_path: Path, promote: Promote) -> None:
    """A criterion that reads the database decides: the live one is what it was."""
    had = databases(live)
    criteria = tmp_path / "criteria.toml"
    criteria.write_text("[tables]\ncards = { min_rows = 201 }\n")

    drill = promote(f"--criteria={criteria}")

    assert drill.code == 1, drill.output
    assert databases(live) == had
    assert drill.result["promotion"]["promoted"] is False
    assert "the restored copy was not proved good" in drill.result["promotion"]["why"]
    assert "is what it was before the drill" in drill.output


ADVISORY = """
import pytest

@pytest.mark.advisory
def test_smoke(facts):
    assert not facts, "the team's own smoke"
"""


def test_budgets_age_redis_and_advice_are_reported_and_prevent_nothing(
    live: Target, tmp_path: Path, promote: Promote
) -> None:
    """The drill is red, and the live name is that of the restored database."""
    (tmp_path / "test_smoke.py").write_text(ADVISORY)

    drill = promote(
        "--max-backup-age=1ms", "--max-total-time=1ms",
        str(ROOT / "drill"), str(tmp_path / "test_smoke.py"), REDIS_URL="redis://127.0.0.1:1/0",
    )  # fmt: skip

    assert drill.code == 1, drill.output
    assert drill.result["promotion"]["promoted"] is True, drill.output
    assert "test_smoke" in drill.failed
    assert "What failed does not concern the database: " in drill.output
    assert rows_of(live, live.conninfo["dbname"], "public.cards") == 200


def test_what_would_be_lost_is_reported_before_and_has_to_be_accepted(
    live: Target, promote: Promote, drill_beside: Callable[..., Drill]
) -> None:
    """Minutes, table and both times; nothing is restored before that."""
    with live.connect() as connection:
        connection.execute("CREATE TABLE orders (at timestamptz DEFAULT now(), due timestamp)")
        time.sleep(2)  # the time of a dump has whole seconds
        connection.execute("INSERT INTO orders (due) VALUES (now() + interval '9 days')")
    had = databases(live)

    drill = drill_beside(
        "--promote", f"--confirm={live.conninfo['dbname']}", "--max-backup-age=1000d"
    )

    assert drill.code == 6, drill.output
    assert "was not touched: a promotion would lose data" in drill.output
    assert re.search(r"\d+ minutes? of data: public.orders has a row of", drill.output)
    assert "--accept-loss" in drill.output
    assert drill.result["timings"]["restore"] is None
    assert databases(live) == had

    accepted = promote("--max-backup-age=1000d")

    assert accepted.code == 0, accepted.output
    # The dump may be minutes old by now: the machine is shared.
    assert re.search(r"Accepted loss: \d+ minutes? of data: public.orders", accepted.output)
    kept = accepted.result["promotion"]["kept"]
    assert rows_of(live, kept, "public.orders") == 1


WRITES_WHILE_IT_DRILLS = """
import os, psycopg

def test_application_writes(facts):
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("INSERT INTO due VALUES (now())")
"""


def test_what_is_written_while_it_drills_is_not_lost_unseen(
    live: Target, tmp_path: Path, promote_equal: Promote
) -> None:
    """It was not accepted: the restored database is good, and does not take the live name."""
    (tmp_path / "test_writes.py").write_text(WRITES_WHILE_IT_DRILLS)
    had = databases(live)

    drill = promote_equal(str(ROOT / "drill"), str(tmp_path / "test_writes.py"))

    assert drill.code == 6, drill.output
    assert "a promotion would lose data" in drill.output
    assert "public.due has a row of" in drill.output
    assert "public.due: 2 rows in the live database, 1 in the restored one" in drill.output
    assert drill.result["promotion"]["promoted"] is False
    bad = {check["id"] for check in drill.result["checks"] if check["outcome"] == "error"}
    assert bad == {"drill::promotion"}
    assert "The backup was not promoted. The backup was read to its end" in drill.output
    assert "is what it was before the drill" in drill.output
    assert "Next: what would be lost stays in the old database" in drill.output
    assert databases(live) == had


def test_equal_databases_are_swapped_without_any_loss_to_accept(
    live: Target, backups: Path, promote_equal: Promote
) -> None:
    """A time that has passed since the backup is none; the way back needs no BACKUP_PATH."""
    time.sleep(1)
    name = live.conninfo["dbname"]

    drill = promote_equal(f"--backup={backups}/db/backup.dump", BACKUP_PATH=None)

    assert drill.code == 0, drill.output
    assert drill.result["promotion"]["lost"] == []
    command = drill.result["promotion"]["way_back"].partition(" rollback ")[2]
    back = roll_back(live, None, *shlex.split(command))
    assert back.returncode == 0, back.stdout + back.stderr
    assert f"{name} is again the database that it was" in back.stdout


CHANGES = """
INSERT INTO w (v) SELECT 'new' FROM generate_series(1, 1000);
UPDATE artists SET name = 'other' WHERE id = 2;
DELETE FROM only_live WHERE id < 3;
CREATE OR REPLACE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 3 * n';
CREATE TABLE torn (id int);
INSERT INTO torn VALUES (1);
SELECT lo_from_bytea(0, 'more');
"""


def test_each_difference_of_the_live_database_is_a_loss_to_accept(
    live: Target, promote_equal: Promote
) -> None:
    """Rows, changes and deletions without any time in them, definitions, a table not readable."""
    with live.connect() as connection:
        connection.execute(CHANGES.encode())
        file = connection.execute("SELECT pg_relation_filepath('torn')").fetchone()
        data = connection.execute("SHOW data_directory").fetchone()
        connection.execute("CHECKPOINT")
    assert file is not None and data is not None
    with (Path(data[0]) / file[0]).open("ab") as pages:
        pages.write(b"\xff" * 8192)
    had = databases(live)

    drill = promote_equal()

    assert drill.code == 6, drill.output
    assert "public.w: 1,100 rows" in drill.output
    lost = str(drill.result["checks"])
    assert "public.w: 1,100 rows in the live database, 100 in the restored one" in lost
    assert "public.artists: 5 rows in both, with other content in name" in lost
    assert "public.only_live: 5 rows in the live database, 7 in the restored one" in lost
    assert "public.torn could not be compared: " in lost
    assert "that differ in the restored one: function public.twice(n integer)" in lost
    assert "sequence public.w_id_seq: at 1,100 in the live database, at 100 in" in lost
    assert "large objects: 2 (8 bytes) in the live database, 1 (4 bytes) in" in lost
    assert "public.parts: " not in lost
    assert "public.parts_0: " not in lost
    assert drill.result["promotion"]["promoted"] is False
    assert databases(live) == had

    accepted = promote_equal("--accept-loss")

    assert accepted.code == 0, accepted.output
    assert "public.torn could not be compared: " in str(accepted.result["promotion"]["lost"])
    assert rows_of(live, accepted.result["promotion"]["kept"], "public.w") == 1100


def test_another_name_confirms_nothing(live: Target, drill_beside: Callable[..., Drill]) -> None:
    """Nothing is touched, and the message names the right one."""
    had = databases(live)

    drill = drill_beside("--promote", "--confirm=another")

    assert drill.code == 6, drill.output
    assert "its promotion is not confirmed" in drill.output
    assert f"--promote --confirm {live.conninfo['dbname']}" in drill.output
    assert databases(live) == had


def test_an_interrupt_keeps_the_live_database(
    live: Target, backups: Path, report_dir: Path
) -> None:
    """Ctrl-C while the restored database is verified: it is dropped, nothing else has changed."""
    had = databases(live)
    process = start_and_wait(
        live, backups, report_dir, "--promote", f"--confirm={live.conninfo['dbname']}"
    )
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 2, output
    assert databases(live) == had
    assert "is what it was before the drill" in output


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "give either a snapshot and --confirm-reset DBNAME, or --confirm DBNAME alone"),
        (["--confirm", "x", "--confirm-reset", "x"], "give either a snapshot"),
        (["--confirm", "another"], "--confirm names 'another', DATABASE_URL the database"),
    ],
)
def test_the_way_back_asks_for_the_right_name(
    given: list[str], message: str, live: Target, backups: Path
) -> None:
    """Usage errors, exit 4."""
    done = roll_back(live, backups, *given)

    assert done.returncode == 4, done.stdout + done.stderr
    assert message in done.stderr


def test_without_a_journal_there_is_no_way_back(live: Target, backups: Path) -> None:
    """The message names what to do by hand."""
    done = roll_back(live, backups, "--confirm", live.conninfo["dbname"])

    assert done.returncode == 6, done.stdout + done.stderr
    assert "belongs to a promotion of it on this server" in done.stderr
    assert "ALTER DATABASE" in done.stderr


@pytest.mark.parametrize(
    "part", [["-k", "restore_time"], ["-m", "verify"], ["-x"], ["--deselect=x"]], ids=str
)
def test_a_part_of_the_drill_promotes_nothing(
    part: list[str], live: Target, promote: Promote
) -> None:
    """Refused before anything starts: exit 4."""
    had = databases(live)

    drill = promote(*part)

    assert drill.code == 4, drill.output
    assert "--promote needs the whole drill" in drill.output
    assert databases(live) == had
