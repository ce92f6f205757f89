"""fleet.json, junit.xml and the folders of the databases."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from jsonschema import Draft202012Validator, FormatChecker

from restore_drill.fleet.model import Database, Done
from restore_drill.fleet.report.files import begin, folder_of, keep_reports, leave, with_report
from restore_drill.fleet.report.run import Fleet
from restore_drill.fleet.report.schema import fleet_schema
from tests.fleet.report.conftest import SECRET, Make, Real
from tests.helpers.histories import FAILED
from tests.helpers.options_table import FLEET_RESULT_SCHEMA, fleet_result_schema_text
from tests.helpers.result_schema import closed

OWN = Path("fleet.toml")
STATES = {
    "ok": "passed", "slow": "warned", "shop": "failed", "box": "could-not-run", "old": "lost",
    "big": "left", "sun": "elsewhen", "bad": "usage", "few": "incomplete",
}  # fmt: skip


def checked(path: Path) -> dict[str, object]:
    """fleet.json at `path`, which must have all that its schema has, and nothing else."""
    loaded: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator(closed(fleet_schema()), format_checker=FormatChecker()).validate(loaded)
    return loaded


def test_the_published_schema_is_that_of_the_file() -> None:
    """docs/fleet-result.schema.json is what `make docs` writes."""
    assert FLEET_RESULT_SCHEMA.read_text("utf-8") == fleet_result_schema_text(), "make docs"


def test_fleet_json_has_every_database(make: Make, tmp_path: Path) -> None:
    """Each once, the worst first, with what was measured; the file is valid."""
    fleet = make(**STATES, database=Database("", "", owner="ann", labels={"env": "prod"}))
    leave(tmp_path, fleet, {})
    found = checked(tmp_path / "fleet.json")

    assert (found["verdict"], found["exit_code"], found["interrupted"]) == ("failed", 1, False)
    assert found["counts"] == {
        "failed": 1, "could-not-run": 3, "not-begun": 1, "incomplete": 1, "warnings": 1,
        "passed": 1, "not-due": 1,
    }  # fmt: skip
    rows = found["databases"]
    assert isinstance(rows, list)
    assert [each["name"] for each in rows] == [
        "shop", "bad", "box", "old", "big", "few", "slow", "ok", "sun",
    ]  # fmt: skip
    good = rows[-2]
    assert good["rows"] > 200 and good["restore_seconds"] > 0 and good["bytes"] > 1000
    assert good["strength"] == "plausible" and good["labels"] == {"env": "prod"}
    assert rows[0]["findings"] >= 1 and "damaged" in rows[0]["why"]
    assert sorted(os.listdir(tmp_path)) == ["fleet.html", "fleet.json", "junit.xml"]  # noqa: PTH208


def suites(path: Path) -> dict[str, ET.Element]:
    """Suites of the junit.xml at `path`, by the names of their databases."""
    found = ET.parse(path).getroot().findall("testsuite")  # noqa: S314 - our own
    return {str(each.get("name")).removeprefix("restore-drill: "): each for each in found}


def test_junit_has_a_suite_for_each(real: Mapping[str, Real], make: Make, tmp_path: Path) -> None:
    """Those of the drills themselves; one error of what has left none; nothing green but a pass."""
    fleet = make(**STATES)
    for name, verdict in (("ok", "passed"), ("shop", "failed"), ("old", "passed")):
        folder = keep_reports(tmp_path, real[verdict].done(name), OWN)
        fleet.outcomes[name] = fleet.outcomes[name].__class__(
            **{**vars(fleet.outcomes[name]), "folder": folder}
        )
    leave(tmp_path, fleet, {})
    found = suites(tmp_path / "junit.xml")
    reds = {name: [each.get("message") for kind in ("failure", "error")
                   for each in suite.iter(kind)] for name, suite in found.items()}  # fmt: skip

    assert len(found["ok"].findall("testcase")) > 20 and not reds["ok"]
    assert "shop.sql is damaged" in str(reds["shop"])
    assert reds["big"] == ["no worker has 2.0 TB of disk for it"]
    assert reds["old"] == ["its worker was lost"]  # its suites alone would be green
    assert found["sun"].find(".//skipped") is not None and not reds["sun"]


def test_a_folder_for_each_name(tmp_path: Path) -> None:
    """Whatever a name holds: it stays below the folder, and is no other's."""
    names = [
        "shop",
        "Shop",
        "SHOP",
        "db/shop",
        "db-shop",
        "../x",
        "..",
        ".",
        "",
        "-x",
        "x" * 300,
        "é",
    ]
    names += ["a\0b", "a\nb", "con.", folder_of(tmp_path, "Shop").name]
    folders = [folder_of(tmp_path, each) for each in names]

    assert folders[0] == tmp_path / "fleet" / "shop"
    assert {each.parent for each in folders} == {tmp_path / "fleet"}
    assert len({each.name.lower() for each in folders}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,99}", each.name) for each in folders)


