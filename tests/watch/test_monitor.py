"""`restore-drill status` for monitors and programs: schedules, several histories, one line."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from restore_drill.config.criteria import load_criteria
from restore_drill.core.errors import UsageError
from restore_drill.watch.judgement import Rules
from tests.helpers.histories import FAILED, NOW, PASSED, Call, caller, loaded, weekly, write


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Runs a command on the history of `tmp_path`."""
    return caller(tmp_path, monkeypatch, capsys)


def test_the_schedule_says_when_a_drill_is_missed(tmp_path: Path, call: Call) -> None:
    """`[schedule] every`, with a seventh of it as grace; --max-age goes first."""
    (tmp_path / "criteria.toml").write_text('[schedule]\nevery = "1d"\n')
    write(tmp_path, replace(PASSED, at=NOW - timedelta(days=3, hours=1)))
    given = {"DRILL_CRITERIA": str(tmp_path / "criteria.toml")}

    code, told = call("status", **given)

    assert code == 1
    assert "passed 3 d 1 h ago; the limit is 1 d 3 h (3 scheduled drills missed)" in told
    assert loaded(call("status", "--json")[1])["series"][0]["missed"] == 3
    assert call("status", "--max-age=4d")[0] == 0


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("", 8 * 86400),
        ('[schedule]\nevery = "7d"', 8 * 86400),
        ('[schedule]\nevery = "1h"', 2 * 3600),
        ('[schedule]\nevery = "1d"\ngrace = "6h"', 30 * 3600),
        ('[schedule]\nevery = "1d"\ngrace = 0', 24 * 3600),
    ],
)
def test_limits_of_schedules(text: str, limit: float, tmp_path: Path) -> None:
    """An hour of grace at least, unless it is set."""
    path = tmp_path / "criteria.toml"
    path.write_text(text)

    assert Rules.of(load_criteria(path)).limit == limit
    assert Rules.of(load_criteria(path), 5.0).limit == 5.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[schedule]\nevery = 0", "[schedule]: every must be a time like '7d'"),
        (
            "[schedule]\nevery = 7",
            "every must be a time like '7d', of a minute or more; 7 is 7 sec",
        ),
        ("[backup]\nevery = 1", "line 2, [backup]: every must be a time like '7d'"),
        ('[schedule]\ngrace = "1d"', "[schedule]: grace needs every"),
        ("[schedule]\nevery = nan", "every is not a duration: 'nan'"),
        (f'[sql]\ntimeout = "{"9" * 400}d"', "timeout is longer than 1000 years"),
        ('[schedule]\nevry = "7d"', "unknown key 'evry'; did you mean 'every'?"),
        ('[trend]\nfail = ["restor"]', "[trend]: 'restor' is unknown; choose from restore, ro"),
        ("[trend]\nmax_fall = 2", "max_fall must be a share like 0.1"),
    ],
)
def test_errors_in_the_new_sections(text: str, told: str, tmp_path: Path) -> None:
    """An error names its place."""
    path = tmp_path / "criteria.toml"
    path.write_text(text)

    with pytest.raises(UsageError) as refused:
        load_criteria(path)
    assert told in str(refused.value)


def test_a_quarter_passed_is_red(tmp_path: Path, call: Call) -> None:
    """However the last ones went: of ten drills more than a quarter must pass."""
    drills = weekly(10)
    failed = [replace(FAILED, at=each.at) for each in drills[:8]]
    write(tmp_path, *failed, *drills[8:])

    code, told = call("status")

    assert code == 1
    assert "8 of the last 10 drills did not pass, though the last one did" in told
    assert "(20% passed)" in told
    write(tmp_path, replace(PASSED, at=NOW))
    assert call("status")[0] == 0


@pytest.mark.parametrize(
    ("drills", "code", "line"),
    [
        (
            weekly(5),
            0,
            r"RESTORE DRILL OK - last pass 1 d ago \| 'age'=8\d{4}s;;691200;0 'passed'=100%;.*",
        ),
        (
            [*weekly(5), replace(FAILED, at=NOW)],
            2,
            r"RESTORE DRILL CRITICAL - the last drill failed; first finding: test_\S+ \| 'age'=.*",
        ),
        (
            [*[replace(FAILED, at=each.at) for each in weekly(4)[:3]], PASSED],
            1,
            r"RESTORE DRILL WARNING - 3 of the last 4 drills did not pass, .* \| 'age'=.*",
        ),
        ([], 2, r"RESTORE DRILL CRITICAL - no drill has been recorded"),
    ],
    ids=["well", "failed", "unsteady", "none"],
)
def test_nagios(drills: list[object], code: int, line: str, tmp_path: Path, call: Call) -> None:
    """One line with performance data, and the exit codes that monitors know."""
    write(tmp_path, *drills)  # type: ignore[arg-type]

    found, told = call("status", "--nagios")

    assert found == code
    assert re.fullmatch(line + r"\n", told), told
    assert code or told.endswith("'restore'=10.000s;;120;0 'rows'=1000;;;0 'size'=1000000B;;;0\n")


