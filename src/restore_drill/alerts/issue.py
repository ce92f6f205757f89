"""One GitHub issue for the drills of a repository.

The first failure opens it, the next ones comment, the next success comments and closes it.
"""

from __future__ import annotations

import json
import subprocess

from restore_drill.alerts.message import Run

LABEL = "restore-drill"
BACKUP_MARK = "<!-- the backup's own drill -->"
"""In an issue that only a drill of the real backup can close, not one of the sample."""


def keep(run: Run) -> str:
    """Open, comment or close the issue; what happened: failed, failing, recovered or passed.

    Raises CalledProcessError where GitHub's command line tool fails.
    """
    asked = ("--label", LABEL, "--state", "open", "--limit", "1", "--json", "number,body")
    issues = json.loads(gh("issue", "list", *asked))
    number, body = (str(issues[0]["number"]), issues[0]["body"]) if issues else ("", "")
    if run.is_good:
        # The sample's success does not show that the backup is good again.
        if not issues or (run.backup.result == "skipped" and BACKUP_MARK in body):
            return "passed"
        gh("issue", "comment", number, "--body-file", "-", body=run.text)
        gh("issue", "close", number, "--reason", "completed")
        return "recovered"
    text = run.text + ("" if run.backup.result == "skipped" else f"\n{BACKUP_MARK}\n")
    if issues:
        if BACKUP_MARK in text and BACKUP_MARK not in body:
            marked = f"{body}\n{BACKUP_MARK}\n"
            gh("issue", "edit", number, "--body-file", "-", body=marked)
        gh("issue", "comment", number, "--body-file", "-", body=text)
        return "failing"
    colour = ("--color", "B60205", "--description", "The restore drill needs attention")
    gh("label", "create", LABEL, "--force", *colour)
    create = ("--title", run.headline, "--label", LABEL, "--body-file", "-")
    gh("issue", "create", *create, body=text)
    return "failed"


def gh(*arguments: str, body: str | None = None) -> str:
    """Output of GitHub's command line tool; `body` goes in by a pipe. Raises as `keep` does."""
    done = subprocess.run(
        ["gh", *arguments],
        check=True,
        input=body or "",
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout
