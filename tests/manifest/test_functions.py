"""Functions that cannot work: in the source either, or because of what a backup has lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.facts.checks.functions import UNRESOLVED_FUNCTIONS
from restore_drill.facts.collect import read_facts
from tests.helpers.drills import run_drill
from tests.helpers.shop import USUAL, Shops, fill_shop, quiet
from tests.manifest.test_written import backed_up

SOURCE = """
SET check_function_bodies = off;
CREATE TABLE kept AS SELECT 1 AS id;
CREATE FUNCTION uses_kept() RETURNS int LANGUAGE sql AS 'SELECT id FROM kept';
CREATE FUNCTION old() RETURNS int LANGUAGE sql AS 'SELECT id FROM dropped_long_ago';
CREATE FUNCTION of_application() RETURNS void LANGUAGE sql
    AS 'INSERT INTO made_by_the_application VALUES (1)';
CREATE FUNCTION makes() RETURNS void LANGUAGE sql
    AS 'CREATE TEMP TABLE IF NOT EXISTS brief (a int); INSERT INTO brief VALUES (1)';
CREATE FUNCTION makes_too() RETURNS int LANGUAGE plpgsql
    AS $$ DECLARE r brief%rowtype; BEGIN CREATE temporary table "Own" (a int); RETURN 1; END $$;
CREATE FUNCTION qualified() RETURNS int LANGUAGE sql AS 'SELECT a FROM public.brief';
"""
LOST = {"public.of_application()", "public.old()", "public.qualified()"}


def test_temporary_tables_of_functions_are_none_that_a_backup_has_lost(shops: Shops) -> None:
    """Without a manifest a function may name what a function makes; other names must be there."""
    source = shops.database(USUAL, "functions_of_session")
    fill_shop(source, SOURCE)

    facts = read_facts(source, None, 1, quiet)

    assert facts.of(UNRESOLVED_FUNCTIONS).keys() == LOST
    assert any("public.makes()" in what for what, _ in facts.not_checked), facts.not_checked


@pytest.mark.parametrize("lost", [False, True])
def test_functions_that_fail_in_the_source_are_no_failure(
    *, lost: bool, shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manifest shows that nothing is missing, and fails the drill where something is."""
    source = shops.database(USUAL, f"functions_of_source_{lost}".lower())
    fill_shop(source, SOURCE)
    backup = backed_up(source, tmp_path, monkeypatch)
    if lost:
        script = backup.read_text()
        before, after = script.split("CREATE FUNCTION public.uses_kept", 1)
        backup.write_text(before + after.split(";", 1)[1])

    drill = run_drill(f"--backup={backup}", "-k", "not redis", report_dir=tmp_path / "report")

    assert ("test_functions_resolve" in drill.failed) is lost, drill.output
    assert drill.code == int(lost), drill.output
    if not lost:
        assert "3 functions would fail when called, as in the source" in drill.output
