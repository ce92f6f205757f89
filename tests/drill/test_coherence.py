"""Whole drills with rules about keys of Redis: what users see of them, and what they do not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from fixtures.coherence import NO_BACKUP, NO_URL
from tests.helpers.drills import run_drill
from tests.helpers.redis_servers import BINARIES, VERSIONS, Redis, running
from tests.helpers.shop import USUAL, Shops

RULES = """
[[redis.coherence]]
keys = "card:{id}"
table = "cards"
field = "title"
equals = "title"
direction = "both"
where = "id <= 3"
live = true
[[redis.coherence]]
keys = "artist:{id}"
table = "artists"
tolerance = 0.5
live = true
"""
STALE = """
[redis.volatile]
"session:*" = "1d"
"""
CARD, ARTIST = (
    "test_keys_agree_with_rows[card:{id} title]",
    "test_keys_agree_with_rows[artist:{id}]",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    """A Redis with cards and artists of the shop."""
    with running(BINARIES[0], (), "") as started:
        for n in (1, 2, 3, 4):
            started.admin.hset(f"card:{n}", "title", f"Card \\ {n}\ttab")
        started.admin.mset({f"artist:{n}": "x" for n in (1, 2, 3, 4711)})
        yield started


def test_rules_hold_and_fail(server: Redis, shops: Shops, tmp_path: Path) -> None:
    """Counts are in all reports, names of keys on the terminal alone, and only when asked for."""
    criteria = tmp_path / "criteria.toml"
    criteria.write_text(RULES)
    dump = shops.dump(USUAL, "custom.dump")
    options = (f"--backup={dump}", f"--criteria={criteria}", "-k", "coherence")

    green = run_drill(*options, report_dir=tmp_path / "green", REDIS_URL=server.url())
    server.admin.hset("card:2", "title", "a secret")
    server.admin.delete("card:3")
    server.admin.set("card:471147", "x")
    shown = run_drill(*options, "--show-keys", report_dir=tmp_path / "red", REDIS_URL=server.url())

    assert (green.code, green.verdict, green.ran) == (0, "passed", {CARD, ARTIST}), green.output
    assert "4 keys like card:{id}, 3 rows of public.cards that need one: all agree" in green.output
    assert (shown.code, set(shown.failed)) == (1, {CARD}), shown.output
    assert shown.failed[CARD].startswith("1 row of public.cards without a key like card:{id}, of 3")
    assert "card:{id} title: without row: card:471147" in shown.output
    first, second = shown.result["coherence"]["rules"]
    assert (first["ok"], second["ok"], second["without_row"]) == (False, True, 1)
    written = [path.read_text("utf-8") for path in shown.report_dir.rglob("*") if path.is_file()]
    assert any("1 key whose field title is not the row&#39;s title" in text for text in written)
    assert not [text for text in written if "471147" in text or "a secret" in text]
    assert "Redis does not agree with its rows" in shown.output


@pytest.mark.parametrize("rules", ["", RULES.replace("live = true", "", 1)])
def test_without_a_redis_to_compare(rules: str, shops: Shops, tmp_path: Path) -> None:
    """Without rules there is nothing to see of it; with them it says why they are not checked."""
    criteria = tmp_path / "criteria.toml"
    criteria.write_text(rules)
    dump = shops.dump(USUAL, "custom.dump")

    done = run_drill(
        f"--backup={dump}", f"--criteria={criteria}", "-m", "restore or coherence",
        report_dir=tmp_path / "report",
    )  # fmt: skip

    assert done.code == 0, done.output
    found = {each["id"].split("::")[-1]: each["message"] for each in done.result["checks"]}
    why = [found.get(name, "") for name in (CARD, ARTIST)]
    assert why == ([NO_BACKUP, NO_URL] if rules else ["", ""])
    assert done.result["coherence"] == ({"rules": [], "live": []} if rules else None)
    assert ("Redis" in done.output) == bool(rules)


def backups_of(server: Redis, dump: Path, folder: Path) -> str:
    """A place with a dump and a backup of `server`."""
    (folder / "db").mkdir(parents=True)
    (folder / "redis").mkdir()
    shutil.copy(dump, folder / "db" / "shop.dump")
    server.admin.save()
    rdb = Path(str(server.admin.config_get("dir")["dir"]), "dump.rdb")
    shutil.copy(rdb, folder / "redis" / "dump.rdb")
    return str(folder)


@pytest.mark.parametrize("binary", BINARIES, ids=VERSIONS)
def test_restored_backup_of_redis_is_compared(binary: str, shops: Shops, tmp_path: Path) -> None:
    """In the database of REDIS_URL, which itself is not asked; stale keys are told."""
    criteria = tmp_path / "criteria.toml"
    criteria.write_text(RULES.replace("live = true", "") + STALE)
    with running(binary, (), "") as server:
        client = redis.Redis(port=server.port, db=3)
        for n in (1, 2, 3, 471147):
            client.hset(f"card:{n}", "title", f"Card \\ {n}\ttab")
        client.mset({f"artist:{n}": "x" for n in (1, 2)} | {"session:1": "x"})
        client.close()
        place = backups_of(server, shops.dump(USUAL, "custom.dump"), tmp_path / "backups")

    done = run_drill(
        f"--criteria={criteria}", "-k", "coherence or redis_backup",
        report_dir=tmp_path / "report", REDIS_URL="redis://127.0.0.1:1/3", BACKUP_PATH=place,
    )  # fmt: skip

    assert (done.code, set(done.failed)) == (1, {CARD}), done.output
    assert done.failed[CARD].startswith("1 key without a row in public.cards, of 4 keys")
    assert "checked: the backup of Redis dump.rdb, taken" in done.failed[CARD]
    assert ARTIST in done.ran
    (stale,) = done.result["redis_backup"]["volatile"]
    assert (stale["pattern"], stale["keys"], stale["stale"]) == ("session:*", 1, False)
    assert "1 key like session:*" in done.output
    assert "471147" not in done.output


def test_damaged_backup_of_redis_is_not_compared(
    server: Redis, shops: Shops, tmp_path: Path
) -> None:
    """Its own criterion fails; that of the rules is not reached."""
    criteria = tmp_path / "criteria.toml"
    criteria.write_text(RULES)
    place = backups_of(server, shops.dump(USUAL, "custom.dump"), tmp_path / "backups")
    path = tmp_path / "backups" / "redis" / "dump.rdb"
    path.write_bytes(path.read_bytes()[:-20])

    done = run_drill(
        f"--criteria={criteria}", "-k", "coherence or redis_backup",
        report_dir=tmp_path / "report", REDIS_URL=server.url(), BACKUP_PATH=place,
    )  # fmt: skip

    assert (done.code, set(done.failed)) == (1, {"test_redis_backup_is_intact"}), done.output
    assert CARD not in done.ran
    assert done.result["coherence"] is None
