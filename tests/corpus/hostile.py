"""Hostile dumps: what code of a restored database tries to reach, and by which way it is run.

Each dump is written by the real pg_dump of a database whose own functions do the deed. What they
reach is seen from outside: files, listeners, processes, and what they could read.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

from restore_drill.servers.launcher import choose_launcher
from restore_drill.servers.model import Target
from tests.corpus.judge import read_backup, restore, settings_with
from tests.helpers.shop import Shops, fill_shop, pg_dump

SECRET = "Confidential-4711"
MARK = f"4711.{os.getpid()}"
"""Seconds that a process left behind sleeps for: its name among all others, of other runs too."""

DEEDS = {
    "a program writes a file": "COPY public.loot TO PROGRAM 'cat > {outside}/made'",
    "a program reads a secret file": "COPY public.loot FROM PROGRAM 'cat {outside}/secret'",
    "a program reads all environments": "COPY public.loot FROM PROGRAM $p$cat /proc/[0-9]*/environ"
    " 2>/dev/null | tr -d '\\\\\\n\\t' | tr '\\0' '\\n'$p$ (FORMAT csv, DELIMITER E'\\x01', QUOTE"
    " E'\\x02')",
    "a program of the environment given": "COPY public.loot FROM PROGRAM 'env'",
    "a program kills a process": "COPY public.loot FROM PROGRAM 'kill -9 {bystander}'",
    "a program kills all by name": "COPY public.loot FROM PROGRAM $p$for i in /proc/[0-9]*; do"
    " grep -qs {bystander_mark} $i/cmdline && kill -9 $(basename $i); done; true$p$",
    "a program stays behind": "COPY public.loot FROM PROGRAM"
    " 'setsid sleep {mark} >/dev/null 2>&1 </dev/null &'",
    "a program connects by TCP": "COPY public.loot FROM PROGRAM $p$timeout 2 bash -c"
    " 'echo > /dev/tcp/127.0.0.1/{port}' 2>&1; true$p$",
    "a program leaves the namespaces": "COPY public.loot FROM PROGRAM $p$unshare --user"
    " --map-root-user --mount sh -c 'umount -l /usr; mount -o remount,rw /; ls {outside}' 2>&1;"
    " cat /proc/1/root{outside}/secret; true$p$",
    "a program lists homes": "COPY public.loot FROM PROGRAM 'ls -d {outside}/secret'",
    "COPY reads a secret file": "COPY public.loot FROM '{outside}/secret'",
    "COPY writes a file": "COPY public.loot TO '{outside}/made'",
    "COPY writes to /tmp": "COPY public.loot TO '/tmp/{made}'",
    "COPY writes to /dev/shm": "COPY public.loot TO '/dev/shm/{made}'",
    "pg_read_file": "INSERT INTO public.loot VALUES (pg_read_file('{outside}/secret'))",
    "pg_read_binary_file": "INSERT INTO public.loot VALUES"
    " (convert_from(pg_read_binary_file('{outside}/secret'), 'UTF8'))",
    "pg_read_file of an environment": "INSERT INTO public.loot VALUES (encode("
    "pg_read_binary_file('/proc/{bystander}/environ', 0, 100000, true), 'escape'))",
    "pg_ls_dir": "INSERT INTO public.loot SELECT name FROM pg_ls_dir('{outside}') name",
    "lo_import": "PERFORM lo_import('{outside}/secret', 4711);"
    " INSERT INTO public.loot VALUES (convert_from(lo_get(4711), 'UTF8'))",
    "lo_export": "PERFORM lo_from_bytea(4711, 'x'); PERFORM lo_export(4711, '{outside}/made')",
    "file_fdw": "CREATE EXTENSION IF NOT EXISTS file_fdw SCHEMA public;"
    " CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;"
    " CREATE FOREIGN TABLE public.far (line text) SERVER files"
    " OPTIONS (filename '{outside}/secret'); INSERT INTO public.loot SELECT line FROM public.far",
    "dblink by TCP": "CREATE EXTENSION IF NOT EXISTS dblink SCHEMA public;"
    " PERFORM public.dblink_connect('host=127.0.0.1 port={port} connect_timeout=2 dbname=x')",
    "dblink by a Unix socket": "CREATE EXTENSION IF NOT EXISTS dblink SCHEMA public; PERFORM"
    " public.dblink_connect('host={outside} port={port} connect_timeout=2 dbname=x')",
    "the server's socket led elsewhere": "COPY public.loot FROM PROGRAM"
    " 'ln -sf {outside}/.s.PGSQL.{port} ../.s.PGSQL.5432'",
    "dblink to itself for ALTER SYSTEM": "CREATE EXTENSION IF NOT EXISTS dblink SCHEMA public;"
    " PERFORM public.dblink_exec(format('host=%s port=5432 user=postgres dbname=%I',"
    " current_setting('unix_socket_directories'), current_database()),"
    " 'ALTER SYSTEM SET archive_command = ''touch {outside}/made''')",
    "postgres_fdw by TCP": "CREATE EXTENSION IF NOT EXISTS postgres_fdw SCHEMA public;"
    " CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1',"
    " port '{port}', connect_timeout '2');"
    " CREATE USER MAPPING FOR postgres SERVER far; CREATE FOREIGN TABLE public.far (line text)"
    " SERVER far; INSERT INTO public.loot SELECT line FROM public.far",
    "a subscription connects": "CREATE SUBSCRIPTION far CONNECTION 'host=127.0.0.1 port={port}"
    " connect_timeout=2' PUBLICATION p WITH (create_slot = false, copy_data = false)",
    "foreign schema imported": "CREATE EXTENSION IF NOT EXISTS postgres_fdw SCHEMA public;"
    " CREATE SERVER near FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{outside}',"
    " port '{port}', connect_timeout '2'); CREATE USER MAPPING FOR postgres SERVER near;"
    " IMPORT FOREIGN SCHEMA public FROM SERVER near INTO public",
}
"""What a function of the dump does, in plpgsql; names in braces are those of `World.words`."""
SOCKET_LED = "the server's socket led elsewhere"
HARMLESS = {
    "dblink to itself for ALTER SYSTEM",
    "a program of the environment given",
    SOCKET_LED,
}
"""Deeds that reach nothing even without walls: the server's own settings, environment, socket."""

