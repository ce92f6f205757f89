"""Several series, encrypted ones among them, and a search, in a bucket that may only be read."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.helpers import sealing
from tests.helpers.buckets import BUCKET, READER, keys_of, put
from tests.helpers.drills import command
from tests.helpers.sealing import Keys
from tests.helpers.shop import USUAL, Shops


def stamp(hours: float) -> str:
    """A time so many hours ago, as names have it."""
    return f"{datetime.now(UTC) - timedelta(hours=hours):%Y%m%d_%H%M%S}"


def test_series_of_a_bucket_are_drilled_one_after_another(
    shops: Shops, s3: str, tmp_path: Path
) -> None:
    """An encrypted one with its checksum, and one that is cut: that alone is red."""
    custom = shops.dump(USUAL, "custom.dump").read_bytes()
    plain = shops.dump(USUAL, "plain.sql.gz").read_bytes()
    keys = Keys(tmp_path)
    sealed = sealing.by_age(keys, custom)
    files = {
        f"shop_{stamp(1)}.dump.age": sealed,
        f"shop_{stamp(1)}.dump.age.sha256": hashlib.sha256(sealed).hexdigest().encode(),
        f"shop_{stamp(25)}.dump": custom,
        f"auth_{stamp(2)}.sql.gz": plain[: len(plain) // 2],
        f"auth_{stamp(26)}.sql.gz": plain,
    }
    for name, data in files.items():
        put(s3, f"series/{name}", data)
    place = {"BACKUP_PATH": f"s3://{BUCKET}/series", **keys_of(s3)}
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}

    done = command(
        "drill", f"--report-dir={tmp_path / 'report'}", "-k", "backup", "--max-backup-age=30h",
        DRILL_DECRYPT_KEY_FILE=str(keys.age()), **place, **state,
    )  # fmt: skip

    told = done.stdout + done.stderr
    assert done.returncode == 1, told
    results = {
        Path(each["backup"]["path"]).name.split("_")[0]: each
        for each in map(json.loads, (path.read_text() for path in tmp_path.rglob("result.json")))
    }
    verdicts = {name: result["verdict"] for name, result in results.items()}
    assert verdicts.pop("auth") == "failed"
    assert verdicts == {"shop": "incomplete"}, told
    assert results["shop"]["backup"]["format"] == "custom, age"
    assert results["shop"]["backup"]["sha256"] == hashlib.sha256(sealed).hexdigest()
    assert READER[1] not in told and not list((tmp_path / "state").rglob("files-*"))


def test_bisect_in_a_bucket(shops: Shops, s3: str, tmp_path: Path) -> None:
    """The last good and the first bad; no object but those that are drilled is read."""
    whole = shops.dump(15, "plain.sql").read_bytes()
    names = [f"shop_{stamp(24 * (7 + day))}.sql" for day in range(3)]
    for day, name in enumerate(names):
        put(s3, f"bisect/{name}", whole[: len(whole) // 2] if day < 1 else whole)

    done = command(
        "bisect", "-m", "select", f"--report-dir={tmp_path / 'report'}",
        BACKUP_PATH=f"s3://{BUCKET}/bisect", XDG_STATE_HOME=str(tmp_path / "state"), **keys_of(s3),
    )  # fmt: skip

    assert done.returncode == 1, done.stdout + done.stderr
    assert f"Last good: {names[1]}" in done.stdout and f"First bad: {names[0]}" in done.stdout
    (noted,) = (tmp_path / "state").rglob("bisect.json")
    assert sorted(each["code"] for each in json.loads(noted.read_text())["proved"].values()) == [
        0,
        1,
    ]
