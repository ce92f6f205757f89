"""Settings of a dump's session that change how the rest of the dump is to be read."""

from __future__ import annotations

from restore_drill.backups.plaindump.codec import UTF8, codec_of
from restore_drill.backups.plaindump.names import full_name
from restore_drill.backups.plaindump.set_statements import ALL, settings_in

NOT_FOR_TABLES = ("", "pg_catalog", "$user")
"""Schemas of a search_path in which no dump creates a table by a bare name."""


class SessionSettings:
    """Follows what the statements of a dump set.

    `encoding` is the first one that it names itself, `codec` Python's for the current one; `schema`
    is where a name without schema lies.
    """

    def __init__(self) -> None:
        """Start as a new session does."""
        self.encoding = ""
        self.codec = UTF8
        self.schema = "public"
        self.keys: dict[bytes, str] = {}

    def note(self, sql: bytes) -> None:
        """Take in one statement."""
        for name, values in settings_in(sql):
            if name == "client_encoding" and values:
                encoding = values[0].decode("utf-8", "replace")
                self.encoding = self.encoding or encoding
                self.codec = codec_of(encoding)
            elif name in ("client_encoding", ALL):
                self.codec = codec_of(self.encoding)
            if name in ("search_path", ALL):
                texts = [value.decode("utf-8", "replace") for value in values]
                found = [text for text in texts if text not in NOT_FOR_TABLES]
                self.schema = found[0] if found else "public"
                self.keys.clear()

    def in_utf8(self, raw: bytes) -> bytes:
        """A piece of the dump, which is in the encoding that it names itself, in UTF-8."""
        if self.codec == UTF8 or raw.isascii():
            return raw
        return raw.decode(self.codec, "replace").encode()

    def table_key(self, name: bytes) -> str:
        """`schema.table` of a name in SQL; pg_dump before 10.3 leaves the schema to search_path."""
        if name not in self.keys:
            self.keys[name] = full_name(name, self.schema)
        return self.keys[name]
