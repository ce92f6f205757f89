"""Alerts: one issue from the first failure to the recovery, and messages to channels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.helpers.drills import ROOT

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
    """A repository on the fake GitHub in `folder`, whose workflow runs send alerts."""

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

    def notify(
        self, command: str, sample: str, backup: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the command as the workflow does after the jobs' results `sample` and `backup`."""
        return subprocess.run(
            [sys.executable, "-m", "restore_drill.alerts", command],
            check=False,
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT / "src"),
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
        done = self.notify("issue", sample, backup, **environment)
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
def test_drill_without_report_could_not_run(repository: Repository, result: str) -> None:
    """A job that died or timed out before its report opens an issue all the same."""
    assert repository.event("success", result) == "failed"
    assert repository.issues[0]["title"] == "Restore drill could not run"


def test_reason_of_a_run_by_hand_is_on_one_line(repository: Repository) -> None:
    """Whoever started the run stands in the issue with the reason, which is no Markdown there."""
    repository.event("failure", "skipped", REASON="a `b`\n# c", GITHUB_ACTOR="someone")

    assert "Started by hand by someone: `a 'b' # c`" in repository.issues[0]["body"]


def test_sample_alone_does_not_close_the_issue_of_a_backup(repository: Repository) -> None:
    """When the backup is not drilled any more, nothing shows that it is good again."""
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
    done = repository.notify("issue", "success", "failure")

    assert done.returncode == 1
    assert done.stdout == "::error title=No alert was sent::gh issue list failed\n"


@pytest.fixture
def received() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Apprise URL of a web server that takes messages, and the messages that it took."""
    messages: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        """Takes JSON and answers with 200."""

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
def test_channels_get_failures_and_recovery(
    repository: Repository,
    received: tuple[str, list[dict[str, Any]]],
    backup: str,
    event: str,
    title: str | None,
) -> None:
    """Every failure is sent, also when the issue could not be kept, and the recovery once."""
    url, messages = received
    repository.report("backup", EMPTY_TABLE if backup == "failure" else {"verdict": "passed"})
    done = repository.notify("channels", "success", backup, EVENT=event, APPRISE_URLS=f"{url}\n")

    assert done.returncode == 0, done.stdout + done.stderr
    assert [message["title"] for message in messages] == ([title] if title else [])
    if backup == "failure":
        assert "public.cards has 0 rows" in messages[0]["message"]
        assert messages[0]["type"] == "failure"


def test_dead_channel_is_named_and_does_not_silence_the_others(
    repository: Repository, received: tuple[str, list[dict[str, Any]]]
) -> None:
    """Dead channels are named by number without their URLs, and the living one gets the message."""
    url, messages = received
    urls = f"json://user:hidden@127.0.0.1:1/\nnonsense://hidden\n{url}"
    done = repository.notify("channels", "failure", "skipped", EVENT="failed", APPRISE_URLS=urls)

    assert done.returncode == 1
    assert "channel 1 (JSON) did not take the message" in done.stdout
    assert "channel 2: Apprise does not know its URL in APPRISE_URLS" in done.stdout
    assert "hidden" not in done.stdout + done.stderr
    assert len(messages) == 1


def test_without_channels_nothing_is_sent_and_nothing_fails(repository: Repository) -> None:
    """A repository that has no channels is none the worse."""
    done = repository.notify("channels", "failure", "skipped", EVENT="failed", APPRISE_URLS="")

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
