"""Options in the catalog: what a dump carries is compared, what the server keeps there is not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.commands import main
from restore_drill.facts.snapshot import read_fingerprint
from restore_drill.manifest.compare import compare
from restore_drill.manifest.file import manifest_path
from restore_drill.servers.model import Target
from tests.helpers.drills import run_drill
from tests.helpers.shop import Shops, majors, pg_dump, quiet

SOURCE = """
CREATE TABLE public.t (a int, b text, c point) WITH (fillfactor = 70, toast.vacuum_truncate = off);
ALTER TABLE public.t ALTER a SET (n_distinct = -0.5);
CREATE INDEX t_a ON public.t (a) WITH (fillfactor = 60, deduplicate_items = off) WHERE a > 0;
CREATE INDEX t_c ON public.t USING gist (c) WITH (buffering = on, fillfactor = 50);
CREATE VIEW public.v WITH (security_barrier, check_option = local) AS SELECT a FROM public.t;
CREATE MATERIALIZED VIEW public.m WITH (autovacuum_enabled = off) AS SELECT a FROM public.t;
CREATE FOREIGN DATA WRAPPER far OPTIONS (a 'b');
CREATE SERVER away FOREIGN DATA WRAPPER far OPTIONS (host 'h');
CREATE FOREIGN TABLE public.f (a int OPTIONS (x 'y')) SERVER away OPTIONS ("table" 't');
"""
CHANGES = {
    "ALTER TABLE public.t SET (fillfactor = 71)": "table public.t has changed",
    "ALTER TABLE public.t RESET (toast.vacuum_truncate)": "table public.t has changed",
    "ALTER TABLE public.t ALTER a RESET (n_distinct)": "column public.t.a has changed",
    "ALTER INDEX public.t_a RESET (fillfactor)": "index public.t_a has changed",
    "ALTER INDEX public.t_c SET (buffering = auto)": "index public.t_c has changed",
    "ALTER VIEW public.v RESET (security_barrier)": "view public.v has changed",
    "ALTER MATERIALIZED VIEW public.m RESET (autovacuum_enabled)":
        "materialized view public.m has changed",
    "ALTER FOREIGN DATA WRAPPER far OPTIONS (SET a 'c')": "foreign-data wrapper far has changed",
    "ALTER SERVER away OPTIONS (DROP host)": "server away has changed",
    'ALTER FOREIGN TABLE public.f OPTIONS (DROP "table")': "foreign table public.f has changed",
    "ALTER FOREIGN TABLE public.f ALTER a OPTIONS (SET x 'z')": "column public.f.a has changed",
}  # fmt: skip
OF_A_LATER_SERVER = """
UPDATE pg_attribute SET attoptions = attoptions || '{pg_later=%1$s}'
    WHERE attrelid IN ('public.t'::regclass, 'public.v'::regclass) AND attnum > 0;
UPDATE pg_class SET reloptions = '{pg_rel=%1$s}' || coalesce(reloptions, '{}')
    WHERE oid IN ('public.t'::regclass, 'public.v'::regclass, 'public.m'::regclass,
        'public.t_a'::regclass, 'public.t_c'::regclass)
        OR oid = (SELECT reltoastrelid FROM pg_class WHERE oid = 'public.t'::regclass);
UPDATE pg_foreign_server SET srvoptions = srvoptions || '{pg_srv=%1$s}';
"""
"""What a later minor version might keep among the options, as 15.20 does."""


@pytest.fixture
def made(shops: Shops, request: pytest.FixtureRequest) -> Callable[[int], Target]:
    """Function that makes a database with options on a server of a major version."""

    def make(major: int) -> Target:
        target = shops.database(major, f"o{abs(hash(request.node.name)) % 10**9}")
        run(target, SOURCE)
        return target

    return make


def run(target: Target, script: str) -> None:
    """Run `script` in `target`."""
    with target.connect() as connection:
        connection.execute(script.encode())


@pytest.mark.parametrize("major", majors(18))
def test_options_that_a_dump_carries_are_compared(
    major: int, made: Callable[[int], Target]
) -> None:
    """Each option that a user has set is part of what its table, column, view or index is."""
    target = made(major)
    was = read_fingerprint(target, 1, quiet)
    run(target, "; ".join(CHANGES))

    found = compare(was, read_fingerprint(target, 1, quiet))
    assert sorted(found.lines) == sorted({*CHANGES.values()})


@pytest.mark.parametrize("major", [14, 15, 16, 17, 18])
def test_options_of_the_server_are_no_difference(
    major: int, made: Callable[[int], Target], shops: Shops, tmp_path: Path
) -> None:
    """What the server keeps among the options is noted by name, and no loss after a restore."""
    target = made(major)
    dump = pg_dump(target, tmp_path / "options.sql", "--schema-only")
    run(target, OF_A_LATER_SERVER.replace("%1$s", "1"))
    was = read_fingerprint(target, 1, quiet)
    copy = shops.database(major, f"{target.conninfo['dbname']}_copy")
    script = re.sub(r"^\\(un)?restrict", "--", dump.read_text(), flags=re.MULTILINE)
    run(copy, f"{script}; REFRESH MATERIALIZED VIEW public.m")
    found = compare(was, read_fingerprint(copy, 1, quiet))
    run(target, OF_A_LATER_SERVER.replace("%1$s", "2"))
    later = compare(was, read_fingerprint(target, 1, quiet))

    assert found.lines == later.lines == []
    assert [what for what, _ in found.not_compared] == [
        "rows of public.f",
        "option pg_later of each column",
        "option pg_srv of each foreign object",
        "option pg_rel of each index",
        "option pg_rel of each table",
        "option pg_rel of each view",
    ]


def test_manifest_of_an_earlier_version_is_no_false_red(
    made: Callable[[int], Target], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the definitions of a kind held other things, they are reported as not compared."""
    source = made(15)
    host, port = source.conninfo["host"].replace("/", "%2F"), source.conninfo["port"]
    url = f"postgresql://{source.conninfo['user']}@{host}:{port}/{source.conninfo['dbname']}"
    monkeypatch.setenv("DATABASE_URL", url)
    assert main(["backup", f"--output-dir={tmp_path}", "--name=old"]) == 0
    path = manifest_path(tmp_path / "old.dump")
    manifest = json.loads(path.read_text())
    del manifest["identity"]["revisions"]
    columns = manifest["identity"]["schema"]["column"]
    columns |= dict.fromkeys(columns, "0" * 32)
    path.write_text(json.dumps(manifest))

    backup = f"--backup={tmp_path / 'old.dump'}"
    drill = run_drill(backup, "-k", "not redis", report_dir=tmp_path / "report")

    assert set(drill.failed) == {"test_database_has_rows"}
    (told,) = (each for each in drill.result["not_checked"] if "definition" in each["what"])
    assert told["what"] == f"the definition of {len(columns)} columns"
    assert "another version of restore-drill" in told["why"]
