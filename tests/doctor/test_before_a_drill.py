"""What a drill would refuse or report for sure is found by the doctor before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doctor.test_doctor import HEAD, QUICK, check_up, texts


@pytest.fixture
def backups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """BACKUP_PATH with one backup; no reports lie where the tester is."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "shop.sql").write_bytes(HEAD)
    return folder


def test_what_cannot_be_written_is_found_before_a_drill(
    backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reports: the drill would refuse to start, also for root; history: it would not be noted."""
    monkeypatch.setenv("BACKUP_PATH", str(backups))

    assert check_up(*QUICK, report_dir="/proc/none").code == 4
    found = check_up(*QUICK, history="/proc/none/history.jsonl")
    assert found.code == 0
    assert "no drill can be recorded in /proc/none/history.jsonl" in texts(found, "warn")
    assert not [text for text in texts(check_up(*QUICK), "warn") if "be recorded in" in text]


def test_a_waiver_that_expired_is_named(backups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding behind it is red again."""
    monkeypatch.setenv("BACKUP_PATH", str(backups))
    (backups / "own.toml").write_text(
        '[[waivers]]\ncriterion = "test_x"\nreason = "moved"\nexpires = 2020-01-01\n'
        '[[waivers]]\ncriterion = "test_y"\nreason = "soon"\nexpires = 2999-01-01\n'
    )

    found = check_up(*QUICK, criteria=str(backups / "own.toml"))

    named = [text for text in texts(found, "warn") if "waiver" in text]
    assert named == ["the waiver of test_x expired on 2020-01-01 (moved)"]
