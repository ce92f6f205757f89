"""How the server behind a connection reads strings, and writes its answers."""

from __future__ import annotations

from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn

from restore_drill.backups.plaindump.codec import codec_of
from restore_drill.backups.plaindump.escapes import ESCAPED, escaped_in
from restore_drill.core.server_errors import CODE
from restore_drill.restore.wire import Wire


class Dialect:
    """One connection, the `wire` on which statements go, in the settings that a dump has made."""

    wire: Wire
    connection: PGconn

    @property
    def escapes(self) -> bool:
        """Whether a backslash escapes in every string, as the session is set."""
        return self.connection.parameter_status(b"standard_conforming_strings") == b"off"

    @property
    def encoding(self) -> str:
        """The encoding of what goes over it."""
        name = self.connection.parameter_status(b"client_encoding") or b""
        return name.decode("ascii", "replace")

    @property
    def is_overlapping(self) -> bool:
        """Whether a byte of a longer character may look like a backslash."""
        return escaped_in(self.encoding) is not ESCAPED

    def text(self, raw: bytes | None) -> str:
        """Words of the server or of the dump: both are in the encoding that the dump has set."""
        return (raw or b"").decode(codec_of(self.encoding), "replace")

    def rows(self, sql: str) -> list[list[str]]:
        """Rows of a query of our own; none where the server gives none."""
        result = self.wire.exec_(sql.encode())
        return [
            [self.text(result.get_value(row, column)) for column in range(result.nfields)]
            for row in range(result.ntuples)
        ]

    def code(self) -> str:
        """Text of the functions that are there so far; empty where the server does not give it."""
        result = self.wire.exec_(CODE.encode())
        return self.text(result.get_value(0, 0)) if result.status == ExecStatus.TUPLES_OK else ""
