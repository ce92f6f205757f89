"""A fleet whose databases are found in a bucket, with their history there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.helpers.buckets import BUCKET, WRITER, keys_of, put, s3_server
from tests.helpers.fleet_runs import GREEN, fleet
from tests.helpers.shop import USUAL, Shops

INVENTORY = f"""
[defaults]
every = "1d"
environment = {{ DRILL_HISTORY = "s3://{BUCKET}/history" }}

[[discover]]
source = "s3://{BUCKET}/dumps"
ignore = ["*scratch*"]

[databases.ledger]
backups = "s3://{BUCKET}/dumps"
series = "ledger"
cores = 1
"""


@pytest.fixture
def bucket(shops: Shops, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Keys of a bucket with three series; one is damaged, one is to be ignored."""
    (tmp_path / "s3").mkdir()
    with s3_server(tmp_path / "s3") as url:
        plain = shops.dump(USUAL, "plain.sql").read_bytes()
        archive = shops.dump(USUAL, "custom.dump").read_bytes()
        new, old = (f"{datetime.now(UTC) - timedelta(hours=h):%Y-%m-%dT%H%M}" for h in (2, 24))
        put(url, f"dumps/crm/crm_{old}.dump", archive)
        put(url, f"dumps/crm/crm_{new}.dump", archive)
        put(url, f"dumps/ledger/ledger_{new}.sql", plain[: len(plain) // 2])
        put(url, f"dumps/scratch/scratch_{new}.sql", plain)
        yield keys_of(url, WRITER)


def test_series_of_a_bucket_are_drilled_and_are_not_due_then(
    bucket: dict[str, str], tmp_path: Path
) -> None:
    """The damaged one is red; its next drill waits for a newer backup, that of the other too."""
    (tmp_path / "fleet.toml").write_text(INVENTORY)
    listed = fleet(tmp_path, "list", **bucket)
    options = ("--due", "--workers", "2")
    done = fleet(tmp_path, "run", *options, **bucket)
    output = done.stdout + done.stderr
    plain = json.loads((tmp_path / "drill-report" / "fleet.json").read_text())
    states = {each["name"]: each["state"] for each in plain["databases"]}
    # From another machine, which has nothing of what this one keeps.
    again = fleet(tmp_path, "run", *options, **bucket, XDG_STATE_HOME=str(tmp_path / "other"))
    status = fleet(tmp_path, "status", **bucket)

    assert re.search(r"^\* \S*crm", listed.stdout, re.MULTILINE), listed.stdout + listed.stderr
    assert "scratch" not in listed.stdout and "2 databases, 1 new" in listed.stdout
    assert states.pop("ledger") == "failed", output
    assert [each in GREEN for name, each in states.items() if "crm" in name] == [True], output
    assert done.returncode == 1 and bucket["AWS_SECRET_ACCESS_KEY"] not in output
    assert (again.returncode, again.stdout.count("NOT DUE")) == (1, 1), again.stdout + again.stderr
    assert "STILL FAILED   ledger" in again.stdout
    assert "the last drill failed" in status.stdout and status.returncode == 1, status.stdout
