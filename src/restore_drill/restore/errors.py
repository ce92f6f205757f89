"""Judges an error of a restore: whether the backup or our means failed, its cause and remedy."""

from __future__ import annotations

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.server_error import ServerError
from restore_drill.restore.causes import cause_of, harmless_reason, later, our_fault
from restore_drill.restore.model import Restoration, RestoreError
from restore_drill.restore.words import opening_words, schema_text


def add_error(
    restoration: Restoration,
    *,
    where: str,
    statement: str,
    error: ServerError,
    code: str = "",
    detail: str = "",
    reader: str = "",
) -> None:
    """File an error of the server under harmless or errors; CouldNotRun where our means failed.

    `code` is text of the database's functions, which the error may name; `detail`, names that
    the server's context gives beside it; `reader`, the function that reads rows to come.
    """
    statement = statement.strip()
    text = error.text(f"{schema_text(statement)} {code}") + (f" ({detail})" if detail else "")
    opening = opening_words(statement)
    reason = harmless_reason(statement, error)
    ours = None if reason and error.sqlstate else our_fault(error)
    if ours:
        raise CouldNotRun(
            f"the restore stopped: {ours.name}",
            checked=[
                f"{where}: {opening}",
                f"server: {text}",
                restoration.target.description,
            ],
            remedy=[ours.remedy],
        )
    if reason:
        restoration.harmless.append(f"{opening}: {text} ({reason})")
        return
    cause = later(reader) if reader else cause_of(error, statement)
    restoration.errors.append(
        RestoreError(where, opening, text, cause.name, cause.remedy, sql=statement, error=error)
    )
