"""The GitHub workflows: what linters say of them, what they promise, and that their steps work."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from restore_drill.config.options import OPTIONS, VARIABLES
from restore_drill.servers.fetch import pins
from tests.helpers.drills import ROOT
from tests.helpers.workflows import (
    ACTION,
    BASH,
    DRILL,
    GITHUB,
    INIT,
    RELEASE,
    TESTS,
    WEEKLY,
    WORKFLOWS,
    jobs,
    load,
    run,
    step,
    tool,
)


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    """The security linter for workflows has nothing to say, pedantic as it is."""
    init = tmp_path / "workflow.yml"
    init.write_text(INIT.read_text(encoding="utf-8"), encoding="utf-8")
    paths = map(str, (GITHUB, ROOT / "action.yml", init))
    done = run([tool("zizmor"), "--offline", "--no-progress", "--persona=pedantic", *paths])

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", [*WORKFLOWS, INIT]),
        ("vendor.github-actions", [ROOT / "action.yml"]),
        ("vendor.dependabot", [GITHUB / "dependabot.yml"]),
    ],
)
def test_files_follow_githubs_schema(schema: str, files: list[Path]) -> None:
    """GitHub will understand the files."""
    command = [tool("check-jsonschema"), "--builtin-schema", schema, "--default-filetype=yaml"]
    done = run([*command, *map(str, files)])

    assert done.returncode == 0, done.stdout + done.stderr


PINNING = [*WORKFLOWS, ROOT / "action.yml", INIT]


@pytest.mark.parametrize("path", PINNING, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    """Every action is pinned to a commit, its version in a comment, the same one everywhere."""
    text = re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = [line for line in re.findall(r"uses: .*", text) if line[6:8] not in ("./", "$/")]
    everywhere = "".join(each.read_text(encoding="utf-8") for each in PINNING)

    assert lines
    for line in lines:
        match = re.fullmatch(r"uses: ([\w-]+/[\w-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
        assert match, line
        assert len(set(re.findall(rf"{match[1]}@.*", everywhere))) == 1


MORE_RIGHTS = {
    ("restore-drill", "alerts"): {"issues": "write"},
    ("release", "publish"): {"id-token": "write"},
    ("release", "github"): {"contents": "write"},
}
"""What the jobs that change something may do."""


@pytest.mark.parametrize(("path", "name", "job"), jobs())
def test_jobs_have_least_permissions_and_an_end(path: Path, name: str, job: dict[str, Any]) -> None:
    """A job that checks out may read the repository; another one may do nothing unless named."""
    workflow = load(path)
    checks_out = [each for each in job.get("steps", ()) if "checkout@" in each.get("uses", "")]
    reads = {"contents": "read"} if checks_out or "uses" in job else {}

    assert workflow["permissions"] == {}
    assert "workflow_call" in workflow["on"] or workflow["concurrency"]["group"]
    assert job["permissions"] == reads | MORE_RIGHTS.get((path.stem, name), {})
    if "uses" not in job:
        given = job["timeout-minutes"]
        asked = DRILL["on"]["workflow_call"]["inputs"]["timeout-minutes"]["default"]
        assert 0 < (asked if given == "${{ inputs.timeout-minutes }}" else given) <= 120
    for each in checks_out:
        assert each["with"]["persist-credentials"] is False


@pytest.mark.parametrize(("path", "name", "job"), jobs())
def test_nothing_is_pasted_into_a_shell(path: Path, name: str, job: dict[str, Any]) -> None:
    """What people type and secrets hold reaches a command by its environment, never as its text."""
    assert path and name
    for each in [*job.get("steps", ()), *ACTION["runs"]["steps"]]:
        assert "${{" not in each.get("run", "")
        assert "secrets." not in json.dumps(each.get("with", {}))


def test_gate_waits_for_every_job() -> None:
    """A branch rule that asks for this one check asks for all of them."""
    jobs_of_tests = TESTS["jobs"]

    assert set(jobs_of_tests["all-green"]["needs"]) == set(jobs_of_tests) - {"all-green"}
    assert jobs_of_tests["all-green"]["if"] == "always()"


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ("success success", 0),
        ("success failure", 1),
        ("cancelled success", 1),
        ("skipped success", 1),
    ],
)
def test_gate_is_green_by_success_alone(results: str, code: int) -> None:
    """A job that was skipped or cancelled has proved nothing."""
    (gate,) = TESTS["jobs"]["all-green"]["steps"]
    done = run([*BASH, gate["run"]], RESULTS=results)

    assert done.returncode == code
    assert ("::error::" in done.stdout) == bool(code)


def test_each_supported_version_has_a_row() -> None:
    """Of PostgreSQL all that the drill starts, of Python all that the package is for."""
    postgresql, python = (
        TESTS["jobs"][name]["strategy"]["matrix"][name] for name in ("postgresql", "python")
    )
    majors = [int(major) for major in postgresql]
    minors = [int(each.removeprefix("3.")) for each in python]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert majors == sorted(pins())
    assert project["requires-python"] == f">=3.{minors[0]}"
    assert minors == list(range(minors[0], minors[-1] + 1))


def test_tests_that_a_row_names_are_there() -> None:
    """A file that was renamed is renamed here as well."""
    for job in [*TESTS["jobs"].values(), *RELEASE["jobs"].values()]:
        text = json.dumps(job)
        for path in re.findall(r"tests/[\w/.]+", text):
            assert (ROOT / path).exists(), path


def test_drill_runs_on_mondays_and_by_hand_with_a_reason() -> None:
    """The schedule is the guide's own, and a run by hand says why."""
    assert WEEKLY["on"]["schedule"] == [{"cron": "0 5 * * 1"}]
    assert WEEKLY["on"]["workflow_dispatch"]["inputs"]["reason"]["required"] is True


