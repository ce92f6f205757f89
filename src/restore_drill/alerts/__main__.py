"""`python -m restore_drill.alerts issue` or `channels`, after the drills of a workflow run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from restore_drill.alerts import channels, issue
from restore_drill.alerts.message import from_environment

USAGE = "usage: python -m restore_drill.alerts issue|channels\n"
NOT_SENT = "::error title=No alert was sent::"


def keep_issue() -> int:
    """Keep the GitHub issue; 1 where GitHub's command line tool failed."""
    try:
        event = issue.keep(from_environment())
    except (OSError, subprocess.CalledProcessError) as error:
        failed = (
            " ".join(error.cmd[:3]) if isinstance(error, subprocess.CalledProcessError) else "gh"
        )
        sys.stdout.write(f"{NOT_SENT}{failed} failed\n")
        return 1
    sys.stdout.write(f"issue: {event}\n")
    if output := os.environ.get("GITHUB_OUTPUT"):
        with Path(output).open("a", encoding="utf-8") as file:
            file.write(f"event={event}\n")
    return 0


def notify_channels() -> int:
    """Send to every channel; 1 where one of them did not take the message."""
    urls = os.environ.get("APPRISE_URLS", "").split()
    failed = channels.send(from_environment(), urls, os.environ.get("EVENT", ""))
    for line in failed:
        sys.stdout.write(f"{NOT_SENT}{line}\n")
    return 1 if failed else 0


def main(arguments: list[str]) -> int:
    """Run the command; the exit code is 1 when somebody was not reached, 4 for a wrong call."""
    commands = {"issue": keep_issue, "channels": notify_channels}
    if len(arguments) != 1 or arguments[0] not in commands:
        sys.stderr.write(USAGE)
        return 4
    return commands[arguments[0]]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
