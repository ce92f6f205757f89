"""Names out of a dump are shown, never obeyed, wherever they are printed."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import pty
import re
import select
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from restore_drill.core.errors import BackupFault, message
from restore_drill.core.printable import (
    printable,
    printable_json,
    printable_lines,
    printable_markup,
)
from tests.helpers.drills import CLEARED, ROOT, run_drill
from tests.helpers.shop import USUAL, Shops, fill_shop, pg_dump

BANNER = "---- RESTORE DRILL PASSED ----"
EVIL = f"\n{BANNER}\n::error::x\r\x1b[2J\u202e\u009b1m"
"""A name that prints a banner and a command, clears the screen and turns its letters round."""
WORSE = f"{EVIL}\x1b]0;title\x07\u200b ##[error]hi"
"""Longer than a name in PostgreSQL may be, not longer than a file's."""
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")

DATABASE = f"""
CREATE ROLE "owner{EVIL}" NOLOGIN;
CREATE SCHEMA "schema{EVIL}";
CREATE TABLE "schema{EVIL}"."parent{EVIL}" (id integer PRIMARY KEY);
CREATE TABLE "schema{EVIL}"."child{EVIL}" (
    "column{EVIL}" integer,
    CONSTRAINT "key{EVIL}" FOREIGN KEY ("column{EVIL}")
        REFERENCES "schema{EVIL}"."parent{EVIL}" (id)
);
CREATE FUNCTION "schema{EVIL}"."function{EVIL}"() RETURNS int LANGUAGE plpgsql
    AS 'BEGIN RETURN (SELECT 1 FROM not_there); END';
CREATE TABLE public.plain (id integer PRIMARY KEY);
ALTER TABLE public.plain OWNER TO "owner{EVIL}";
INSERT INTO "schema{EVIL}"."parent{EVIL}" SELECT generate_series(1, 9);
INSERT INTO "schema{EVIL}"."child{EVIL}" SELECT generate_series(1, 9);
INSERT INTO public.plain SELECT generate_series(1, 9);
"""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cards", "cards"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x1b[2J\x07\x7f\x9b", "\\x1b[2J\\x07\\x7f\\x9b"),
        ("\u202egnp\u2066 \u200b\ufeff\u2028", "\\u202egnp\\u2066 \\u200b\\ufeff\\u2028"),
        ("\U000e0041", "\\U000e0041"),
        ("\udcff", "\\udcff"),
        ("Künstler 顧客 עברית 😀 naïve", "Künstler 顧客 עברית 😀 naïve"),
        ("::error file=a::b", "\\x3a:error file=a::b"),
        ("x ##[add-mask]y", "x #\\x23[add-mask]y"),
        ("::1 refused, ::ffff:10.0.0.1", "::1 refused, ::ffff:10.0.0.1"),
        ("drill/test_a.py::test_b[c::d]", "drill/test_a.py::test_b[c::d]"),
    ],
)
def test_what_would_be_obeyed_is_spelled_out(text: str, shown: str) -> None:
    """Control characters, directions, no widths and workflow commands; all else stays."""
    assert printable(text) == shown
    assert printable(shown) == shown
    assert text.isascii() or printable_lines("é\n" + text).startswith("é\n")


def test_colours_stay_on_a_terminal() -> None:
    """Only what pytest itself sends, nothing that moves, hides or clears."""
    assert printable_markup("\x1b[1m\x1b[31mred\x1b[0m") == "\x1b[1m\x1b[31mred\x1b[0m"
    assert printable_markup("\x1b[39;49;00m") == "\x1b[39;49;00m"
    for code in ("\x1b[8m", "\x1b[2J", "\x1b[1;8m", "\x1b]0;t\x07", "\x1b[31"):
        assert "\x1b" not in printable_markup(code)


def test_json_keeps_its_meaning() -> None:
    """Whatever a string holds, the file shows it and reads back as the same."""
    value = {WORSE: [WORSE, "é", "\U000e0041"]}
    text = printable_json(value, indent=2)

    assert json.loads(text) == value
    assert not OBEYED.search(text) and "é" in text


def test_a_message_has_a_line_for_each_of_its_parts() -> None:
    """No part of a message makes lines of its own; libpq's own second line goes on in the first."""
    told = message(f"table {WORSE}", [EVIL, f" {EVIL}", "closed\n\tThis means"], [EVIL])

    assert len(told.splitlines()) == 5
    assert BANNER not in map(str.strip, told.splitlines())
    assert "           closed This means" in told
    assert "\n" not in BackupFault(EVIL).what


def test_every_message_of_a_criterion_has_its_parts() -> None:
    """A name in a plain text could make lines of its own."""
    for path in (ROOT / "drill").glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assert) and isinstance(node.msg, ast.JoinedStr):
                pytest.fail(f"{path.name}, line {node.lineno}: tell it with message()")


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dump whose every name is evil, with an orphan, so that the drill has much to say.

    Its server is its own: pg_dump reads all roles, and this one has no name in LATIN1.
    """
    folder = tmp_path_factory.mktemp("evil")
    path = folder / f"backup {WORSE}.sql"
    with contextlib.closing(Shops(folder)) as shops:
        target = shops.database(USUAL, f"database{EVIL}")
        fill_shop(target, DATABASE)
        pg_dump(target, path)
    text = path.read_bytes()
    cut = re.sub(rb"(COPY [^;]*parent[^;]*;\n)1\n", rb"\1", text)
    assert cut != text
    path.write_bytes(cut)
    return path


def lines_obeyed(output: str) -> list[str]:
    """Lines of `output` that pretend, command or steer."""
    return [
        line
        for line in output.replace("\r\n", "\n").split("\n")
        if OBEYED.search(line)
        or line.strip() == BANNER
        or line.lstrip().startswith("::error")
        or "##[" in line
    ]


@pytest.mark.parametrize("flags", [(), ("-v",), ("-q",), ("-vv", "--tb=long", "-rA")])
def test_no_name_is_obeyed_in_a_log(
    flags: tuple[str, ...], dump: Path, report_dir: Path, tmp_path: Path
) -> None:
    """Neither the log nor any report obeys a name; each is reported all the same."""
    summary = tmp_path / "summary.md"
    drill = run_drill(
        f"--backup={dump}", *flags, report_dir=report_dir, GITHUB_STEP_SUMMARY=str(summary)
    )

    assert drill.code == 1, drill.output
    assert "test_restore_has_no_errors" in drill.output
    assert f"{BANNER} ::error::x \\x1b[2J\\u202e\\x9b1m" in drill.output
    assert lines_obeyed(drill.output) == []
    page = (report_dir / "report.html").read_text("utf-8")
    shown = re.sub(r"(?s)<script.*?</script>|<style.*?</style>", "", page)
    assert lines_obeyed(shown) == []
    assert lines_obeyed((report_dir / "result.json").read_text("utf-8")) == []
    assert lines_obeyed(summary.read_text("utf-8")) == []
    junit = ET.parse(report_dir / "junit.xml")  # noqa: S314 - we wrote it
    told = [text for node in junit.iter() for text in (node.text, *node.attrib.values()) if text]
    assert [text for text in told if OBEYED.search(text)] == []
    assert any(EVIL in name for name in drill.result["tables"]), "the JSON keeps the real names"


@pytest.mark.parametrize("flags", [(), ("-v", "--color=yes")])
def test_no_name_is_obeyed_on_a_terminal(
    flags: tuple[str, ...], dump: Path, report_dir: Path
) -> None:
    """On a terminal there are colours and progress lines; nothing else of a name is obeyed."""
    output = on_terminal(f"--backup={dump}", *flags, f"--report-dir={report_dir}")

    assert f"{BANNER} ::error::x \\x1b[2J\\u202e\\x9b1m" in output
    plain = re.sub(r"\x1b\[[\d;]*m|\x1b\]9;4;[\d;]*\x1b\\|\r", "", output)
    assert lines_obeyed(plain) == []


def on_terminal(*arguments: str) -> str:
    """What a drill with `arguments` writes to a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in CLEARED and not name.startswith(("DRILL_", "PYTEST"))
    }
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", str(ROOT / "drill"), "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env=environment | {"TERM": "xterm", "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        written = b""
        while select.select([ours], [], [], 120)[0]:
            try:
                written += os.read(ours, 65536)
            except OSError:
                break
        process.wait(timeout=60)
    os.close(ours)
    return written.decode("utf-8")
