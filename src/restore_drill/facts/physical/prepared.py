"""Prepared transactions of a recovered server: nobody ends them, and they keep their locks."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from psycopg import sql

from restore_drill.core.printable import printable
from restore_drill.core.server_errors import error_text
from restore_drill.facts.physical.examination import Examination

OPEN = "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()"
ENDED = (
    "it was rolled back in the copy, where its locks kept checks waiting; what it did is in no"
    " check, and after a recovery by hand it waits for COMMIT PREPARED"
)


def end_prepared(found: Examination) -> Iterator[tuple[str, str]]:
    """Roll back what is prepared in each database that was examined, and tell of it.

    Its rows count for nobody while it is open; with a strong lock a check waited for minutes.
    """
    for database in found.databases:
        try:
            with database.target.connect() as session:
                for (gid,) in session.execute(OPEN).fetchall():
                    session.execute(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(gid)))
                    yield f"prepared transaction {printable(gid)} in {database.name}", ENDED
        except psycopg.Error as error:
            why = f"they could not be ended: {error_text(error)}"
            yield f"prepared transactions in {database.name}", why
