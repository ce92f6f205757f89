"""Databases are shared out over the jobs of a CI system."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.fleet.matrix import GITHUB, GITLAB, MOST, matrix_of, shared_out
from restore_drill.watch.entry import note
from tests.helpers.fleet_runs import fleet
from tests.helpers.histories import FAILED


def test_the_longest_drills_are_spread() -> None:
    """No job takes more than the longest drill beside what the others share."""
    seconds = {"huge": 900.0, "large": 500.0} | {f"small{n}": 20.0 for n in range(20)}
    groups = shared_out(list(seconds), seconds, 3)
    assert sorted(name for group in groups for name in group) == sorted(seconds)
    took = sorted(sum(seconds[name] for name in group) for group in groups)
    assert took[-1] == 900 and took[0] >= 400


def test_a_database_that_was_never_drilled_counts_as_the_others_do() -> None:
    """Of nothing known all are alike."""
    assert [len(each) for each in shared_out(list("abcdef"), {}, 3)] == [2, 2, 2]
    assert shared_out(["new", "old"], {"old": 10.0}, 5) == [("new",), ("old",)]


def test_github_gets_one_line_with_as_many_jobs_as_it_takes() -> None:
    """What each job drills can be written into a shell as it stands."""
    names = [f"db {n}; rm -rf /" for n in range(1000)]
    text = matrix_of(GITHUB, names, {})
    rows = json.loads(text)["include"]
    assert "\n" not in text and len(rows) == MOST[GITHUB]
    assert sorted(name for row in rows for name in shlex.split(row["only"])) == sorted(names)
    assert json.loads(matrix_of(GITHUB, [], {})) == {"include": []}


@pytest.mark.parametrize(("names", "jobs"), [(["shop", "billing"], 2), ([], 1)])
def test_gitlab_gets_a_pipeline(names: list[str], jobs: int) -> None:
    """It has a job, whatever is due."""
    found = json.loads(matrix_of(GITLAB, names, {}))
    assert len(found) == jobs
    if names:
        assert found["drill shop"]["extends"] == ".restore-drill"
        assert found["drill shop"]["script"][0].endswith("fleet run --only shop")


def test_status_stays_red_where_the_matrix_is_empty(tmp_path: Path) -> None:
    """A backup that has failed is not due before its time: a pipeline must not be green by that."""
    (tmp_path / "fleet.toml").write_text("[databases.shop]\nbackups = 'b'\nevery = '7d'\n")
    (tmp_path / "b" / ".drill").mkdir(parents=True)
    (backup := tmp_path / "b" / "shop.sql").write_text("-- PostgreSQL database dump\n")
    failed = replace(FAILED, series="b/shop", place=None, backup="shop.sql", size=None)
    note(tmp_path / "b" / ".drill" / "history.jsonl", failed)
    long_ago = failed.at.timestamp() - 3600
    os.utime(backup, (long_ago, long_ago))
    matrix, status = fleet(tmp_path, "matrix", "github", "--due"), fleet(tmp_path, "status")

    assert (matrix.returncode, json.loads(matrix.stdout)) == (0, {"include": []})
    assert status.returncode == 1 and "PROBLEM: the last drill failed" in status.stdout