def test_reports_of_an_earlier_run_go(real: Mapping[str, Real], tmp_path: Path) -> None:
    """A green report never stands for a drill that has left none."""
    good = real["passed"].done("shop")
    folder = keep_reports(tmp_path, good, OWN)
    assert folder is not None
    (folder / "result.dsse.json").write_text("{}")
    assert json.loads((folder / "result.json").read_text("utf-8")) == good.result
    assert (folder / "report.html").read_bytes() == good.report

    assert keep_reports(tmp_path, Done("shop", None, "w", 1.0), OWN) is None
    assert list(folder.iterdir()) == []


def test_reports_of_former_databases_go(real: Mapping[str, Real], tmp_path: Path) -> None:
    """Those of others stay: its databases', another inventory's, and what is not ours.

    So it is after any run: one that was killed has left no fleet.json.
    """
    for name in ("shop", "Shop", "gone", "kept"):
        keep_reports(tmp_path, real["passed"].done(name), OWN)
    keep_reports(tmp_path, real["passed"].done("other"), Path("other.toml"))
    (folder_of(tmp_path, "kept") / "notes.txt").touch()
    begin(tmp_path, ["shop"], OWN)
    begin(tmp_path, ["shop"], OWN.absolute())

    assert sorted(each.name for each in (tmp_path / "fleet").iterdir()) == ["kept", "other", "shop"]
    assert (folder_of(tmp_path, "other") / "report.html").is_file()
    assert [each.name for each in folder_of(tmp_path, "kept").iterdir()] == ["notes.txt"]
    assert (folder_of(tmp_path, "shop") / "report.html").is_file()


def test_reports_are_those_of_their_drill(real: Mapping[str, Real], tmp_path: Path) -> None:
    """What a history says of a folder on a worker is replaced, and never by another drill's."""
    done = real["failed"].done("shop")
    folder = keep_reports(tmp_path, done, OWN)
    assert folder is not None and done.result is not None
    drill = replace(FAILED, at=datetime.fromisoformat(done.result["started_at"]))

    assert with_report(drill, tmp_path, "shop").report == str(folder)
    assert with_report(FAILED, tmp_path, "shop").report == FAILED.report
    assert with_report(drill, tmp_path, "none") == drill


def test_the_verdict_of_a_single_drill_goes(make: Make, tmp_path: Path) -> None:
    """Whoever looks into the report directory does not find an older verdict beside this one."""
    for name in ("result.json", "report.html", "fleet.json"):
        (tmp_path / name).write_text("old")
    leave(tmp_path, make(ok="passed"), {})

    assert sorted(os.listdir(tmp_path)) == ["fleet.html", "fleet.json", "junit.xml"]  # noqa: PTH208
    assert checked(tmp_path / "fleet.json")["verdict"] == "passed"


def test_no_file_has_secrets_or_control_characters(tmp_path: Path) -> None:
    """Whatever the inventory or a worker says."""
    name = "evil\x1b[31m\u202e<script>alert(1)</script>"
    database = Database(
        name, "", backups=f"s3://k:{SECRET}@b/x", notify=(f"json://host/{SECRET}",),
        environment={"PGPASSWORD": SECRET}, owner="<b>\x00</b>", labels={"<i>": "\x1b\ud800"},
    )  # fmt: skip
    fleet = Fleet(Path("fl\x07eet.toml"), {name: database}, undecided=["\x1bnew<img src=x>"])
    fleet.end(Done(name, None, f"tcp://w:{SECRET}@h\x1b", 1.0, why=f"{SECRET}\x1b]0;"), 1)
    fleet.close()
    page = leave(tmp_path, fleet, {})

    for path in (page, tmp_path / "fleet.json", tmp_path / "junit.xml"):
        text = path.read_text(encoding="utf-8")
        assert SECRET not in text, path
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", text), path
    text = page.read_text(encoding="utf-8")
    assert text.count("<script>") == 1 and "<img" not in text and "<b>" not in text
    checked(tmp_path / "fleet.json")
