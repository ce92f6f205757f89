"""Whatever a statement of a dump does, a drill ends when it is asked to, and leaves nothing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.helpers.drills import ROOT, command, inherited, run_drill
from tests.helpers.warm import Kept

SOON = 25.0
"""Seconds for a drill to be gone: a few, on a machine that is busy."""
SLEEP = "pg_catalog.pg_sleep(3600)"
LOOP = """
CREATE FUNCTION public.forever(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN LOOP PERFORM 1; END LOOP; END $$;
"""
DEAF = """
CREATE FUNCTION public.deaf() RETURNS integer LANGUAGE plpgsql AS $$
BEGIN LOOP
    BEGIN PERFORM pg_catalog.pg_sleep(3600); EXCEPTION WHEN query_canceled THEN NULL; END;
END LOOP; END $$;
"""
ROWS = "COPY public.a (x) FROM stdin;\n1\n2\n\\.\n"
TABLE = "CREATE TABLE public.a (x integer);\n"
HOSTILE = {
    "a block": f"DO $$ BEGIN PERFORM {SLEEP}; END $$;",
    "a query": f"SELECT {SLEEP};",
    "a check": LOOP + "CREATE TABLE public.a (x integer CHECK (public.forever(x) > 0));\n" + ROWS,
    "an index": LOOP + TABLE + ROWS + "CREATE INDEX i ON public.a (public.forever(x));",
    "a trigger": "CREATE FUNCTION public.t() RETURNS trigger LANGUAGE plpgsql AS\n"
    f"$$ BEGIN PERFORM {SLEEP}; RETURN NEW; END $$;\n{TABLE}"
    "CREATE TRIGGER t BEFORE INSERT ON public.a FOR EACH ROW EXECUTE FUNCTION public.t();\n" + ROWS,
    "an event trigger": "CREATE FUNCTION public.t() RETURNS event_trigger LANGUAGE plpgsql AS\n"
    f"$$ BEGIN PERFORM {SLEEP}; END $$;\n"
    "CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION public.t();\n" + TABLE,
    "a deaf function": DEAF + "SELECT public.deaf();",
}
"""Dumps with a statement that never ends while they are restored."""
STATISTICS = LOOP + TABLE + "CREATE INDEX i ON public.a (public.forever(x));" + ROWS
VALIDATED = (
    LOOP
    + TABLE
    + ROWS
    + ("ALTER TABLE public.a ADD CONSTRAINT c CHECK (public.forever(x) > 0) NOT VALID;")
)
"""A dump that is restored at once, and whose rows take for ever to be verified."""


@dataclass
class Running:
    """A drill that runs, and where its servers live."""

    process: Kept
    folder: Path

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.process.output

    def wait_for(self, words: str) -> None:
        """Wait until it has said `words`."""
        until = time.monotonic() + 90
        while words not in self.said:
            assert time.monotonic() < until and self.process.poll() is None, self.said
            time.sleep(0.05)

    def end(self, order: signal.Signals) -> float:
        """Send it `order`; the seconds that it took to be gone."""
        began = time.monotonic()
        self.process.send_signal(order)
        self.process.wait(60)
        return time.monotonic() - began

    @property
    def left(self) -> list[str]:
        """Servers and directories that it left."""
        found = [str(path) for path in self.folder.iterdir()]
        lines = [" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])]
        return found + [line for line in lines if str(self.folder) in line]


@contextmanager
def drill_of(dump: str, folder: Path, *arguments: str) -> Iterator[Running]:
    """A drill of `dump` that runs in `folder`."""
    path = folder / "backup.sql"
    path.write_text("SET client_encoding = 'UTF8';\n" + dump)
    place = folder / "t"
    place.mkdir()
    place.chmod(0o755)
    for each in folder.parents:
        if each.stat().st_uid == os.geteuid() and each.is_relative_to("/tmp"):  # noqa: S108
            each.chmod(each.stat().st_mode | 0o011)
    folder.chmod(0o755)
    process = Kept(
        ["pytest", str(ROOT / "drill"), f"--backup={path}", *arguments,
         f"--report-dir={folder / 'report'}", "-p", "no:cacheprovider", "-m", "not redis"],
        cwd=ROOT, env=inherited() | {"TMPDIR": str(place)},
    )  # fmt: skip
    try:
        yield Running(process, place)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_statement_without_end_is_interrupted(kind: str, tmp_path: Path) -> None:
    """SIGTERM ends a drill whose dump holds a statement that never ends, and nothing is left."""
    with drill_of(HOSTILE[kind], tmp_path) as drill:
        drill.wait_for("Step 5")
        time.sleep(0.7)
        seconds = drill.end(signal.SIGTERM)

        assert drill.process.returncode == pytest.ExitCode.INTERRUPTED, drill.said
        assert seconds < SOON
        assert drill.left == []


@pytest.mark.parametrize("arguments", [(), ("--production-settings",)])
def test_control_c_ends_a_statement(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Ctrl-C ends it too, in one transaction and statement by statement."""
    with drill_of(HOSTILE["a block"], tmp_path, *arguments) as drill:
        drill.wait_for("Step 5")
        time.sleep(0.7)

        assert drill.end(signal.SIGINT) < SOON
        assert drill.process.returncode == pytest.ExitCode.INTERRUPTED
        assert drill.left == []


@pytest.mark.parametrize("pause", [0.05, 0.4])
def test_further_signals_disturb_nothing(pause: float, tmp_path: Path) -> None:
    """Whoever presses Ctrl-C again and again gets the verdict, no traceback, and nothing left."""
    with drill_of(HOSTILE["a block"], tmp_path) as drill:
        drill.wait_for("Step 5")
        for order in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
            drill.process.send_signal(order)
            time.sleep(pause)

        assert drill.end(signal.SIGINT) < SOON
        said = drill.said
        assert drill.process.returncode == pytest.ExitCode.INTERRUPTED, said
        assert "RESTORE DRILL COULD NOT RUN" in said
        assert "Traceback" not in said
        assert drill.left == []


def test_a_signal_after_the_verdict_changes_no_exit_code(tmp_path: Path) -> None:
    """A drill that was interrupted and has shown its verdict ends with its code, come what may."""
    with drill_of(HOSTILE["a block"], tmp_path) as drill:
        drill.wait_for("Step 5")
        drill.process.send_signal(signal.SIGTERM)
        drill.wait_for("Report: ")
        while drill.process.poll() is None:
            drill.process.send_signal(signal.SIGTERM)
            time.sleep(0.005)

        assert drill.process.returncode == pytest.ExitCode.INTERRUPTED, drill.said
        assert drill.left == []


def test_a_verification_without_end_is_interrupted(tmp_path: Path) -> None:
    """SIGTERM ends a drill whose verification calls a function of the dump that never ends."""
    with drill_of(VALIDATED, tmp_path) as drill:
        drill.wait_for("Step 6")
        time.sleep(1)

        assert drill.end(signal.SIGTERM) < SOON
        assert drill.process.returncode == pytest.ExitCode.INTERRUPTED
        assert drill.left == []


def test_a_killed_drill_is_cleaned(tmp_path: Path) -> None:
    """What a second Ctrl-C, or a kill, leaves behind is found by `python -m drill clean`."""
    with drill_of(HOSTILE["a block"], tmp_path) as drill:
        drill.wait_for("Step 5")
        drill.end(signal.SIGKILL)
        assert drill.left

        assert command("clean", TMPDIR=str(drill.folder)).returncode == 0
        assert drill.left == []


@pytest.mark.parametrize(
    ("dump", "told"),
    [
        (HOSTILE["a block"], "running at that time: line 2: DO ..., for "),
        (HOSTILE["a query"], "running at that time: line 2: SELECT pg_catalog.pg_sleep ..., for "),
        (HOSTILE["a trigger"], "COPY public.a (x) FROM stdin;, for "),
        (VALIDATED, "running at that time: rows of public.a, for "),
    ],
)
def test_a_limit_ends_what_takes_longer(dump: str, told: str, tmp_path: Path) -> None:
    """`--timeout` ends a drill that takes longer: it could not run, and says what was at work."""
    backup = tmp_path / "backup.sql"
    backup.write_text("SET client_encoding = 'UTF8';\n" + dump)

    drill = run_drill(
        f"--backup={backup}", "--timeout=10s", "-m", "not redis", report_dir=tmp_path / "report"
    )

    assert (drill.code, drill.verdict) == (6, "could-not-run"), drill.output
    assert "the drill took longer than 10 s and was stopped" in drill.output
    assert told in drill.output, drill.output
    assert "Traceback" not in drill.output


def test_limit_is_a_duration(tmp_path: Path) -> None:
    """What is no time is an error in the options."""
    assert run_drill("--timeout=soon", report_dir=tmp_path).code == pytest.ExitCode.USAGE_ERROR
    assert run_drill("--timeout=0s", report_dir=tmp_path).code == pytest.ExitCode.USAGE_ERROR