DEED = """
CREATE TABLE public.loot (line text);
CREATE FUNCTION public.deed() RETURNS void LANGUAGE plpgsql AS $deed$
BEGIN
    {body};
EXCEPTION WHEN OTHERS THEN
    INSERT INTO public.loot VALUES ('failed: ' || SQLERRM);
END $deed$;
CREATE FUNCTION public.pure(n integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql
    AS 'BEGIN PERFORM public.deed(); RETURN n; END';
CREATE TABLE public.rows (n integer);
INSERT INTO public.rows VALUES (1);
"""
WAYS = {
    "an index expression": "CREATE INDEX ON public.rows (public.pure(n));",
    "a CHECK": "ALTER TABLE public.rows ADD CHECK (public.pure(n) = n);",
    "a generated column": "ALTER TABLE public.rows"
    " ADD twin integer GENERATED ALWAYS AS (public.pure(n)) STORED;",
    "a domain": "CREATE DOMAIN public.odd AS integer CHECK (public.pure(VALUE) = VALUE);"
    "CREATE TABLE public.odds (n public.odd); INSERT INTO public.odds VALUES (1);",
    "a materialised view": "CREATE MATERIALIZED VIEW public.seen AS SELECT public.pure(1);",
    "an event trigger": "CREATE MATERIALIZED VIEW public.seen AS SELECT 1 AS one;"
    "CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql"
    " AS 'BEGIN PERFORM public.deed(); END';"
    "CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('REFRESH MATERIALIZED VIEW')"
    " EXECUTE FUNCTION public.watch();",
    "statistics": "CREATE STATISTICS public.odd ON public.pure(n), (n + 1) FROM public.rows;",
    "an aggregate": "CREATE FUNCTION public.step(integer, integer) RETURNS integer IMMUTABLE"
    " LANGUAGE plpgsql AS 'BEGIN PERFORM public.deed(); RETURN $2; END';"
    "CREATE AGGREGATE public.total(integer) (SFUNC = public.step, STYPE = integer);"
    "CREATE MATERIALIZED VIEW public.seen AS SELECT public.total(n) FROM public.rows;",
    "an operator class": "CREATE FUNCTION public.cmp(integer, integer) RETURNS integer IMMUTABLE"
    " LANGUAGE plpgsql AS 'BEGIN PERFORM public.deed(); RETURN btint4cmp($1, $2); END';"
    "CREATE OPERATOR CLASS public.odd_ops FOR TYPE integer USING btree AS OPERATOR 1 <,"
    " OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,"
    " FUNCTION 1 public.cmp(integer, integer);"
    "CREATE TABLE public.pairs (n integer); INSERT INTO public.pairs VALUES (1), (2);"
    "CREATE INDEX ON public.pairs (n public.odd_ops);",
    "an operator": "CREATE FUNCTION public.same(integer, integer) RETURNS boolean IMMUTABLE"
    " LANGUAGE plpgsql AS 'BEGIN PERFORM public.deed(); RETURN true; END';"
    "CREATE OPERATOR public.=== (LEFTARG = integer, RIGHTARG = integer, FUNCTION = public.same);"
    "CREATE INDEX ON public.rows (n) WHERE n OPERATOR(public.===) 1;",
    "a cast": "CREATE TYPE public.odd AS (n integer);"
    "CREATE FUNCTION public.to_odd(integer) RETURNS public.odd IMMUTABLE LANGUAGE plpgsql"
    " AS 'BEGIN PERFORM public.deed(); RETURN ROW($1)::public.odd; END';"
    "CREATE CAST (integer AS public.odd) WITH FUNCTION public.to_odd(integer);"
    "CREATE MATERIALIZED VIEW public.seen AS SELECT n::public.odd FROM public.rows;",
    "a partition's key": "CREATE TABLE public.parts (n integer)"
    " PARTITION BY LIST (public.pure(n));"
    "CREATE TABLE public.part PARTITION OF public.parts FOR VALUES IN (1);"
    "INSERT INTO public.parts VALUES (1);",
    "a view": "CREATE VIEW public.seen AS SELECT public.pure(1);",
    "an entry of an archive": "",
    "a DO block": "",
    "a trigger that COPY fires": "",
    "a column's default": "",
    "a rule": "",
    "a policy": "",
}
"""How the deed is run when the dump is restored or verified; those without SQL by hand."""
END = "--\n-- PostgreSQL database dump complete"
FIRE = """CREATE FUNCTION public.fire() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN PERFORM public.deed(); RETURN NEW; END';
CREATE TRIGGER fire BEFORE INSERT ON public.rows FOR EACH ROW EXECUTE FUNCTION public.fire();
"""
DEFAULT = """CREATE FUNCTION public.fresh() RETURNS integer LANGUAGE plpgsql
    AS 'BEGIN PERFORM public.deed(); RETURN 1; END';
ALTER TABLE public.rows ADD COLUMN more integer DEFAULT public.fresh();
"""
RULE = """CREATE RULE watch AS ON UPDATE TO public.rows DO ALSO SELECT public.deed();
UPDATE public.rows SET n = n;
"""
POLICY = """ALTER FUNCTION public.deed() SECURITY DEFINER;
CREATE POLICY watch ON public.rows USING (public.pure(n) = n);
ALTER TABLE public.rows ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON public.rows TO pg_monitor;
SET row_security = on;
SET ROLE pg_monitor;
SELECT n FROM public.rows;
RESET ROLE;
"""
BY_HAND = {
    "a DO block": (END, "DO $$ BEGIN PERFORM public.deed(); END $$;\n"),
    "a trigger that COPY fires": ("COPY public.rows ", FIRE),
    "a column's default": (END, DEFAULT),
    "a rule": (END, RULE),
    "a policy": (END, POLICY),
}
"""By way, what stands in the dump behind the statement that is put there."""


