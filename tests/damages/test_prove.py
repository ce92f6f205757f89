"""`--prove`: every damage of a copy is noticed, and nothing undamaged is."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from restore_drill.backups.read import read_contents
from restore_drill.damages.catalogue import CATALOGUE
from restore_drill.damages.files import FILE_DAMAGES
from restore_drill.selection.candidate import as_backup, look_at
from tests.corpus.judge import judge, settings_with
from tests.helpers.drills import run_drill
from tests.helpers.shop import COMPRESSORS, FORMATS, Shops, quiet


@pytest.mark.parametrize("form", ["plain.sql", "directory"])
def test_damages_are_noticed(form: str, shops: Shops, report_dir: Path) -> None:
    """After a green run copies are damaged, and each damage is noticed by the criterion for it.

    Those that only a manifest is sure to show stand in not_checked, with what to do.
    """
    drill = run_drill(
        "--prove", "-k", "not redis", f"--backup={shops.dump(15, form)}", report_dir=report_dir
    )

    assert drill.code == 0, drill.output
    noticed = {entry["damage"]: entry["noticed_by"] for entry in drill.result["proof"]}
    assert set(noticed) == {damage.name for damage in CATALOGUE}
    for damage in CATALOGUE:
        names = {name.split("[")[0] for name in noticed[damage.name]}
        assert damage.needs_manifest or names & damage.caught_by, damage.name
    assert "test_table_has_every_row[public.cards]" in noticed["dropped_rows"]
    why = " ".join(entry["why"] for entry in drill.result["not_checked"])
    assert "not noticed: one value in the largest table has changed" in why
    assert "python -m drill backup" in why


@pytest.mark.parametrize("form", [*FORMATS, *(f"plain.sql.{suffix}" for suffix in COMPRESSORS)])
def test_damage_of_a_file_is_noticed_in_every_format(
    form: str, shops: Shops, tmp_path: Path
) -> None:
    """Whatever the backup ends in, and wherever its data lies."""
    backup = as_backup(look_at(shops.dump(15, form), UTC))
    for damage in FILE_DAMAGES:
        (tmp_path / damage.name).mkdir()
        damaged = damage.do(backup, tmp_path / damage.name)
        contents = read_contents(damaged, tmp_path, quiet)

        red = judge({"backup": damaged, "contents": contents, "settings": settings_with()}).red

        assert damage.needs_manifest or set(red) & damage.caught_by, damage.name


def test_red_run_is_not_proved(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """A red run needs no proof: no copy is made."""
    path = tmp_path / "backup_20200101.sql"
    path.write_bytes(shops.dump(15, "plain.sql").read_bytes())

    drill = run_drill("--prove", "-k", "not redis", f"--backup={path}", report_dir=report_dir)

    assert drill.code == 1, drill.output
    assert drill.result["proof"] == []


def test_proof_never_touches_a_live_database(report_dir: Path) -> None:
    """--prove with a live database is a usage error."""
    drill = run_drill(
        "--prove", "--target=database", report_dir=report_dir,
        DATABASE_URL="postgresql://user@127.0.0.1:1/db", BACKUP_PATH=str(report_dir.parent),
    )  # fmt: skip

    assert drill.code == 4, drill.output
    assert "it cannot be used with --target database" in drill.output


def test_without_the_option_there_is_no_proof(report_dir: Path) -> None:
    """Without --prove nothing of it is collected."""
    drill = run_drill("--collect-only", "-q", report_dir=report_dir)

    assert "test_damage_is_noticed" not in drill.output
