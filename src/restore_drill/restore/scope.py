"""What of a dump concerns the one database that a drill restores, and what is left alone.

`pg_dump --create` and pg_dumpall write statements about the database by its name, which may be
another one here, about other databases, and about the whole server. On a server that is not ours
the latter would change what no drill may touch: roles and their passwords, other databases.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from restore_drill.backups.model import Contents
from restore_drill.backups.plaindump.codec import codec_of
from restore_drill.backups.plaindump.events import Event, MetaCommand, Statement
from restore_drill.backups.plaindump.names import connected_database, dotted
from restore_drill.backups.plaindump.sql_tokens import spaced
from restore_drill.backups.plaindump.statements import pattern
from restore_drill.core.units import show_count
from restore_drill.restore.left_settings import lines_on_settings, setting_words
from restore_drill.restore.model import Restoration

MAY_REACH = re.compile(
    rb"[^A-Z]|GRANT|REVOKE|(?:ALTER|COMMENT|CREATE|DROP|SECURITY|UPDATE)\b"
    rb".*(?:DATABASE|ROLE|USER|GROUP|TABLESPACE)",
    re.IGNORECASE | re.DOTALL,
)
"""What may be about more than the one database, or begins with a comment."""
PRIVILEGES = rb"(?:GRANT OPTION FOR )?[A-Z]++(?:\s*+,\s*+[A-Z]++| PRIVILEGES|(?!))*+"


def of_any_case(text: bytes) -> re.Pattern[bytes]:
    """As `pattern`, in capitals or not; `<W>` are privileges, `<P>` is the provider of a label."""
    text = text.replace(b"<W>", PRIVILEGES).replace(b"<P>", rb"(?:<I>|'[^']*+')")
    return pattern(text, re.IGNORECASE)


MAKE_DATABASE = of_any_case(rb"(?:CREATE|DROP) DATABASE |UPDATE pg_catalog\.pg_database ")
OF_DATABASE = of_any_case(
    rb"(?:ALTER DATABASE|COMMENT ON DATABASE|SECURITY LABEL (?:FOR <P> )?ON DATABASE"
    rb"|(?:GRANT|REVOKE) <W> ON DATABASE|ALTER ROLE <I> IN DATABASE)"
    rb" (?P<name><I>)(?P<rest>.*)"
)
LOCKING = of_any_case(
    rb" (?:WITH )?(?:IS_TEMPLATE|ALLOW_CONNECTIONS|SET TABLESPACE|RENAME TO)\b.*"
    rb"| SET \"?(?:\w*_timeout|(?:session|local)_preload_libraries|default_transaction_read_only"
    rb"|default_tablespace|role|session_authorization|session_replication_role|row_security"
    rb"|temp_file_limit)\b.*"
)
"""What would lock the drill out of the database, or cut its own sessions short."""
DRILLS = of_any_case(
    rb"COMMENT ON DATABASE |ALTER DATABASE <I> (?:WITH )?(?:CONNECTION LIMIT|OWNER TO)\b"
)
"""What a drill has set itself where it has made a database on a server that is not ours."""
OF_SERVER = of_any_case(
    rb"(?:CREATE|ALTER|DROP|COMMENT ON|SECURITY LABEL (?:FOR <P> )?ON)"
    rb" (?:ROLE|USER|GROUP|TABLESPACE) (?!MAPPING\b)"
    rb"|(?:GRANT|REVOKE) <W> ON (?:TABLESPACE|PARAMETER) "
)
MEMBERSHIP = of_any_case(
    rb"(?P<kept>(?:GRANT|REVOKE(?: [A-Z]++ OPTION FOR)?) <I>(?:,\s*+<I>|(?!))*+ (?:TO|FROM) .*?)"
    rb"(?: GRANTED BY <I>)?(?P<end>(?: CASCADE| RESTRICT)?;)$"
)
ROLE = of_any_case(rb"(?P<verb>CREATE|ALTER|DROP) (?:ROLE|USER|GROUP) (?:IF EXISTS )?(?P<name><I>)")
TABLESPACE = of_any_case(rb"(?:CREATE|DROP) TABLESPACE ")
NO_SUPERUSER = of_any_case(rb"\bNOSUPERUSER\b")

MADE = "CREATE or DROP DATABASE is not run"
OTHER = "a statement about another database is not run"
OWN = "the comment, the owner and the connection limit of the drill's own database stay"
LEFT_OUT = "another database without tables is not restored"
LOCKS = "a setting that would end the drill's own sessions is not applied"
SERVER = "a statement about the whole server is not run: a drill leaves roles and tablespaces alone"
LIVE = (
    "a statement about the live database as a whole is not run: "
    "its owner, settings, limits and grants stay as they are"
)
OURS = "a statement about the role that the drill itself uses is not run"
PLACE = "the drill created its own tablespaces in place of the dump's"


class Scope:
    """Lets those events of a dump through that concern the database to be restored."""

    def __init__(self, contents: Contents, restoration: Restoration) -> None:
        """Restore `contents` into the target of `restoration`, where the rest is noted."""
        self.contents, self.restoration = contents, restoration
        self.target = restoration.target
        self.codec = codec_of(contents.head.encoding)
        self.known = contents.database or contents.head.database
        self.elsewhere = False
        self.left: dict[str, list[int]] = {}
        self.settings: dict[str, list[tuple[int, str]]] = {}

    def events(self, events: Iterable[Event]) -> Iterator[Event]:
        """Those of `events` that are to be carried out, some in other words."""
        try:
            for event in events:
                if isinstance(event, MetaCommand) and event.text.startswith(b"\\connect"):
                    self.connect(event)
                    if not self.elsewhere:
                        yield event
                elif self.elsewhere:
                    continue
                elif isinstance(event, Statement) and MAY_REACH.match(event.sql):
                    kept = self.statement(event)
                    if isinstance(kept, Statement):
                        yield kept
                    else:
                        self.leave(event.line, kept, setting_words(spaced(event.sql), self.codec))
                else:
                    yield event
        finally:
            self.report()

    def connect(self, command: MetaCommand) -> None:
        """The dump goes on with another database, or with the one that is restored."""
        text = command.text.decode(self.codec, "replace").encode()
        self.elsewhere = connected_database(text) in self.contents.left_out
        if self.elsewhere:
            self.leave(command.line, LEFT_OUT)

    def leave(self, line: int, reason: str, setting: str = "") -> None:
        """Note that what stands at `line` is left out, a `setting` by its name."""
        if setting and reason in (LOCKS, SERVER, LIVE):
            self.settings.setdefault(reason, []).append((line, setting))
        elif reason:
            self.left.setdefault(reason, []).append(line)

    def statement(self, statement: Statement) -> Statement | str:
        """What is to be run for `statement`: itself, another one, or why nothing is."""
        # A comment between two words, or none where a quoted name begins, hides nothing.
        plain = statement._replace(sql=spaced(statement.sql))
        if MAKE_DATABASE.match(plain.sql):
            return MADE
        about = OF_DATABASE.match(plain.sql)
        if about:
            return self.of_database(plain, about)
        if OF_SERVER.match(plain.sql) or MEMBERSHIP.match(plain.sql):
            return self.of_server(plain)
        return statement

    def of_database(self, statement: Statement, about: re.Match[bytes]) -> Statement | str:
        """A statement about a database, which has the target's name here."""
        name = self.plain(about["name"])
        here = self.target.conninfo["dbname"]
        # On a server that is not ours a name that no \connect confirms is not read as the target's.
        known = self.known or ("" if self.target.throwaway else here)
        if (known and name != known) or about["rest"].lstrip().startswith(b","):
            return OTHER
        if not self.target.is_expendable:
            return LIVE  # no snapshot holds them, so that no rollback could give them back
        if LOCKING.match(about["rest"]):
            return LOCKS
        if self.target.beside and DRILLS.match(statement.sql):
            return OWN
        if name == here:
            return statement
        quoted = '"' + here.replace('"', '""') + '"'
        begin, end = about.span("name")
        sql = statement.sql[:begin] + quoted.encode(self.codec, "replace") + statement.sql[end:]
        return statement._replace(sql=sql)

    def of_server(self, statement: Statement) -> Statement | str:
        """A statement about roles or tablespaces: on our own server only, and not all of them."""
        if not self.target.throwaway:
            return SERVER
        if TABLESPACE.match(statement.sql):
            return PLACE
        role = ROLE.match(statement.sql)
        if role:
            return self.of_role(statement, role)
        # Who has given a role matters to no database, and has to be allowed to since 16.
        return statement._replace(sql=MEMBERSHIP.sub(rb"\g<kept>\g<end>", statement.sql))

    def of_role(self, statement: Statement, role: re.Match[bytes]) -> Statement | str:
        """A statement that makes, alters or drops a role, of which ours has made some before."""
        name = self.plain(role["name"])
        if name == self.target.conninfo["user"]:
            return OURS
        if name in self.contents.roles and role["verb"].upper() != b"ALTER":
            return ""
        if name in self.contents.superusers:
            return statement._replace(sql=NO_SUPERUSER.sub(b"SUPERUSER", statement.sql))
        return statement

    def plain(self, name: bytes) -> str:
        """A name of the dump, without quotes."""
        return dotted(name.decode(self.codec, "replace").encode())

    def report(self) -> None:
        """Report what was left out, a line for each reason, and for each setting."""
        for reason, settings in self.settings.items():
            self.restoration.harmless += lines_on_settings(reason, settings)
        self.settings.clear()
        for reason, lines in self.left.items():
            more = f" ({show_count(len(lines), 'time')})" if len(lines) > 1 else ""
            self.restoration.harmless.append(f"line {lines[0]:,}: {reason}{more}")
        self.left.clear()