def test_report_is_uploaded_whatever_happened() -> None:
    """A failed drill's report is the one that people need, under the name that the alerts read."""
    upload = ACTION["runs"]["steps"][-1]
    sample = WEEKLY["jobs"]["sample"]["steps"][-1]
    backup = WEEKLY["jobs"]["backup"]

    assert upload["if"] == "always() && inputs.artifact != ''"
    assert upload["with"]["name"] == "${{ inputs.artifact }}"
    assert sample["with"]["artifact"] == "drill-report-sample"
    assert backup["with"]["artifact"] == "drill-report-backup"
    drilled = step(DRILL["jobs"]["drill"]["steps"], "Drill it")
    assert drilled["with"]["artifact"] == "${{ inputs.artifact }}"


def test_all_that_a_caller_may_give_is_handed_on() -> None:
    """The weekly workflow gives the called one nothing that it does not take, and all secrets."""
    called, backup = DRILL["on"]["workflow_call"], WEEKLY["jobs"]["backup"]

    assert set(backup["with"]) <= set(called["inputs"])
    # The job behind the drills sends the messages, also where a drill died.
    assert set(backup["secrets"]) == set(called["secrets"]) - {"DRILL_NOTIFY"}
    for job in (WEEKLY["jobs"]["sample"], DRILL["jobs"]["drill"]):
        for each in job["steps"]:
            if each.get("uses", "").startswith("./"):
                assert set(each["with"]) <= set(ACTION["inputs"])


def test_alerts_are_sent_after_every_end_of_the_drills() -> None:
    """They are sent after success, failure and time-out, unless a person cancelled the run."""
    job = WEEKLY["jobs"]["alerts"]

    assert {"sample", "backup"} <= set(job["needs"])
    assert job["if"] == "${{ !cancelled() }}"


