"""The GitHub workflows: what linters say of them, what they promise, and that their steps work."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from ruamel.yaml import YAML

from restore_drill.config.options import OPTIONS, VARIABLES

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
"""How GitHub runs a step with `shell: bash`."""


def load(path: Path) -> dict[str, Any]:
    """Parse a workflow."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(path)
    return found


WEEKLY = load(GITHUB / "workflows" / "restore-drill.yml")
DRILL = load(GITHUB / "workflows" / "drill.yml")
ACTION = load(ROOT / "action.yml")
INIT = ROOT / "src" / "restore_drill" / "start" / "templates" / "workflow.yml.txt"
"""The workflow that `restore-drill init` writes."""


def jobs() -> list[Any]:
    """Every job of every workflow as a parameter `path, name, job`."""
    return [
        pytest.param(path, name, job, id=f"{path.stem}-{name}")
        for path in WORKFLOWS
        for name, job in load(path)["jobs"].items()
    ]


def step(steps: list[dict[str, Any]], part: str) -> dict[str, Any]:
    """Find the one of `steps` whose name or command contains `part`."""
    (found,) = [each for each in steps if part in each.get("name", "") + each.get("run", "")]
    assert isinstance(found, dict)
    return found


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `command` in the repository and keep its output."""
    return subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def tool(name: str) -> str:
    """Path of a tool that was installed beside this Python."""
    return str(Path(sys.executable).parent / name)


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


@pytest.mark.parametrize(("path", "name", "job"), jobs())
def test_jobs_have_least_permissions_and_an_end(path: Path, name: str, job: dict[str, Any]) -> None:
    """A job may read the repository, only the one that keeps the issue may write issues."""
    workflow = load(path)
    keeps_issue = path.stem == "restore-drill" and name == "issue"

    assert workflow["permissions"] == {}
    assert "workflow_call" in workflow["on"] or workflow["concurrency"]["group"]
    assert job["permissions"] == {"contents": "read"} | ({"issues": "write"} if keeps_issue else {})
    if "uses" not in job:
        given = job["timeout-minutes"]
        asked = DRILL["on"]["workflow_call"]["inputs"]["timeout-minutes"]["default"]
        assert 0 < (asked if given == "${{ inputs.timeout-minutes }}" else given) <= 120
    for each in job.get("steps", ()):
        if "checkout@" in each.get("uses", ""):
            assert each["with"]["persist-credentials"] is False


@pytest.mark.parametrize(("path", "name", "job"), jobs())
def test_nothing_is_pasted_into_a_shell(path: Path, name: str, job: dict[str, Any]) -> None:
    """What people and secrets say reaches a command by its environment, never as its text."""
    assert path and name
    for each in [*job.get("steps", ()), *ACTION["runs"]["steps"]]:
        assert "${{" not in each.get("run", "")
        assert "secrets." not in json.dumps(each.get("with", {}))


def test_drill_runs_on_mondays_and_by_hand_with_a_reason() -> None:
    """The schedule is the guide's own, and a run by hand says why."""
    assert WEEKLY["on"]["schedule"] == [{"cron": "0 5 * * 1"}]
    assert WEEKLY["on"]["workflow_dispatch"]["inputs"]["reason"]["required"] is True


def test_report_is_uploaded_whatever_happened() -> None:
    """A failed drill's report is the one that people need, under the name that `tell.py` reads."""
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
    assert set(backup["secrets"]) == set(called["secrets"])
    for job in (WEEKLY["jobs"]["sample"], DRILL["jobs"]["drill"]):
        for each in job["steps"]:
            if each.get("uses", "").startswith("./"):
                assert set(each["with"]) <= set(ACTION["inputs"])


@pytest.mark.parametrize("name", ["issue", "channels"])
def test_people_are_told_after_every_end_of_the_drills(name: str) -> None:
    """Those who tell run after success, failure and time-out, unless a person cancelled the run."""
    job = WEEKLY["jobs"][name]

    assert {"sample", "backup"} <= set(job["needs"])
    assert job["if"] == "${{ !cancelled() }}"