PLACE = f"COMMENT ON TABLE public.rows IS '{'place' * 100}';\n"
"""A statement that `in_place` finds in a dump of any format, an archive's table of contents too."""


def in_place(dump: bytes, sql: str) -> bytes:
    """`dump`, of a database with PLACE, with other `sql` there; not longer, as archives count."""
    place = PLACE.strip().encode()
    assert dump.count(place) == 1
    return dump.replace(place, sql.encode().ljust(len(place)))


@dataclass(frozen=True)
class Hostile:
    """One hostile dump: a deed, and the way it is run."""

    deed: str
    way: str

    @property
    def id(self) -> str:
        """Name of the case."""
        return f"{self.deed} by {self.way}".replace(" ", "_").replace("/", "")


CORE = [Hostile(deed, way) for deed, way in zip(DEEDS, itertools.cycle(WAYS), strict=False)]
"""Each deed by one way; `python -m tests.corpus hostile` does each by all."""
EVERY = [Hostile(deed, way) for deed in DEEDS for way in WAYS]

NUMBERS = itertools.count()


class Listener:
    """Counts who connects to a socket, and hangs up at once: nobody is to wait for an answer."""

    def __init__(self, listening: socket.socket) -> None:
        """Listen on a socket that is bound."""
        self.socket, self.calls = listening, 0
        listening.listen()
        threading.Thread(target=self.answer, daemon=True).start()

    def answer(self) -> None:
        """Count and hang up until the socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self.socket.accept()
                self.calls += 1
                caller.close()

    def close(self) -> None:
        """Wake the thread that waits, and end it."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@dataclass
