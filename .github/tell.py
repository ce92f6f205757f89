#!/usr/bin/env python3
"""Tell people how the drills of a workflow run went; for .github/workflows/restore-drill.yml.

`tell.py issue` keeps one GitHub issue: opened at the first failure, commented at the next ones,
commented and closed at the next success. `tell.py channels` sends failures and recoveries to the
Apprise URLs in APPRISE_URLS, one a line (Slack, email and so on).

From the environment: SAMPLE_RESULT and BACKUP_RESULT (results of the jobs), EVENT (for channels:
what `issue` found), REASON, and GitHub's own variables; from reports/: the drills' reports.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

LABEL = "restore-drill"
DRILLS = ("sample", "backup")
BACKUP_MARK = "<!-- the backup's own drill -->"
"""In an issue that only a drill of the real backup can close, not one of the sample."""
MOST_CHECKS = 10
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of characters that are obeyed instead of shown: line ends, escape codes and so on."""


def results() -> dict[str, str]:
    """Result of each drill's job: success, failure, cancelled (also by its timeout), skipped."""
    return {name: os.environ.get(f"{name.upper()}_RESULT", "") for name in DRILLS}


def is_good(found: dict[str, str]) -> bool:
    """Whether every drill passed or was not to run."""
    return found["sample"] == "success" and found["backup"] in ("success", "skipped")


def load(name: str) -> dict[str, Any]:
    """Read what the drill `name` wrote to its result.json; empty where it got not that far."""
    path = Path("reports") / f"drill-report-{name}" / "result.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def headline(found: dict[str, str]) -> str:
    """One line for a title or a subject."""
    if is_good(found):
        return "Restore drill passed again"
    verdicts = {load(name).get("verdict") for name in DRILLS if found[name] == "failure"}
    if "failed" in verdicts:
        return "Restore drill failed"
    return "Restore drill could not run"


def message(found: dict[str, str]) -> str:
    """Tell the run as text that is plain and valid Markdown."""
    lines = [f"{headline(found)}.", ""]
    for name in DRILLS:
        lines += tell_drill(name, found[name])
    server, repository, run = (
        os.environ.get(f"GITHUB_{key}", "") for key in ("SERVER_URL", "REPOSITORY", "RUN_ID")
    )
    lines += ["", f"Run and report: {server}/{repository}/actions/runs/{run}"]
    if reason := " ".join(os.environ.get("REASON", "").replace("`", "'").split()):
        lines.append(f"Started by hand by {os.environ.get('GITHUB_ACTOR', '?')}: `{reason[:300]}`")
    return "\n".join(lines) + "\n"


def tell_drill(name: str, result: str) -> list[str]:
    """Tell one drill: its job's result, its verdict, what it drilled and what did not hold."""
    report = load(name)
    backup = report.get("backup") or {}
    facts = [f"job {result or 'not run'}"]
    if verdict := report.get("verdict"):
        facts.append(f"verdict {verdict}")
    elif result == "failure":
        facts.append("no result.json: it ended before its report, see the run's log")
    if path := backup.get("path"):
        facts.append(f"backup {quoted(Path(str(path)).name)} taken at {backup.get('taken_at')}")
    bad = [
        check
        for check in report.get("checks", ())
        if check.get("outcome") not in ("passed", "skipped")
    ]
    told = bad[:MOST_CHECKS]
    lines = [f"- {name}: {'; '.join(facts)}"]
    if bad:
        lines += ["", "~~~text", *(line for check in told for line in tell(check))]
        lines += [f"and {len(bad) - len(told)} more"] if len(bad) > len(told) else []
        lines += ["~~~", ""]
    return lines


def tell(check: dict[str, Any]) -> list[str]:
    """Id and message of one criterion, cut to what people read in a chat."""
    message = str(check.get("message") or "").strip().splitlines()
    lines = [str(check.get("id")), *(f"  {line[:300]}" for line in message[:5])]
    return [printable(line) for line in lines]


