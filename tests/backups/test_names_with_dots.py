"""Names that hold dots: two objects are never one, and each can be named."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from fixtures.commands import main
from restore_drill.config.criteria import load_criteria
from restore_drill.core.names import as_before, flat, joined, split_name
from restore_drill.servers.model import Target
from tests.helpers.drills import run_drill
from tests.helpers.shop import Shops, fill_shop, pg_dump

DOTS = """
CREATE SCHEMA "a.b";
CREATE SCHEMA a;
CREATE TABLE "a.b".c (id integer PRIMARY KEY, "x.y" text, "at.z" timestamptz DEFAULT now());
CREATE TABLE a."b.c" (id serial, "x.y" numeric CHECK ("x.y" > 0));
INSERT INTO "a.b".c SELECT n, 'text' FROM generate_series(1, 300) n;
INSERT INTO a."b.c" ("x.y") SELECT n FROM generate_series(1, 20) n;
CREATE INDEX "i.j" ON a."b.c" ("x.y");
CREATE FUNCTION a.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER "t.u" BEFORE INSERT ON a."b.c" FOR EACH ROW EXECUTE FUNCTION a.stamp();
ALTER TABLE a."b.c" DISABLE TRIGGER "t.u";
ALTER TABLE "a.b".c ADD CONSTRAINT "k.l" CHECK (id > 0) NOT VALID;
CREATE MATERIALIZED VIEW "a.b"."m.v" AS SELECT count(*) FROM a."b.c";
CREATE TABLE a."part.ed" (id integer) PARTITION BY RANGE (id);
CREATE TABLE a."part.one" PARTITION OF a."part.ed" FOR VALUES FROM (1) TO (10);
INSERT INTO a."part.ed" SELECT n FROM generate_series(1, 9) n;
"""
CRITERIA = """
[tables]
'"a.b".c' = { min_rows = 300, max_rows = 300 }
'a."b.c"' = { min_rows = 20, max_rows = 20 }
[freshness]
'"a.b".c."at.z"' = "26h"
[tolerance.tables]
'a."b.c"' = 1.0
"""


def url_of(target: Target) -> str:
    """DATABASE_URL of `target`."""
    host = target.conninfo["host"].replace("/", "%2F")
    port, name = target.conninfo["port"], target.conninfo["dbname"]
    return f"postgresql://{target.conninfo['user']}@{host}:{port}/{name}"


def test_no_two_names_are_one() -> None:
    """What parts are joined to is split to the same parts, whatever they hold."""
    texts = [".", '"', "a", 'a"', '"a', "a.b", '"a".b', "", "a\n", 'b."c', '"."']
    pairs = [*itertools.product(texts, repeat=2)]

    assert [split_name(joined(*pair)) for pair in pairs] == [list(pair) for pair in pairs]
    assert len({joined(*pair) for pair in pairs}) == len(pairs)
    assert joined("public", 'odd "name') == 'public.odd "name'


def test_names_of_an_older_state_are_read() -> None:
    """What an older version has written without quotes is known again, unless it was ambiguous."""
    assert flat('"a.b".c') == "a.b.c"
    assert as_before({'"a.b".c': 1, "p.q": 2}, {"a.b.c", "p.q"}) == {"a.b.c": 1, "p.q": 2}
    both = {'"a.b".c': 1, 'a."b.c"': 2}
    assert as_before(both, {"a.b.c"}) == both
    assert as_before(both, both) == both


def test_criteria_name_either(tmp_path: Path) -> None:
    """A part in quotes may hold dots; needless quotes change nothing."""
    path = tmp_path / "criteria.toml"
    path.write_text(f'{CRITERIA}\'"public"."cards"\' = 0.5\n')

    criteria = load_criteria(path)

    assert [*criteria.tables] == ['"a.b".c', 'a."b.c"']
    assert criteria.freshness['"a.b".c."at.z"'].schema == "a.b"
    assert criteria.shrinks == {'a."b.c"': 1.0, "public.cards": 0.5}


def test_manifest_and_drift_know_them_apart(
    shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A healthy drill with a manifest is green; then the loss in one is reported for that one."""
    source = shops.database(15, "dots")
    fill_shop(source, DOTS)
    backups = tmp_path / "backups"
    backups.mkdir()
    criteria = tmp_path / "criteria.toml"
    criteria.write_text(CRITERIA)
    monkeypatch.setenv("BACKUP_PATH", str(backups))
    monkeypatch.setenv("DATABASE_URL", url_of(source))
    assert main(["backup"]) == 0

    green = run_drill(
        f"--criteria={criteria}", report_dir=tmp_path / "green", BACKUP_PATH=str(backups)
    )
    fill_shop(source, 'DELETE FROM "a.b".c WHERE id > 100; DELETE FROM a."b.c"')
    assert main(["backup"]) == 0
    red = run_drill(f"--criteria={criteria}", report_dir=tmp_path / "red", BACKUP_PATH=str(backups))

    assert green.code == 0, green.output
    assert green.result["tables"]['"a.b".c']["rows"] == 300
    assert green.result["tables"]['a."b.c"']["rows"] == 20
    assert set(red.failed) == {
        'test_table_has_rows["a.b".c]',
        'test_table_has_rows[a."b.c"]',
        'test_table_rows_are_plausible["a.b".c]',
    }, red.output


@pytest.mark.parametrize("options", [["-Fc"], ["-Fp", "--quote-all-identifiers"]])
def test_every_format_keeps_them_apart(options: list[str], shops: Shops, tmp_path: Path) -> None:
    """Rows are counted by table, whatever wrote the names."""
    source = shops.database(15, f"dots_{len(options)}_{options[0][2]}")
    fill_shop(source, DOTS)
    path = pg_dump(source, tmp_path / "dots.dump", *options)

    found = run_drill(f"--backup={path}", "-k", "not redis", report_dir=tmp_path / "report")

    assert found.code == 0, found.output
    assert found.result["tables"]['"a.b".c']["rows"] == 300
    assert found.result["tables"]['a."b.c"']["rows"] == 20