class World:
    """What lies and runs outside of the server for all to reach, and what became of it."""

    outside: Path
    tcp: Listener
    unix: Listener
    bystander: subprocess.Popen[bytes]
    made: str
    before: set[str] = field(default_factory=set)

    @property
    def words(self) -> dict[str, str]:
        """What stands for the names in a deed."""
        return {
            "outside": str(self.outside),
            "port": str(self.tcp.socket.getsockname()[1]),
            "bystander": str(self.bystander.pid),
            "bystander_mark": self.made,
            "mark": MARK,
            "made": self.made,
        }

    def sql(self, text: str) -> str:
        """`text` with the names in it."""
        for name, value in self.words.items():
            text = text.replace("{" + name + "}", value)
        return text

    def harm(self, target: Target) -> list[str]:
        """What the deed has reached, seen from outside and by what the database `target` holds."""
        found = [f"file {name}" for name in sorted(self.files() - self.before)]
        found += ["a connection by TCP"] * self.tcp.calls
        found += ["a connection by a Unix socket"] * self.unix.calls
        found += ["killed a process"] if self.bystander.poll() is not None else []
        found += [f"left process {process.pid} behind" for process in left_behind()]
        rows = loot_of(target)
        told = " ".join(line for (line,) in rows if line and not line.startswith("failed: "))
        return found + [f"read {word}" for word in (SECRET, "secret") if word in told]

    def files(self) -> set[str]:
        """Files that a deed may make."""
        places = (Path("/tmp"), Path("/dev/shm"))  # noqa: S108
        return {path.name for path in self.outside.iterdir()} | {
            self.made for place in places if (place / self.made).exists()
        }