def test_every_setting_can_be_configured() -> None:
    """The real drill gets every setting that the repository may hold, under its own name."""
    drilled = step(DRILL["jobs"]["drill"]["steps"], "Drill it")
    not_here = {"", "DRILL_REPORT_DIR", "DRILL_SAMPLE_ROWS", "DRILL_REQUIRE_BACKUP"}
    not_here |= {
        "DRILL_CACHE",
        "DRILL_CACHE_SIZE",
        "DRILL_KEEP",
        "DRILL_KEEP_FOR",
        "DRILL_KEEP_REPORTS",
    }  # the machine ends with the job
    wanted = {option.variable for option in OPTIONS.values()} - not_here
    wanted |= {name for name in VARIABLES.values() if name.startswith("DRILL_")}

    assert drilled["with"].get("sample", "false") == ACTION["inputs"]["sample"]["default"]
    assert drilled["with"]["args"] == "${{ vars.DRILL_ARGS }}"
    wanted |= {"DRILL_NOTIFY", "DRILL_PING"}
    assert {name for name in drilled["env"] if name.startswith("DRILL_")} == wanted
    assert {*drilled["env"], "BACKUP_PATH"} >= set(VARIABLES.values())
    for name, value in drilled["env"].items():
        assert re.fullmatch(rf"\$\{{\{{ (secrets|vars)\.{name} \}}\}}", value)


def test_fetch_command_runs_unseen(tmp_path: Path) -> None:
    """The commands that fetch the backup are in no argument and no environment of others."""
    seen = "(ps axww || cat /proc/[0-9]*/cmdline)"
    commands = f'token=hidden; {seen} > "$BACKUP_PATH/ps"; env > "$BACKUP_PATH/env"'
    script = tmp_path / "step"
    script.write_text(step(DRILL["jobs"]["drill"]["steps"], "Fetch")["run"], encoding="utf-8")
    folder = tmp_path / "backups"
    done = run([*BASH[:-1], str(script)], BACKUP_FETCH=commands, BACKUP_PATH=str(folder))

    assert done.returncode == 0, done.stderr
    assert "hidden" not in (folder / "ps").read_text(encoding="utf-8")
    assert "hidden" not in (folder / "env").read_text(encoding="utf-8")


def test_fetch_that_fails_stops_the_job(tmp_path: Path) -> None:
    """A pipe whose first command fails does not pass for a fetched backup."""
    here = step(DRILL["jobs"]["drill"]["steps"], "Fetch")["run"]
    done = run(
        [*BASH, here], BACKUP_FETCH="false | cat; echo on", BACKUP_PATH=str(tmp_path / "new")
    )

    assert DRILL["jobs"]["drill"]["defaults"]["run"]["shell"] == "bash"
    assert done.returncode != 0 and "on" not in done.stdout


def test_missing_backup_folder_is_not_made_up(tmp_path: Path) -> None:
    """Without commands to fetch a backup, a folder that is not mounted stays missing."""
    folder = tmp_path / "not-mounted"
    done = run(
        [*BASH, step(DRILL["jobs"]["drill"]["steps"], "Fetch")["run"]],
        BACKUP_FETCH="",
        BACKUP_PATH=str(folder),
    )

    assert done.returncode == 0 and not folder.exists()


@pytest.mark.parametrize(("has_backup", "warned"), [("true", False), ("false", True)])
def test_unconfigured_backup_is_reported(tmp_path: Path, has_backup: str, warned: bool) -> None:  # noqa: FBT001
    """A repository whose backup is not drilled gets a warning at every run."""
    output, summary = tmp_path / "output", tmp_path / "summary"
    done = run(
        [*BASH, step(WEEKLY["jobs"]["sample"]["steps"], "configured")["run"]],
        HAS_BACKUP=has_backup,
        REASON="a `look`",
        GITHUB_ACTOR="someone",
        GITHUB_OUTPUT=str(output),
        GITHUB_STEP_SUMMARY=str(summary),
    )

    assert done.returncode == 0, done.stderr
    assert output.read_text(encoding="utf-8") == f"has-backup={has_backup}\n"
    assert summary.read_text(encoding="utf-8") == "Started by hand by someone: a `look`\n\n"
    assert ("::warning title=No backup was drilled::" in done.stdout) is warned
