"""The words of one statement of a role file, taken from the left."""

from __future__ import annotations

import re
from typing import Any

from restore_drill.backups.plaindump.names import dotted
from restore_drill.backups.plaindump.sql_tokens import END, Token, tokens_of

FLAGS = {
    "superuser": "is_superuser",
    "inherit": "inherits",
    "createrole": "may_create_roles",
    "createdb": "may_create_databases",
    "login": "can_log_in",
    "replication": "may_replicate",
    "bypassrls": "bypasses_policies",
}
ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class NotUnderstood(ValueError):
    """A statement that is none of a role file; its text is not shown, since it may hold secrets."""


class Words:
    """The tokens of one statement, taken from the left."""

    def __init__(self, sql: bytes) -> None:
        """Split `sql`."""
        self.tokens = list(tokens_of(sql))
        self.at = 0

    @property
    def opening(self) -> str:
        """All bare words in small letters, with a blank between: names in quotes are left out."""
        return " ".join(
            token.word or token.text.decode("utf-8", "replace")
            for token in self.tokens
            if token.kind in ("word", "other")
        )

    def peek(self) -> Token:
        """The next token."""
        return self.tokens[self.at] if self.at < len(self.tokens) else END

    def next(self) -> Token:
        """The next token, taken."""
        token = self.peek()
        self.at += 1
        return token

    def takes(self, *words: str) -> bool:
        """Take these words where they come next."""
        found = [token.word or token.text for token in self.tokens[self.at : self.at + len(words)]]
        if found != list(words):
            return False
        self.at += len(words)
        return True

    def name(self) -> str:
        """Take a name."""
        token = self.next()
        if token.kind not in ("word", "name"):
            raise NotUnderstood("an invalid name")
        return dotted(token.text)

    def names(self) -> list[str]:
        """Take a list of names."""
        found = [self.name()]
        while self.peek().text == b",":
            self.next()
            found.append(self.name())
        return found

    def value(self) -> str:
        """Take a text, a number or a bare word."""
        token = self.next()
        text = token.inside.decode("utf-8", "replace")
        if token.kind == "escaped" and token.text[:2] in (b"E'", b"e'"):
            return ESCAPE.sub(escaped, text[2:-1].replace("''", "'"))
        if token.kind == "other" and token.text == b"-" and self.peek().kind == "number":
            return "-" + self.next().text.decode()
        if token.kind not in ("text", "number", "word"):
            raise NotUnderstood("an invalid value")
        return text

    def number(self) -> int:
        """Take a whole number."""
        text = self.value()
        if not re.fullmatch(r"-?\d{1,9}", text):
            raise NotUnderstood("an invalid number")
        return int(text)

    def setting(self) -> tuple[str, tuple[str, ...]]:
        """Take what stands behind ALTER ROLE ... SET."""
        name = dotted(self.next().text)
        while self.peek().text == b".":  # of an extension
            self.next()
            name += "." + dotted(self.next().text)
        if not (self.takes("to") or self.peek().text == b"="):
            raise NotUnderstood("ALTER ROLE ... SET")
        if self.peek().text == b"=":
            self.next()
        values = [self.value()]
        while self.peek().text == b",":
            self.next()
            values.append(self.value())
        return name, tuple(values)

    def attributes(self) -> dict[str, Any]:
        """Take the attributes of a role, as fields of `Role`."""
        found: dict[str, Any] = {}
        self.takes("with")
        while word := self.peek().word:
            self.next()
            if field := FLAGS.get(word.removeprefix("no")):
                found[field] = not word.startswith("no")
            elif word == "connection" and self.takes("limit"):
                found["connection_limit"] = self.number()
            elif word in ("password", "encrypted"):
                if word == "encrypted":
                    self.takes("password")
                found["password"] = None if self.takes("null") else self.value()
            elif word == "valid" and self.takes("until"):
                found["valid_until"] = self.value()
            else:
                raise NotUnderstood(f"an attribute of a role: {word.upper()}")
        return found

    def grant_options(self) -> dict[str, bool]:
        """Take WITH ADMIN OPTION, or WITH ADMIN TRUE, INHERIT FALSE, SET FALSE."""
        found: dict[str, bool] = {}
        fields = {"admin": "admin", "inherit": "inherit", "set": "set_role"}
        if self.takes("with"):
            while True:
                field, value = fields.get(self.next().word), self.next().word
                if field is None or value not in ("option", "true", "false"):
                    raise NotUnderstood("GRANT with options")
                found[field] = value != "false"
                if self.peek().text != b",":
                    break
                self.next()
        return found

    def end(self) -> None:
        """NotUnderstood unless nothing but the semicolon is left."""
        if self.next().text != b";" or self.peek() is not END:
            raise NotUnderstood("words after its end")


def escaped(found: re.Match[str]) -> str:
    """The character that an escape in E'...' stands for."""
    if found[1] not in "\\'":
        raise NotUnderstood("an escape in a string")
    return found[1]
