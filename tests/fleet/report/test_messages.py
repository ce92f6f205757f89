"""One message for each channel, not one for each database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.alerts import delivery
from restore_drill.alerts.missed import remember, remembered
from restore_drill.config.criteria import load_criteria
from restore_drill.fleet.known import Known
from restore_drill.fleet.model import Database
from restore_drill.fleet.report import messages as module
from restore_drill.fleet.report.issues import Place, Run
from restore_drill.fleet.report.messages import announce, before_in, messages
from restore_drill.fleet.report.repeats import key_of, memory, note_told, repeated
from restore_drill.fleet.report.run import Fleet
from restore_drill.fleet.report.telling import told
from tests.fleet.report.conftest import Make, Real, add
from tests.helpers.histories import FAILED, NOW, PASSED
from tests.helpers.inboxes import Inbox, forge, inbox

AHEAD = NOW + timedelta(days=1)


def run_of(real: Mapping[str, Real], **states: str) -> Fleet:
    """A run: `ann_shop` is a database of ann's, who has a channel of her own; bob likewise."""
    databases = {
        name: Database(name, "", owner=name.partition("_")[0],
                       notify=(f"json://{name.partition('_')[0]}",))
        for name in states
    }  # fmt: skip
    fleet = Fleet(Path("fleet.toml"), databases)
    for name, state in states.items():
        add(fleet, name, state, real)
    fleet.close()
    return fleet


def test_each_channel_hears_of_its_own(real: Mapping[str, Real]) -> None:
    """A green owner hears nothing; who hears of all is told the owners."""
    fleet = run_of(real, ann_shop="failed", ann_web="passed", bob_log="passed", cy_old="lost")
    found = dict(messages(fleet, ["json://all"], place="ci:/fleet.html"))

    assert list(found) == ["json://all", "json://ann", "json://cy"]
    everything = found["json://all"].text.splitlines()
    assert everything[0] == "Restore drills FAILED: 1 of 4 databases"
    assert everything[1] == "1 failed, 1 could not run, 2 passed"
    assert everything[2].startswith("failed: ann_shop (ann), shop.sql, ")
    assert everything[3] == "  next: compare its size and checksum with the original"
    assert everything[4] == "could not run: cy_old (cy): its worker was lost"
    assert everything[5:] == ["Report: ci:/fleet.html"]
    hers = found["json://ann"].text.splitlines()
    assert hers[0] == "Restore drills FAILED: 1 of 2 databases"
    assert "(ann)" not in hers[2] and "shop.sql is damaged" in hers[2]
    assert hers[3].startswith("1. ")
    assert found["json://cy"].event == "could-not-run"


def test_ten_are_named(make: Make) -> None:
    """The rest is counted: nobody reads a hundred lines in a chat."""
    fleet = make(**{f"db{number:03}": "failed" for number in range(100)})
    ((_, message),) = messages(fleet, ["json://all"])

    assert message.title == "Restore drills FAILED: 100 of 100 databases"
    assert sum(line.startswith("failed: ") for line in message.lines) == 10
    assert message.lines[-1] == "and 90 more"
    assert all(len(line) <= 300 for line in message.lines)


def test_one_reason_is_one_line(make: Make) -> None:
    """A scheduler that is gone is not told ten times, nor an engine that does not answer."""
    states = {f"db{number:03}": "left" for number in range(100)}
    states |= {"shop": "failed", "old": "lost", "older": "lost"}
    ((_, message),) = messages(make(**states), ["json://all"])

    first, step, lost, second = message.lines[1:]
    assert first.startswith("failed: shop, ") and step.startswith("  next: ")
    assert second.startswith("not begun: no worker has 2.0 TB of disk for it: db000, db001, ")
    assert second.endswith(" and 90 more")
    assert lost == "could not run: its worker was lost: old, older"


def test_green_runs_are_silent_unless_asked(make: Make, tmp_path: Path) -> None:
    """As with a single drill: `[notify]` of the criteria file says which events are sent."""
    green = make(a="passed", b="warned", c="elsewhen")
    assert messages(green, ["json://all"]) == []

    ((_, again),) = messages(green, ["json://all"], before={"a": "failed", "b": "passed"})
    assert again.title == "Restore drills passed again: 1 of 3 databases"
    assert again.lines[-1] == "Passed again: a"

    earlier = {"a": [replace(PASSED, at=NOW), replace(FAILED, at=NOW), replace(PASSED, at=AHEAD)]}
    assert before_in(earlier, green.started) == {"a": "failed"}
    criteria = tmp_path / "criteria.toml"
    criteria.write_text('[notify]\nevents = ["passed"]\n')
    own = Database("", "", criteria=load_criteria(criteria))
    asked = make(a="passed", b="warned", database=own)
    ((_, message),) = messages(asked, ["json://all"])
    assert (message.event, message.title) == ("passed", "Restore drills passed: 2 of 2 databases")
    assert messages(make(a="failed", database=own), ["x://"]) == []