def test_every_setting_can_be_configured() -> None:
    """The real drill gets every setting that the repository may hold, under its own name."""
    drilled = step(DRILL["jobs"]["drill"]["steps"], "Drill it")
    not_here = {"", "DRILL_REPORT_DIR", "DRILL_SAMPLE_ROWS", "DRILL_REQUIRE_BACKUP"}
    wanted = {option.variable for option in OPTIONS.values()} - not_here

    assert drilled["with"].get("sample", "false") == ACTION["inputs"]["sample"]["default"]
    assert drilled["with"]["args"] == "${{ vars.DRILL_ARGS }}"
    assert {name for name in drilled["env"] if name.startswith("DRILL_")} == wanted
    assert {*drilled["env"], "BACKUP_PATH"} >= set(VARIABLES.values())
    for name, value in drilled["env"].items():
        assert re.fullmatch(rf"\$\{{\{{ (secrets|vars)\.{name} \}}\}}", value)


@dataclass(frozen=True)
class Step:
    """The action's step that drills, as a fake `restore-drill` saw it."""

    code: int
    out: str

    @property
    def arguments(self) -> list[str]:
        """What it was called with."""
        return self.out.splitlines()[0].removesuffix("|").split("|")

    @property
    def environment(self) -> dict[str, str]:
        """What it found in its environment."""
        return dict(line.split("=", 1) for line in self.out.splitlines()[1:] if "=" in line)


def drilled_by_action(tmp_path: Path, **given: str) -> Step:
    """Run the action's step that drills, its inputs as in `given` or empty."""
    fake = tmp_path / "restore-drill"
    fake.write_text('#!/bin/sh\nprintf "%s|" "$@"; echo\nenv\nexit 3\n', encoding="utf-8")
    fake.chmod(0o755)
    here = ACTION["runs"]["steps"][2]
    inputs = dict.fromkeys(filter(re.compile("GIVEN_").match, here["env"]), "")
    paths = {"PATH": f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    paths |= {"GITHUB_ACTION_PATH": str(ROOT), "DRILL_REPORT_DIR": str(tmp_path)}
    done = run([*BASH, here["run"]], **(inputs | paths | given))
    return Step(done.returncode, done.stdout + done.stderr)


def test_action_hands_on_what_is_configured_and_nothing_else(tmp_path: Path) -> None:
    """The drill sees inputs before variables, and no empty text that GitHub gives for the rest."""
    done = drilled_by_action(
        tmp_path,
        GIVEN_ARGS="-k 'not redis' --jobs 2",
        GIVEN_BACKUP_PATH="/srv/backups",
        GIVEN_DRILL_REQUIRE_BACKUP="1",
        DRILL_TARGET="container",
        DRILL_IMAGE="",
        DATABASE_URL="",
    )

    assert done.code == 3, "the drill's own exit code"
    assert done.arguments == ["drill", "-k", "not redis", "--jobs", "2"]
    assert done.environment["BACKUP_PATH"] == "/srv/backups"
    assert done.environment["DRILL_TARGET"] == "container"
    assert done.environment["DRILL_REQUIRE_BACKUP"] == "1"
    unset = {"DATABASE_URL", "DRILL_IMAGE", "DRILL_BACKUP", "ARGS"}
    assert not unset & set(done.environment)
    assert not [name for name in done.environment if name.startswith("GIVEN_")]


def test_arguments_that_cannot_be_split_are_a_mistake(tmp_path: Path) -> None:
    """A quote that is open does not drill with fewer arguments."""
    done = drilled_by_action(tmp_path, GIVEN_ARGS="-k 'not redis")

    assert done.code == 4
    assert "::error::args cannot be split as in a shell" in done.out


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        ('{"verdict": "failed"}', "failed"),
        ('{"verdict": "x\\nreport=y"}', "could-not-run"),
        ("{", "could-not-run"),
        (None, "could-not-run"),
    ],
    ids=["failed", "made up", "cut", "none"],
)
def test_action_sets_its_outputs(tmp_path: Path, result: str | None, verdict: str) -> None:
    """Verdict and report, whatever came of the drill; without a result nothing is known."""
    folder, output = tmp_path / "report", tmp_path / "output"
    folder.mkdir()
    if result is not None:
        (folder / "result.json").write_text(result, encoding="utf-8")
        (folder / "report.html").touch()
    outcome = ACTION["runs"]["steps"][3]
    paths = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    paths |= {"GITHUB_ACTION_PATH": str(ROOT), "DRILL_REPORT_DIR": str(folder)}
    done = run([*BASH, outcome["run"]], **paths, GITHUB_OUTPUT=str(output))
    report = folder / "report.html" if result is not None else ""

    assert outcome["if"] == "always()"
    assert done.returncode == 0, done.stderr
    assert output.read_text(encoding="utf-8") == f"verdict={verdict}\nreport={report}\n"


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
def test_unconfigured_backup_is_said(tmp_path: Path, has_backup: str, warned: bool) -> None:  # noqa: FBT001
    """A repository whose backup is not drilled is told so at every run."""
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


