"""A backup for a live server is read once more, for statements that must not run on one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.plaindump.codec import codec_of
from restore_drill.backups.plaindump.events import Statement
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.plaindump.sql_tokens import opening
from restore_drill.backups.plaindump.unusual import unusual
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.restore.scope import Scope
from restore_drill.restore.source import begin, followed, open_sql
from restore_drill.servers.model import Target

MOST = 500
"""Statements after which no more are looked for."""


def refuse_unusual(
    target: Target, backup: Backup, contents: Contents, progress: Callable[[str], None]
) -> None:
    """CouldNotRun where `backup` holds statements that no pg_dump writes and that may run code.

    What is not restored into a live server anyway, such as roles, is passed over.
    """
    found: list[str] = []
    for each in unusual_in(target, backup, contents, progress):
        found.append(each)
        if len(found) >= MOST:
            found.append("no further ones were searched for")
            break
    if not found:
        return
    raise CouldNotRun(
        f"{target.description} was not touched: {backup.name} has statements that must not run "
        "on a live server",
        checked=found,
        remedy=remedy_for("live", "not_a_dump"),
    )


def unusual_in(
    target: Target, backup: Backup, contents: Contents, progress: Callable[[str], None]
) -> Iterator[str]:
    """Each such statement: its line and what it is, never its text."""
    restoration = begin(target, backup, "")
    codec = codec_of(contents.head.encoding)
    has_subscription = False
    with open_sql(target, backup, contents) as stream:
        events = PlainReader(followed(stream, contents, progress)).events()
        for event in Scope(contents, restoration).events(events):
            if not isinstance(event, Statement):
                continue
            sql = event.sql if event.sql.isascii() else event.sql.decode(codec, "replace").encode()
            what = unusual(sql)
            verb, kind = opening(sql)
            if kind == "subscription" and verb in ("create", "drop"):
                is_drop = verb == "drop"
                if is_drop and has_subscription:
                    what = "DROP SUBSCRIPTION after a CREATE, which connects to another server"
                has_subscription |= not is_drop
            if what:
                yield f"line {event.line:,}{restoration.of}: {what}"
