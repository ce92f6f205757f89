"""The log of a recovering server is read as PostgreSQL 14 to 18 write it, whatever is in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from restore_drill.recovery.evidence import MOST, Reading, read_evidence
from restore_drill.recovery.log import LONGEST, Line, line_of, read_log
from restore_drill.recovery.model import Side

FOURTEEN = """\
50.202 LOG:  database system was interrupted; last known up at 2026-11-30 01:34:08 UTC
50.203 LOG:  starting point-in-time recovery to XID 743
50.213 LOG:  restored log file "000000010000000000000002" from archive
50.303 LOG:  redo starts at 0/2000028
50.311 LOG:  consistent recovery state reached at 0/2000100
50.401 LOG:  recovery stopping after commit of transaction 743, time 2026-11-30 01:34:09.5+00
50.412 LOG:  redo done at 0/3001350 system usage: CPU: user: 0.00 s, elapsed: 0.03 s
50.412 LOG:  last completed transaction was at log time 2026-11-30 01:34:09.5+00
50.516 LOG:  database system is ready to accept connections
"""
FIFTEEN = """\
29.970 LOG:  starting point-in-time recovery to 2026-11-30 01:22:08.305843+00
29.970 LOG:  starting backup recovery with redo LSN 0/3000028, checkpoint LSN 0/3000060
29.986 LOG:  redo starts at 0/3000028
30.001 FATAL:  the database system is not accepting connections
30.007 LOG:  restored log file "000000010000000000000005" from archive
30.009 LOG:  completed backup recovery with redo LSN 0/3000028 and end LSN 0/3000100
30.009 LOG:  consistent recovery state reached at 0/3000100
30.009 LOG:  recovery stopping before commit of transaction 734, time 2026-11-30 01:22:08.324544+00
30.009 LOG:  redo done at 0/4001350 system usage: CPU: user: 0.00 s, system: 0.00 s
30.009 LOG:  last completed transaction was at log time 2026-11-30 01:22:08.288819+00
"""
DAMAGED = """\
44.468 LOG:  redo starts at 0/3000028
44.485 LOG:  consistent recovery state reached at 0/3000100
44.485 LOG:  incorrect resource manager data checksum in record at 0/50000B8
44.485 LOG:  redo done at 0/5000078 system usage: CPU: user: 0.00 s
44.485 LOG:  last completed transaction was at log time 2026-11-30 01:33:56.295907+00
"""


def reading(text: str) -> Reading:
    """What is read of a log."""
    return read_evidence(line_of(line) for line in text.splitlines())


def test_the_transaction_that_recovery_stopped_after_is_in() -> None:
    """By its number and its time; 14 names no end of a backup."""
    found = reading(FOURTEEN)
    evidence = found.evidence()
    assert evidence.last_in == Side(743, datetime(2026, 11, 30, 1, 34, 9, 500000, UTC))
    assert evidence.first_out is None
    assert (evidence.began, evidence.consistent) == (False, True)
    assert (evidence.redo_from, evidence.end_lsn) == (0x2000028, 0x3001350)
    assert round(found.replay_ended - found.replay_began, 3) == 0.109


def test_both_sides_of_a_time_are_read() -> None:
    """The last one in has no number; a session that was refused is no complaint."""
    evidence = reading(FIFTEEN).evidence()
    assert evidence.began and evidence.consistent
    assert evidence.last_in == Side(None, datetime(2026, 11, 30, 1, 22, 8, 288819, UTC))
    assert evidence.first_out == Side(734, datetime(2026, 11, 30, 1, 22, 8, 324544, UTC))
    assert evidence.stopped.startswith("recovery stopping before commit of transaction 734")
    assert evidence.complaints == ()


@pytest.mark.parametrize("what", ["commit of prepared", "abort of prepared", "abort of"])
def test_every_end_of_a_transaction_is_a_side(what: str) -> None:
    """A prepared one, and one that was undone."""
    text = FIFTEEN.replace("commit of transaction", f"{what} transaction")
    first = reading(text).evidence().first_out
    assert first is not None and first.xid == 734


def test_what_the_server_says_of_bad_wal_is_a_complaint() -> None:
    """And what it says before and after replay is none."""
    found = reading("1.0 LOG:  invalid something\n" + DAMAGED + "2.0 LOG:  unexpected\n")
    complaint = "incorrect resource manager data checksum in record at 0/50000B8"
    assert found.evidence().complaints == (complaint,)


def test_many_complaints_are_not_kept() -> None:
    """The last one is."""
    noise = "".join(f"1.0 LOG:  invalid record {number}\n" for number in range(1000))
    found = reading("1.0 LOG:  redo starts at 0/3000028\n" + noise)
    assert len(found.complaints) <= MOST + 1
    assert found.complaints[-1] == "invalid record 999"


def test_lines_of_other_programs_say_nothing(tmp_path: Path) -> None:
    """Nor do bytes that are no text, or lines without an end."""
    log = tmp_path / "log"
    log.write_bytes(
        b"cp: cannot stat 'x'\n\xff\xfe LOG:  redo starts at 0/1\nnot.a.number LOG:  redo done at\n"
        b"LOG:  \n" + b"x" * (3 * LONGEST) + b"\n1.5 LOG:  redo starts at 0/2"
    )
    lines = list(read_log(log))
    assert lines[-1] == Line(1.5, "LOG", "redo starts at 0/2")
    assert {line.level for line in lines[:-1]} == {""}
    assert read_evidence(lines).redo_from == 2


def test_a_log_that_is_no_file_is_empty(tmp_path: Path) -> None:
    """A link in its place is not followed."""
    (tmp_path / "real").write_text("1.5 LOG:  redo starts at 0/2\n")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for path in (tmp_path / "link", tmp_path / "nothing", tmp_path):
        assert list(read_log(path)) == []