@pytest.mark.parametrize("wrong", ["--max-age=soon", "/nowhere", "s3://key:secret@bucket/x"])
def test_what_cannot_be_known_is_unknown(wrong: str, tmp_path: Path, call: Call) -> None:
    """Exit code 3, which is no alarm about the backup, and no secret in the line."""
    write(tmp_path, PASSED)

    code, told = call("status", "--nagios", wrong)

    assert code == 3
    assert told.startswith("RESTORE DRILL UNKNOWN - ") and told.count("\n") == 1
    assert "secret" not in told


def test_names_that_would_break_the_line_do_not(tmp_path: Path, call: Call) -> None:
    """A series is named by files: line ends, bars, quotes and equals signs mean nothing."""
    evil = replace(PASSED, series="db/a|b='c'\n\x1b[2J")
    write(tmp_path, *[replace(evil, at=evil.at - timedelta(days=n)) for n in (1, 0)], PASSED)

    code, told = call("status", "--nagios")

    assert code == 0 and told.count("\n") == 1 and "\x1b" not in told
    assert told.count("|") == 1 and "'db/a/b-''c''" in told


def test_several_histories_are_judged_together(tmp_path: Path, call: Call) -> None:
    """Each by itself, with its place; one that is red makes all red."""
    for name, drill in (("shop", PASSED), ("crm", FAILED)):
        write(tmp_path / name, *weekly(3), replace(drill, at=NOW))

    code, told = call("status", "shop", str(tmp_path / "crm" / ".drill" / "history.jsonl"))

    assert code == 1
    assert "Series shop: db/shop: OK" in told and f"{tmp_path}/crm: db/shop: PROBLEM" in told
    found = loaded(call("status", "shop", "crm", "--json")[1])
    assert [each["ok"] for each in found["series"]] == [True, False]
    assert len(found["drills"]) == 8 and found["drills"][0]["history"].startswith("shop")


def test_kept_backups_that_no_drill_has_proved_are_counted(tmp_path: Path, call: Call) -> None:
    """Those that were never drilled, and one that was replaced since under its name."""
    for name in ("shop_2026-11-01.sql", "shop_2026-11-02.sql", "shop_latest.sql"):
        (tmp_path / "db").mkdir(exist_ok=True)
        text = f"-- PostgreSQL database dump\n-- {name}\n-- PostgreSQL database dump complete\n"
        (tmp_path / "db" / name).write_text(text)
        os.utime(tmp_path / "db" / name, (NOW.timestamp() - 99 * 86400,) * 2)
    names = [f"shop_{each}.sql" for each in ("2026-11-02", "latest")]
    sizes = [(tmp_path / "db" / name).stat().st_size for name in names]
    write(
        tmp_path,
        *(replace(PASSED, backup=n, size=size) for n, size in zip(names, sizes, strict=True)),
    )

    code, told = call("status")
    assert code == 0
    assert "Backups: 3 backups kept; 1 not yet proved by a drill: shop_2026-11-01.sql" in told

    os.utime(tmp_path / "db" / "shop_latest.sql")
    (kept,) = loaded(call("status", "--json")[1])["kept"]
    assert kept["backups"] == 3
    assert kept["unproved"] == ["shop_latest.sql", "shop_2026-11-01.sql"]

    overwritten = tmp_path / "db" / "shop_2026-11-02.sql"
    overwritten.write_text(overwritten.read_text() + "--\n")
    (kept,) = loaded(call("status", "--json")[1])["kept"]
    assert overwritten.name in kept["unproved"]


def test_tampering_turns_verify_red(tmp_path: Path, call: Call) -> None:
    """`--verify` names the line; with a hash that is known from elsewhere the end counts too."""
    path = write(tmp_path, *weekly(4))
    code, told = call("status", "--verify")
    last = told.split()[-1]
    assert code == 0 and "OK: 4 entries of" in told and len(last) == 64
    assert call("status", "--verify", last)[0] == 0
    for no_hash in ("", "passed", last[:-1]):
        code, told = call("status", "--verify", no_hash)
        assert code == 4 and "takes the hash of an entry" in told

    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    assert call("status", "--verify")[0] == 0
    code, told = call("status", "--verify", last)
    assert code == 1 and "PROBLEM: no entry has the hash" in told

    path.write_bytes(b"".join(lines).replace(b'"verdict": "passed"', b'"verdict": "failed"', 1))
    code, told = call("status", "--verify")
    assert code == 1
    assert "checked: line 1 was changed: its hash does not match its content" in told


def test_a_history_without_hashes_is_not_verified(tmp_path: Path, call: Call) -> None:
    """Nor one of which nothing is left; and a hash in a text is no entry with it."""
    path = write(tmp_path, *weekly(4))
    last = call("status", "--verify")[1].split()[-1]
    call("skip", "--reason", last, "--approved-by", "ann", "--until", "2026-12-30")
    lines = path.read_bytes().splitlines(keepends=True)
    bare = [re.sub(rb', "number".*', b"}", line) for line in lines]

    for content, expected in (
        (b"".join(bare), "no entry with a hash"),
        (b"", "no entry with a hash"),
        (b"".join(line[:-1] + b" \n" for line in lines), "its hash is not where it was written"),
    ):
        path.write_bytes(content)
        code, told = call("status", "--verify")
        assert code == 1 and expected in told
    path.write_bytes(b"".join([*lines[:3], lines[4]]))
    assert f"no entry has the hash {last}" in call("status", "--verify", last)[1]