FAKE_GH = '''
    """GitHub's command line tool, on a file instead of GitHub."""
    import json, os, sys
    from pathlib import Path

    file = Path(os.environ["FAKE_GITHUB"])
    github = json.loads(file.read_text())
    words = sys.argv[1:]
    option = lambda name: words[words.index(name) + 1]
    text = sys.stdin.read() if "--body-file" in words else ""
    assert os.environ["GH_TOKEN"] == "hidden" and "hidden" not in " ".join(words)
    if words[:2] == ["issue", "list"]:
        found = [each for each in github["issues"] if each["open"]]
        print(json.dumps([{key: each[key] for key in ("number", "body")} for each in found]))
    elif words[:2] == ["label", "create"]:
        github["labels"].append(words[2])
    elif words[:2] == ["issue", "create"]:
        assert option("--label") in github["labels"]
        issue = {"number": len(github["issues"]) + 1, "title": option("--title"), "body": text}
        github["issues"].append({**issue, "open": True, "comments": []})
    else:
        issue = github["issues"][int(words[2]) - 1]
        assert words[0] == "issue" and issue["open"]
        if words[1] == "comment":
            issue["comments"].append(text)
        elif words[1] == "edit":
            issue["body"] = text
        elif words[1] == "close":
            issue["open"] = False
        else:
            sys.exit("unknown: " + words[1])
    file.write_text(json.dumps(github))
'''


