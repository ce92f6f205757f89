"""Roles that the statements of a dump name: owners, grantees, those of policies and settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from restore_drill.backups.plaindump.names import QUALIFIED, dotted
from restore_drill.backups.plaindump.sql_tokens import tokens_of

NAMES_ROLES = re.compile(
    rb"(?:SET|GRANT|REVOKE|CREATE (?:POLICY|SCHEMA|USER MAPPING|TABLESPACE)|COMMENT ON ROLE"
    rb"|SECURITY LABEL .*ON ROLE|ALTER (?:ROLE|USER|GROUP|DEFAULT)|ALTER .*OWNER TO)\b",
    re.IGNORECASE | re.DOTALL,
)
"""Openings of statements that can name a role: few enough to read their every word."""
OWNED = re.compile(
    rb"ALTER (?:TABLE|SEQUENCE|VIEW|TYPE) " + QUALIFIED + rb" OWNER TO ([a-z_][a-z0-9_]*+);"
)
"""How pg_dump names nearly all owners, known without a look at each word."""
NO_ROLES = {"PUBLIC", "CURRENT_USER", "SESSION_USER", "CURRENT_ROLE", "DEFAULT", "NONE", "ALL"}
RESERVED = {"", "public", "none"}
"""Names that no role can have, quoted or not."""
LONGEST = 100_000
"""Bytes of a statement above which it holds a body, and no role is looked for."""
OWNED_BY_SUPERUSERS = re.compile(
    rb"ALTER (?:EVENT TRIGGER|FOREIGN DATA WRAPPER|SUBSCRIPTION) .*OWNER TO ",
    re.IGNORECASE | re.DOTALL,
)
"""What only a superuser can own."""
BARE = ("word", "number", "other")
"""Kinds of tokens that stand in no quotes."""
ROLE_WORDS = ("ROLE", "USER", "GROUP")


class Words:
    """The tokens of one statement: `words` are its bare ones in capitals, else empty."""

    def __init__(self, sql: bytes) -> None:
        """Split `sql`, which is in UTF-8."""
        self.tokens = list(tokens_of(sql))
        self.words = [
            token.text.decode("utf-8", "replace").upper() if token.kind in BARE else ""
            for token in self.tokens
        ]

    def begins(self, *words: str) -> bool:
        """Whether it begins with these words."""
        return tuple(self.words[: len(words)]) == words

    def behind(self, *words: str) -> int:
        """Index behind the last place where these words stand side by side; 0 for nowhere."""
        size = len(words)
        for at in range(len(self.words) - size, -1, -1):
            if tuple(self.words[at : at + size]) == words:
                return at + size
        return 0

    def list_at(self, at: int) -> Iterator[str]:
        """Roles in the list that begins at index `at`, 0 being nowhere."""
        while at and at < len(self.tokens):
            at += self.words[at] == "GROUP"
            token = self.tokens[at]
            name = token.inside.decode("utf-8", "replace")
            name = name if token.kind == "text" else dotted(token.text)
            if self.words[at] not in NO_ROLES and name not in RESERVED:
                yield name
            at = at + 2 if self.words[at + 1 : at + 2] == [","] else 0


def roles_in(sql: bytes) -> Iterator[str]:
    """Roles that must be there for the statement `sql`."""
    if owned := OWNED.fullmatch(sql):
        name = owned[1].decode()
        if name.upper() not in NO_ROLES and name not in RESERVED:
            yield name
    elif len(sql) <= LONGEST and NAMES_ROLES.match(sql):
        yield from roles_of(Words(sql))


def roles_of(found: Words) -> Iterator[str]:
    """Roles by the kind of the statement."""
    if found.begins("SET"):
        yield from found.list_at(found.behind("SESSION", "AUTHORIZATION"))
        yield from found.list_at(found.behind("SET", "ROLE") if len(found.words) <= 5 else 0)
    elif found.begins("GRANT") or found.begins("REVOKE"):
        yield from granted(found)
    elif found.begins("ALTER", "DEFAULT", "PRIVILEGES"):
        yield from found.list_at(found.behind("FOR", "ROLE") or found.behind("FOR", "USER"))
        yield from granted(found)
    elif found.begins("CREATE", "POLICY"):
        yield from found.list_at(found.behind("TO") if policy_names(found) else 0)
    elif found.words[1:3] == ["USER", "MAPPING"]:
        yield from found.list_at(found.behind("FOR"))
    elif found.begins("CREATE", "SCHEMA"):
        yield from found.list_at(found.behind("AUTHORIZATION"))
    elif found.begins("CREATE", "TABLESPACE"):
        yield from found.list_at(found.behind("OWNER"))
    elif found.begins("ALTER"):
        yield from found.list_at(2 if found.words[1:2] and found.words[1] in ROLE_WORDS else 0)
        yield from found.list_at(found.behind("OWNER", "TO"))
    elif found.begins("COMMENT") or found.begins("SECURITY"):
        yield from found.list_at(found.behind("ON", "ROLE"))


def granted(found: Words) -> Iterator[str]:
    """Roles of a GRANT or REVOKE: who gets it, who has given it, and what, where that is roles."""
    word = "TO" if "GRANT" in found.words[: found.behind("TO")] else "FROM"
    end = found.behind(word)
    yield from found.list_at(end)
    yield from found.list_at(found.behind("GRANTED", "BY"))
    if end and "ON" not in found.words[:end]:
        yield from found.list_at(found.behind("OPTION", "FOR") or 1)


def policy_names(found: Words) -> bool:
    """Whether a policy names its roles: TO stands before its conditions."""
    conditions = [found.words.index(word) for word in ("USING", "CHECK") if word in found.words]
    del found.words[min(conditions, default=len(found.words)) :]
    return "TO" in found.words


def superuser_in(sql: bytes) -> str:
    """Role that the statement `sql` makes the owner of what only a superuser can own, or empty."""
    if not OWNED_BY_SUPERUSERS.match(sql):
        return ""
    found = Words(sql)
    return next(found.list_at(found.behind("OWNER", "TO")), "")
