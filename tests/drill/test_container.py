"""The container target: a real drill in a real engine, and clear words where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpus.hostile import world
from tests.helpers.drills import run_drill
from tests.helpers.engine import require_engine
from tests.helpers.shop import ROWS, Shops, fill_shop, pg_dump


@pytest.mark.parametrize("form", ["plain.sql", "custom.dump"])
def test_drill_in_a_container_passes(form: str, shops: Shops, report_dir: Path) -> None:
    """A healthy dump passes in a container of its own major version, Redis beside it too."""
    engine = require_engine()

    drill = run_drill(
        "--target=container",
        f"--image={engine.image}",
        f"--redis-image={engine.redis_image}",
        f"--backup={shops.dump(engine.major, form)}",
        report_dir=report_dir,
    )

    assert drill.code == 0, drill.output
    assert drill.result["target"]["kind"] == "container"
    assert {name: drill.result["tables"][name]["rows"] for name in ROWS} == ROWS
    assert any("one in a container" in entry["why"] for entry in drill.result["not_checked"])


def test_image_of_the_backups_major_is_the_default(shops: Shops, report_dir: Path) -> None:
    """Without --image the official image of the backup's major version is taken."""
    engine = require_engine()
    prefix = engine.environment["TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX"]

    drill = run_drill(
        "--target=container",
        f"--backup={shops.dump(engine.major, 'custom.dump')}",
        "-k",
        "cards",
        report_dir=report_dir,
        TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX=prefix,
    )

    assert drill.code == 0, drill.output
    assert f"postgres:{engine.major}" in drill.result["target"]["description"]


def test_damaged_backup_is_red_in_a_container_too(
    shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """A restore error in a container fails the drill as anywhere."""
    engine = require_engine()
    path = tmp_path / "backup.sql"
    text = shops.dump(engine.major, "plain.sql").read_text()
    path.write_text(text.replace("CREATE INDEX", "CREATE INDEXX", 1))

    drill = run_drill(
        "--target=container", f"--image={engine.image}", f"--backup={path}", "-k", "not redis",
        report_dir=report_dir,
    )  # fmt: skip

    assert drill.code == 1, drill.output
    assert "syntax_error" in drill.failed["test_restore_has_no_errors"]


def test_missing_engine_is_reported(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """Without an engine the drill could not run: one line what, and what to do."""
    drill = run_drill(
        "--target=container", f"--backup={shops.dump(15, 'plain.sql')}", "-k", "not redis",
        report_dir=report_dir, DOCKER_HOST=f"unix://{tmp_path}/none.sock",
    )  # fmt: skip

    assert drill.code == 6, drill.output
    assert drill.verdict == "could-not-run"
    assert "--target embedded" in drill.output
    assert "Traceback" not in drill.output


HOSTILE = """
CREATE TABLE public.loot (line text);
CREATE FUNCTION public.deed() RETURNS void LANGUAGE plpgsql AS $deed$
BEGIN
    COPY public.loot FROM PROGRAM $p$grep -c : /proc/net/dev;
        grep CapEff /proc/self/status | cut -f2; ls {outside} 2>&1;
        ln -sf {outside}/.s.PGSQL.{port} /restore-drill/.s.PGSQL.5432 2>&1; true$p$;
EXCEPTION WHEN OTHERS THEN NULL;
END $deed$;
CREATE FUNCTION public.pure(n integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql
    AS 'BEGIN PERFORM public.deed(); RETURN n; END';
CREATE TABLE public.rows (n integer PRIMARY KEY);
INSERT INTO public.rows VALUES (1);
CREATE INDEX ON public.rows (public.pure(n));
TRUNCATE public.loot;
"""


def test_hostile_dump_is_contained_in_a_container(
    shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """Its code runs, finds no network and no socket but its own; the report names its walls."""
    engine = require_engine()
    with world() as outside:
        source = shops.database(15, f"hostile_{tmp_path.name}")
        fill_shop(source, outside.sql(HOSTILE))
        path = pg_dump(source, tmp_path / "backup.sql", "--exclude-table-data=loot")

        drill = run_drill(
            "--target=container", f"--image={engine.image}", f"--backup={path}", "-k", "not redis",
            report_dir=report_dir,
        )  # fmt: skip

        assert (outside.tcp.calls, outside.unix.calls) == (0, 0)
    assert drill.result["target"]["isolated"] is True, drill.output
    assert any("was isolated: no network" in note for note in drill.result["notes"])
    assert drill.result["tables"]["public.loot"]["rows"] > 3
    assert not any("connection" in message for message in drill.failed.values()), drill.output
