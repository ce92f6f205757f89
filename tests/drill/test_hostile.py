"""Whole drills of a hostile dump: behind walls an ordinary one, else the drill says so."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.servers import isolation
from tests.corpus.hostile import World, world
from tests.helpers.drills import ROOT, Drill, run_drill
from tests.helpers.shop import Shops, fill_shop, pg_dump

DUMP = """
CREATE FUNCTION public.deed() RETURNS void LANGUAGE plpgsql AS $deed$
BEGIN
    BEGIN
        COPY (SELECT 1) TO PROGRAM 'cat > {outside}/made';
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    BEGIN
        COPY (SELECT 1) TO PROGRAM 'kill -9 {bystander}';
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    IF (pg_stat_file('{outside}/secret', true)).size IS NOT NULL THEN
        RAISE EXCEPTION 'a file outside of the server can be read';
    END IF;
END $deed$;
CREATE FUNCTION public.pure(n integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql
    AS 'BEGIN PERFORM public.deed(); RETURN n; END';
CREATE FUNCTION public.on_row() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN PERFORM public.deed(); RETURN NEW; END';
CREATE TABLE public.rows (n integer PRIMARY KEY CHECK (public.pure(n) = n));
INSERT INTO public.rows SELECT generate_series(1, 3);
CREATE INDEX ON public.rows (public.pure(n));
CREATE TRIGGER on_row BEFORE INSERT OR UPDATE ON public.rows
    FOR EACH ROW EXECUTE FUNCTION public.on_row();
CREATE VIEW public.seen AS SELECT public.pure(n) AS n FROM public.rows;
CREATE MATERIALIZED VIEW public.kept AS SELECT public.pure(1) AS n;
"""
"""Code that the restore runs, and the criteria: the write check, and the queries of views."""

CHROOT = 'mount --rbind / "$1" && exec chroot "$1" sh -c "$2"'


@pytest.fixture
def dump(shops: Shops, tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, World]:
    """Dump of a database with such code, and what it wants to reach."""
    if not shops.source(15).isolated:
        pytest.skip(f"namespaces are closed here: {isolation.why_not()}")
    around = request.getfixturevalue("outside")
    source = shops.database(15, f"hostile_{os.urandom(4).hex()}")
    fill_shop(source, around.sql(DUMP))
    return pg_dump(source, tmp_path / "backup.sql"), around


@pytest.fixture
def outside() -> Iterator[World]:
    """Files, listeners and a process that the code may want to reach."""
    with world() as found:
        yield found


def test_contained_code_is_an_ordinary_dump(dump: tuple[Path, World], report_dir: Path) -> None:
    """Behind walls the drill is green: the code found nothing, and nothing broke by that."""
    path, around = dump

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert drill.result["target"]["isolated"] is True
    assert any("the throwaway server was isolated" in note for note in drill.result["notes"])
    assert ", isolated," in drill.output
    assert around.files() == around.before
    assert around.bystander.poll() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can close namespaces for a test")
def test_without_namespaces_the_drill_says_so(dump: tuple[Path, World], report_dir: Path) -> None:
    """Where the kernel refuses namespaces the same code does reach out, and the drill warns."""
    path, around = dump

    drill = drill_in_chroot(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.result["target"]["isolated"] is False
    assert "he throwaway server was not isolated: " in drill.output
    assert any("the throwaway server was not isolated" in note for note in drill.result["notes"])
    assert drill.code == 1, drill.output
    assert around.files() - around.before == {"made"}
    assert around.bystander.poll() is not None


def drill_in_chroot(*arguments: str, report_dir: Path) -> Drill:
    """Drill in a chroot of the whole system, where the kernel gives nobody a user namespace."""
    command = [sys.executable, "-m", "pytest", "drill/", f"--report-dir={report_dir}", *arguments]
    inside = f"cd {shlex.quote(str(ROOT))} && exec {shlex.join(command)}"
    root = report_dir.with_name("root")
    root.mkdir()
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", CHROOT, "sh", str(root), inside],
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
        | {"PYTHONIOENCODING": "utf-8", "XDG_STATE_HOME": str(report_dir.parent / "state")},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return Drill(done.returncode, done.stdout + done.stderr, report_dir)