class Repository:
    """A repository on the fake GitHub in `folder`, whose workflow runs tell people."""

    def __init__(self, folder: Path) -> None:
        """Begin without labels and issues."""
        self.folder = folder
        self.state = folder / "github.json"
        self.state.write_text('{"labels": [], "issues": []}', encoding="utf-8")
        gh = folder / "bin" / "gh"
        gh.parent.mkdir()
        gh.write_text(f"#!{sys.executable}\n" + textwrap.dedent(FAKE_GH), encoding="utf-8")
        gh.chmod(0o755)

    @property
    def issues(self) -> list[dict[str, Any]]:
        """All issues, closed ones too."""
        found: list[dict[str, Any]] = json.loads(self.state.read_text(encoding="utf-8"))["issues"]
        return found

    def report(self, name: str, result: dict[str, Any]) -> None:
        """Put the report of the drill `name` where the workflow downloads it to."""
        path = self.folder / "reports" / f"drill-report-{name}" / "result.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result), encoding="utf-8")

    def tell(
        self, command: str, sample: str, backup: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run tell.py as the workflow does after the jobs' results `sample` and `backup`."""
        return subprocess.run(
            [sys.executable, str(GITHUB / "tell.py"), command],
            check=False,
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "FAKE_GITHUB": str(self.state),
                "GH_TOKEN": "hidden",
                "GITHUB_SERVER_URL": "https://github.test",
                "GITHUB_REPOSITORY": "someone/shop",
                "GITHUB_RUN_ID": "7",
                "GITHUB_OUTPUT": str(self.folder / "output"),
                "SAMPLE_RESULT": sample,
                "BACKUP_RESULT": backup,
                **environment,
            },
            capture_output=True,
            text=True,
        )

    def event(self, sample: str, backup: str, **environment: str) -> str:
        """What the job `issue` hands to the job `channels` after these results."""
        done = self.tell("issue", sample, backup, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        lines = (self.folder / "output").read_text(encoding="utf-8").splitlines()
        return lines[-1].removeprefix("event=")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository without issues."""
    return Repository(tmp_path)


EMPTY_TABLE = {
    "verdict": "failed",
    "backup": {"path": "/backups/db/backup_20231201.sql", "taken_at": "2023-12-01T05:00:01+00:00"},
    "checks": [
        {"id": "drill/test_a.py::test_fine", "outcome": "passed", "message": ""},
        {
            "id": "drill/test_b.py::test_table_has_rows[public.cards]",
            "outcome": "failed",
            "message": "public.cards has 0 rows, at least 1 expected\n~~~\n@everyone",
        },
        {
            "id": "drill/test_c.py::test_write",
            "outcome": "skipped",
            "message": "not reached: public.cards has 0 rows",
        },
    ],
}


def test_one_issue_is_kept_from_first_failure_to_recovery(repository: Repository) -> None:
    """The first failure opens the issue, the next ones comment, success comments and closes."""
    repository.report("backup", EMPTY_TABLE)
    events = [repository.event("success", "failure") for _ in range(2)]
    repository.report("backup", {"verdict": "passed"})
    events += [repository.event("success", "success") for _ in range(2)]
    (issue,) = repository.issues

    assert events == ["failed", "failing", "recovered", "passed"]
    assert issue["title"] == "Restore drill failed" and issue["open"] is False
    assert "- backup: job failure; verdict failed; backup backup_20231201.sql" in issue["body"]
    assert "test_table_has_rows[public.cards]\n  public.cards has 0 rows" in issue["body"]
    assert "test_write" not in issue["body"]
    assert "https://github.test/someone/shop/actions/runs/7" in issue["body"]
    assert len(issue["comments"]) == 2
    assert issue["comments"][-1].startswith("Restore drill passed again.")
    assert issue["body"].count("~~~") == 2


def test_new_failure_after_recovery_opens_a_new_issue(repository: Repository) -> None:
    """A closed issue stays closed."""
    for backup in ("failure", "success", "failure"):
        repository.event("success", backup)

    assert [issue["open"] for issue in repository.issues] == [False, True]


@pytest.mark.parametrize("result", ["failure", "cancelled"])
def test_drill_without_report_is_told_as_could_not_run(repository: Repository, result: str) -> None:
    """A job that died or timed out before its report opens an issue all the same."""
    assert repository.event("success", result) == "failed"
    assert repository.issues[0]["title"] == "Restore drill could not run"


def test_reason_of_a_run_by_hand_is_told_on_one_line(repository: Repository) -> None:
    """Whoever started the run stands in the issue with the reason, which is no Markdown there."""
    repository.event("failure", "skipped", REASON="a `b`\n# c", GITHUB_ACTOR="someone")

    assert "Started by hand by someone: `a 'b' # c`" in repository.issues[0]["body"]


def test_sample_alone_does_not_close_the_issue_of_a_backup(repository: Repository) -> None:
    """When the backup is not drilled any more, nobody says that it is well."""
    assert repository.event("failure", "skipped") == "failed"
    assert repository.event("success", "failure") == "failing"
    assert repository.event("success", "skipped") == "passed"
    assert repository.issues[0]["open"] is True
    assert repository.event("success", "success") == "recovered"


def test_sample_closes_the_issue_of_a_sample(repository: Repository) -> None:
    """Where only sample data is drilled, its next success is the recovery."""
    events = [repository.event(sample, "skipped") for sample in ("failure", "success")]

    assert events == ["failed", "recovered"]


def test_issue_that_cannot_be_kept_is_an_error(repository: Repository) -> None:
    """When GitHub's tool fails the job fails, in one line."""
    (repository.folder / "bin" / "gh").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    done = repository.tell("issue", "success", "failure")

    assert done.returncode == 1
    assert done.stdout == "::error title=Restore drill was not told::gh issue list failed\n"


@pytest.fixture
def received() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Apprise URL of a web server that takes messages, and the messages that it took."""
    messages: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        """Takes JSON and says so."""

        def do_POST(self) -> None:
            """Keep the message."""
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"json://127.0.0.1:{server.server_port}/", messages
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("backup", "event", "title"),
    [
        ("failure", "failed", "Restore drill failed"),
        ("failure", "failing", "Restore drill failed"),
        ("failure", "", "Restore drill failed"),
        ("success", "recovered", "Restore drill passed again"),
        ("success", "passed", None),
    ],
)
def test_channels_are_told_of_failures_and_recovery(
    repository: Repository,
    received: tuple[str, list[dict[str, Any]]],
    backup: str,
    event: str,
    title: str | None,
) -> None:
    """Every failure is sent, also when the issue could not be kept, and the recovery once."""
    url, messages = received
    repository.report("backup", EMPTY_TABLE if backup == "failure" else {"verdict": "passed"})
    done = repository.tell("channels", "success", backup, EVENT=event, APPRISE_URLS=f"{url}\n")

    assert done.returncode == 0, done.stdout + done.stderr
    assert [message["title"] for message in messages] == ([title] if title else [])
    if backup == "failure":
        assert "public.cards has 0 rows" in messages[0]["message"]
        assert messages[0]["type"] == "failure"


def test_dead_channel_is_seen_and_does_not_silence_the_others(
    repository: Repository, received: tuple[str, list[dict[str, Any]]]
) -> None:
    """Dead channels are named by number without their URLs, and the living one is told."""
    url, messages = received
    urls = f"json://user:hidden@127.0.0.1:1/\nnonsense://hidden\n{url}"
    done = repository.tell("channels", "failure", "skipped", EVENT="failed", APPRISE_URLS=urls)

    assert done.returncode == 1
    assert "channel 1 (JSON) did not take the message" in done.stdout
    assert "channel 2: its URL in APPRISE_URLS is not one that Apprise knows" in done.stdout
    assert "hidden" not in done.stdout + done.stderr
    assert len(messages) == 1


def test_without_channels_nothing_is_sent_and_nothing_fails(repository: Repository) -> None:
    """A repository that has no channels is none the worse."""
    done = repository.tell("channels", "failure", "skipped", EVENT="failed", APPRISE_URLS="")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_names_of_dumps_and_files_are_not_obeyed(repository: Repository) -> None:
    """A backup's file name mentions nobody, and no message breaks out of its fence."""
    evil = "x @team <b>\n# headline\u202e `code` \x1b[2J.sql"
    result = {
        "verdict": "failed",
        "backup": {"path": f"/b/{evil}", "taken_at": "2026-11-23T05:00:01+00:00"},
        "checks": [
            {"id": f"t[{evil}]", "outcome": "failed", "message": f"~~~\n{evil}\x9b2J\n~~~~"}
        ],
    }
    repository.report("backup", result)
    repository.event("success", "failure")
    (issue,) = repository.issues
    body = issue["body"]

    outside, fence, _ = body.split("~~~")
    assert "`x @team <b>\\n# headline\\u202e 'code' \\x1b[2J.sql`" in outside
    assert "\n# headline" not in outside
    assert "\x1b" not in body and "\x9b" not in body and "\u202e" not in body
    assert "\\x9b2J" in fence