@pytest.mark.parametrize(("has_terminal", "count"), [(True, 0), (False, 1)])
def test_nobody_hears_of_a_persons_own_ctrl_c(
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    has_terminal: bool,  # noqa: FBT001
    count: int,
) -> None:
    """Where a scheduler ends the run, people hear what was left."""
    monkeypatch.setattr(module, "has_terminal", lambda: has_terminal)
    fleet = make(is_interrupted=True, a="passed", b="unknown")

    assert len(messages(fleet, ["json://all"])) == count


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A web server that takes messages; no pauses between tries."""
    monkeypatch.setattr(delivery, "PAUSES", [0.01])
    with inbox() as found:
        yield found


def test_messages_arrive(make: Make, box: Inbox) -> None:
    """One on each channel; a channel that does not take it is named without its URL."""
    gone = "json://127.0.0.1:9/t0ken-of-a-channel"
    fleet = make(a="failed", b="lost", database=Database("", "", notify=(gone,)))
    environment = {"DRILL_NOTIFY": box.hook, "CI_JOB_URL": "https://ci.example/7"}
    outcomes = announce(fleet, environment, Path("fleet.html"))

    assert list(outcomes) == [box.hook, gone]
    assert [each.line for each in outcomes.values()] == [
        "channel 1 (JSON): sent", "channel 2 (JSON): did not take the message",
    ]  # fmt: skip
    (message,) = box.messages
    assert message["title"] == "Restore drills FAILED: 1 of 2 databases"
    assert "Report: https://ci.example/7" in message["message"]


def test_a_channel_of_all_and_of_an_owner_gets_one(make: Make) -> None:
    """The message about all holds what the other one would say."""
    fleet = make(a="failed", database=replace(Database("", ""), notify=("json://all",)))

    assert [channel for channel, _ in messages(fleet, ["json://all"])] == ["json://all"]


def test_what_is_not_over_is_named(make: Make) -> None:
    """A message that some passed again does not sound as if all had."""
    fleet = make(a="passed", legacy="still", old="lost")
    ((_, again),) = messages(
        fleet, ["json://all"], before={"a": "failed"}, quiet={"json://all": {"old"}}
    )
    ((_, back),) = messages(make(a="passed", legacy="still"), ["json://all"], is_back=True)

    assert again.lines[1:] == (
        "Passed again: a", "Still failed: legacy", "Still could not run: old",
    )  # fmt: skip
    assert back.title == "Restore drills are running again: nothing new to report"
    assert back.lines[1:] == ("Passed: a", "Still failed: legacy")


def test_a_reason_is_told_once_a_day(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another reason, a failure or a pass is told at once; so is what did not arrive."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    place = Place("fleet.toml", "here")

    def told(state: str, *, is_told: bool = True) -> bool:
        fleet = make(db=state)
        ways = {"json://all": fleet.rows}
        quiet = repeated(fleet, place, ways)
        note_told(fleet, place, quiet, ways if is_told else {})
        return not quiet["json://all"]

    assert [told("lost", is_told=False), told("lost"), told("lost")] == [True, True, False]
    assert [told("left"), told("lost"), told("elsewhen"), told("lost")] == [True, True, True, False]
    assert [told("passed"), told("lost"), told("failed"), told("lost")] == [True] * 4

    old = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    remember(memory(), dict.fromkeys(remembered(memory()), old))
    assert [told("lost"), told("lost")] == [True, False]


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ("no answer within 2 min 5 s", "no answer within 30 s", True),
        ("its backup is 26 h old", "its backup is 27 h 3 min old", True),
        ("it needs 400.0 MB of disk, 1 core", "it needs 1.2 GB of disk, 1 core", True),
        ("cannot read shop-20261129T0300.sql", "cannot read shop-20261130T0300.sql", True),
        ("failed at 2026-11-29 03:00:00 UTC", "failed at 2026-11-30 03:00:01 UTC", True),
        ("s3://bucket-1 is gone", "s3://bucket-2 is gone", False),
        ("HTTP 403", "HTTP 500", False),
        ("exit code 4", "exit code 6", False),
    ],
)
def test_which_reasons_are_the_same(
    make: Make,
    before: str,
    after: str,
    is_same: bool,  # noqa: FBT001
) -> None:
    """Measures and times change each hour; another bucket or answer is another reason."""
    row, place = make(db="lost").rows[0], Place("fleet.toml", "here")
    keys = {key_of(replace(row, why=why), "json://all", place) for why in (before, after)}

    assert (len(keys) == 1) == is_same


def test_who_did_not_hear_is_told_by_the_next_run(
    make: Make, box: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What reached the channel of one database, or an issue, was not told to another."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with inbox() as other, forge() as kept:
        databases = {
            name: Database(name, "", notify=(hook,))
            for name, hook in (("a", other.hook), ("b", box.hook))
        }
        environment = {
            "DRILL_ISSUES": "github:someone/shop", "GITHUB_API_URL": kept.url, "GITHUB_TOKEN": "no",
        }  # fmt: skip
        counts = list[tuple[int, int, int]]()
        for code, token in ((500, "no"), (200, kept.token), (200, kept.token)):
            other.code, other.taken[:] = code, []
            box.taken.clear()
            fleet = make(a="lost", b="lost")
            rows = fleet.outcomes.items()
            fleet.outcomes |= {name: replace(row, database=databases[name]) for name, row in rows}
            run = Run(fleet, {name: Known(each) for name, each in databases.items()})
            told(run, environment | {"GITHUB_TOKEN": token}, None, None)
            counts.append((bool(other.taken), len(box.taken), len(kept.issues)))

    assert counts == [(True, 1, 0), (True, 0, 2), (False, 0, 2)]
    assert [each["comments"] for each in kept.issues] == [[], []]
    assert box.url not in memory().read_text()