def loot_of(target: Target) -> list[tuple[str | None]]:
    """What the deed has stored; a server that it has crashed from within is waited for."""
    deadline = time.monotonic() + 20
    while True:
        try:
            with target.connect_read_only() as connection:
                return connection.execute("SELECT line FROM public.loot").fetchall()
        except psycopg.errors.UndefinedTable:
            return []  # the crash took the restore's transaction with it
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def left_behind(*, everywhere: bool = False) -> list[psutil.Process]:
    """Processes that a deed has started; those behind walls, which end with them, `everywhere`."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if (process.info["cmdline"] or [])[-1:] == [MARK]
        and (everywhere or not is_behind_walls(process))
    ]


def is_behind_walls(process: psutil.Process) -> bool:
    """Whether a process stands in another process table than ours."""
    own, its = (Path(f"/proc/{pid}/ns/pid") for pid in ("self", process.pid))
    try:
        return own.readlink() != its.readlink()
    except OSError:
        return True


@contextlib.contextmanager
def world() -> Iterator[World]:
    """A directory that all may write, a secret in it, listeners, and a process with a secret."""
    account = choose_launcher().options
    with contextlib.ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="outside-", dir="/tmp"))
        outside = Path(name)
        outside.chmod(0o777)
        (outside / "secret").write_text(SECRET)
        (outside / "secret").chmod(0o644)
        bound = socket.create_server(("127.0.0.1", 0))
        tcp = stack.enter_context(contextlib.closing(Listener(bound)))
        path = outside / f".s.PGSQL.{bound.getsockname()[1]}"
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(str(path))
        path.chmod(0o777)
        unix = stack.enter_context(contextlib.closing(Listener(bound)))
        made = f"hostile-{os.getpid()}"
        bystander = subprocess.Popen(
            ["sh", "-c", "read line", made],
            stdin=subprocess.PIPE,
            env={"DATABASE_URL": f"postgresql://live:{SECRET}@db/live", "PATH": os.environ["PATH"]},
            **account,
        )
        stack.enter_context(bystander)  # it ends with its standard input
        stack.callback(clean, made)
        found = World(outside, tcp, unix, bystander, made)
        found.before = found.files()
        yield found


def clean(made: str) -> None:
    """Take away what deeds have made where there are no walls."""
    for process in left_behind():
        process.kill()
    for place in ("/tmp", "/dev/shm"):  # noqa: S108
        (Path(place) / made).unlink(missing_ok=True)


def dump_of(case: Hostile, around: World, shops: Shops, folder: Path) -> Path:
    """The hostile dump of `case`, made of a database on a server of `shops`."""
    source = shops.database(15, f"source_{next(NUMBERS)}")
    body = around.sql(DEEDS[case.deed])
    fill_shop(source, DEED.replace("{body}", "NULL") + WAYS[case.way] + "TRUNCATE public.loot")
    # Only the dump is to do it: where it is made the deed comes last.
    start = DEED.index("CREATE FUNCTION public.deed()")
    deed = DEED[start : DEED.index("CREATE FUNCTION public.pure")].replace("{body}", body)
    fill_shop(source, deed.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    if case.way == "an entry of an archive":
        fill_shop(source, PLACE)
        path = pg_dump(source, folder / f"{case.id}.dump", "--format=custom")
        path.write_bytes(in_place(path.read_bytes(), BY_HAND["a DO block"][1]))
        return path
    path = pg_dump(source, folder / f"{case.id}.sql")
    if case.way in BY_HAND:
        before, added = BY_HAND[case.way]
        assert path.read_text().count(before) == 1
        path.write_text(path.read_text().replace(before, added + before))
    return path


def reached(path: Path, around: World, target: Target, folder: Path) -> list[str]:
    """What the hostile dump at `path`, restored into the empty database `target`, has reached."""
    facts = read_backup(path, folder, settings_with())
    assert facts["contents"].is_complete, facts["contents"].faults
    restore(facts, target)
    return around.harm(target)