def printable(text: str) -> str:
    """`text` without what a chat or Markdown would obey: names come from dumps and folders."""
    shown = "".join(
        ascii(char)[1:-1] if unicodedata.category(char) in UNSEEN else char for char in text
    )
    return re.sub(r"~{3,}", "", shown)


def quoted(name: str) -> str:
    """A file's name, as code where it is more than a word: it may mention people."""
    name = printable(name).replace("`", "'")
    return name if re.fullmatch(r"[\w.+-]+", name) else f"`{name}`"


def gh(*arguments: str, body: str | None = None) -> str:
    """Run GitHub's command line tool; `body` goes in by a pipe. Raises CalledProcessError."""
    done = subprocess.run(
        ["gh", *arguments],
        check=True,
        input=body or "",
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def keep_issue() -> str:
    """Open, comment or close the issue; what happened: failed, failing, recovered or passed."""
    found = results()
    asked = ("--label", LABEL, "--state", "open", "--limit", "1", "--json", "number,body")
    issues = json.loads(gh("issue", "list", *asked))
    if is_good(found):
        # Without a drill of the backup there is no saying that the backup is well again.
        if not issues or (found["backup"] == "skipped" and BACKUP_MARK in issues[0]["body"]):
            return "passed"
        number = str(issues[0]["number"])
        gh("issue", "comment", number, "--body-file", "-", body=message(found))
        gh("issue", "close", number, "--reason", "completed")
        return "recovered"
    text = message(found) + ("" if found["backup"] == "skipped" else f"\n{BACKUP_MARK}\n")
    if issues:
        number = str(issues[0]["number"])
        if BACKUP_MARK in text and BACKUP_MARK not in issues[0]["body"]:
            marked = f"{issues[0]['body']}\n{BACKUP_MARK}\n"
            gh("issue", "edit", number, "--body-file", "-", body=marked)
        gh("issue", "comment", number, "--body-file", "-", body=text)
        return "failing"
    colour = ("--color", "B60205", "--description", "The restore drill needs attention")
    gh("label", "create", LABEL, "--force", *colour)
    create = ("--title", headline(found), "--label", LABEL, "--body-file", "-")
    gh("issue", "create", *create, body=text)
    return "failed"


def send() -> list[str]:
    """Send the run to every channel; which ones did not take it, told without their URLs."""
    import apprise  # noqa: PLC0415 - only this command needs it

    found = results()
    if is_good(found) and os.environ.get("EVENT") != "recovered":
        return []
    # Apprise logs a URL that it cannot read, token and all.
    logging.disable()
    kind = apprise.NotifyType.SUCCESS if is_good(found) else apprise.NotifyType.FAILURE
    dead = []
    for number, url in enumerate(os.environ.get("APPRISE_URLS", "").split(), start=1):
        channel = apprise.Apprise()
        if not channel.add(url):
            dead.append(f"channel {number}: its URL in APPRISE_URLS is not one that Apprise knows")
        elif not channel.notify(
            body=message(found),
            title=headline(found),
            notify_type=kind,
            body_format=apprise.NotifyFormat.TEXT,
        ):
            dead.append(f"channel {number} ({channel[0].service_name}) did not take the message")
    return dead


def main(command: str) -> int:
    """Do `command`; 1 when somebody was not told."""
    if command == "issue":
        try:
            event = keep_issue()
        except subprocess.CalledProcessError as error:
            what = " ".join(error.cmd[:3])
            sys.stdout.write(f"::error title=Restore drill was not told::{what} failed\n")
            return 1
        sys.stdout.write(f"issue: {event}\n")
        if output := os.environ.get("GITHUB_OUTPUT"):
            with Path(output).open("a", encoding="utf-8") as file:
                file.write(f"event={event}\n")
        return 0
    dead = send()
    for line in dead:
        sys.stdout.write(f"::error title=Restore drill was not told::{line}\n")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
