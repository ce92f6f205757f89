"""`--prove`: every damage of a copy is noticed, and nothing undamaged is."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.damages.damages import DAMAGES
from restore_drill.damages.files import FILE_DAMAGES
from tests.helpers.drills import run_drill
from tests.helpers.shop import Shops

ONLY_WITH_MANIFEST = {"changed_value", "lost_large_object", "flipped_byte"}


@pytest.mark.parametrize("form", ["plain.sql", "custom.dump", "directory"])
def test_damages_are_noticed(form: str, shops: Shops, report_dir: Path) -> None:
    """After a green run copies are damaged, and each damage names the criterion that noticed it."""
    drill = run_drill(
        "--prove", "-k", "not redis", f"--backup={shops.dump(15, form)}", report_dir=report_dir
    )

    assert drill.code == 0, drill.output
    proof = {entry["damage"]: entry["noticed_by"] for entry in drill.result["proof"]}
    expected = {damage.name for damage in (*DAMAGES, *FILE_DAMAGES)}
    assert expected - ONLY_WITH_MANIFEST <= {name for name, found in proof.items() if found}
    assert "test_table_has_every_row[public.cards]" in proof["dropped_rows"]
    assert "test_sequences_are_ahead" in proof["reset_sequence"]
    assert "test_backup_is_complete" in proof["truncated_file"]


def test_what_would_not_be_noticed_is_told(shops: Shops, report_dir: Path) -> None:
    """A damage that nobody noticed stands in not_checked, with what to do."""
    drill = run_drill(
        "--prove", "-k", "not redis", f"--backup={shops.dump(15, 'plain.sql')}",
        report_dir=report_dir,
    )  # fmt: skip

    told = " ".join(entry["why"] for entry in drill.result["not_checked"])
    assert "not noticed: one value of the largest table is another" in told
    assert "python -m drill backup" in told


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
    assert "not with --target database" in drill.output


def test_without_the_option_there_is_no_proof(report_dir: Path) -> None:
    """Without --prove nothing of it is collected."""
    drill = run_drill("--collect-only", "-q", report_dir=report_dir)

    assert "test_damage_is_noticed" not in drill.output
