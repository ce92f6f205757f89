"""The history of drills in a bucket of a real S3 server: an object for each entry."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import obstore
import pytest

from restore_drill.config.remote import remote_history
from restore_drill.core.errors import CouldNotRun
from restore_drill.watch import bucket, forks, remembered
from restore_drill.watch.append import append
from restore_drill.watch.bucket import Entry, entries_of
from restore_drill.watch.chain import sealed
from restore_drill.watch.entry import note
from restore_drill.watch.forks import verify_entries
from restore_drill.watch.history import load_history
from restore_drill.watch.stored import ask_again
from restore_drill.watch.verify import Fault, chain_at
from tests.helpers.buckets import BUCKET, READER, WRITER, Proxy, keys_of, put, writer
from tests.helpers.drills import ROOT, run_drill
from tests.helpers.histories import FAILED, PASSED, caller
from tests.helpers.shop import USUAL, Shops

Place = Callable[..., Path]


@pytest.fixture
def place(s3: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Place:
    """Gives the path of this test's history, for a key and the URL of a server."""

    def there(url: str = s3, keys: tuple[str, str] = WRITER) -> Path:
        for name, value in keys_of(url, keys).items():
            monkeypatch.setenv(name, value)
        for known in (bucket.unread, remembered.seen):
            known.clear()  # as in a new process
        path = remote_history(f"s3://{BUCKET}/{tmp_path.name}")
        assert path
        return path

    return there


def keys_in(s3: str, folder: Path) -> list[str]:
    """Keys of the entries of a test, in their order."""
    found = writer(s3).list(f"{folder.name}/.drill/history/").collect()
    return sorted(each["path"] for each in found)


def a_history(path: Path, count: int = 5) -> None:
    """So many drills, a day apart, each with a clock an hour behind the one before."""
    for number in range(count):
        note(path, replace(PASSED, at=PASSED.at - timedelta(hours=number), rows=number))


def test_entries_are_read_in_the_order_of_the_chain(place: Place, s3: str, tmp_path: Path) -> None:
    """An object each, whatever the clocks say; read again they are not fetched again."""
    path = place()
    assert load_history(path).drills == []
    a_history(path)

    with closing(Proxy(s3)) as proxy:
        drills = load_history(place(proxy.url)).drills
        again = load_history(place(proxy.url)).drills
        gets = [each for each in proxy.asked if each.startswith("GET") and ".json" in each]

    assert [each.rows for each in drills] == [0, 1, 2, 3, 4]
    assert drills == again
    assert len(gets) == 1  # the others were read for the one behind them
    assert len(keys_in(s3, tmp_path)) == 5
    path = place()
    assert chain_at(path).faults == [] and chain_at(path).entries == 5
    assert load_history(path).last == chain_at(path).last


def test_another_machine_fetches_each_entry_once(
    place: Place, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it has kept is no entry of another version."""
    a_history(place())
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    with closing(Proxy(s3)) as proxy:
        for _ in range(2):
            assert len(load_history(place(proxy.url)).drills) == 5
        assert sum("GET" in each and ".json" in each for each in proxy.asked) == 5
        key = keys_in(s3, tmp_path)[0]
        put(s3, key, b"{}\n")
        history = load_history(place(proxy.url))
    assert (len(history.drills), history.damaged) == (4, 1)


def test_writers_at_once_lose_nothing(place: Place) -> None:
    """Twelve at once: each entry stays, no fault is seen, and the next one follows all of them."""
    path = place()
    note(path, PASSED)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda rows: note(path, replace(FAILED, rows=rows)), range(12)))

    chain = chain_at(path)
    assert (chain.faults, chain.entries) == ([], 13)
    assert sorted(each.rows or 0 for each in load_history(path).drills[1:]) == list(range(12))
    note(path, PASSED)
    entries = entries_of(path)
    assert len(bucket.ends_of(entries)) == 1 and chain_at(path).faults == []
    assert bucket.ends_of(entries[:-1]) or entries[-1].also == ()


def test_two_that_have_read_the_same_follow_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is red, the next one has the hashes of both, and removing one of them shows."""
    path = place()
    a_history(path, 2)
    read = entries_of(path)
    with monkeypatch.context() as patch:
        patch.setattr(bucket, "entries_of", lambda _: read)
        note(path, replace(PASSED, rows=10))
        note(path, replace(FAILED, rows=11))
    note(path, PASSED)

    entries = entries_of(path)
    assert [each.link.number for each in entries if each.link] == [1, 2, 3, 3, 4]
    assert len(entries[-1].parents) == 2
    assert verify_entries(entries).faults == []
    for gone in (2, 3):
        (fault,) = verify_entries([*entries[:gone], *entries[gone + 1 :]]).faults
        assert fault == (entries[-1].name, "follows 1 entry removed since")


def forged(path: Path, entries: list[Entry], patch: pytest.MonkeyPatch) -> None:
    """Write an entry with these very functions that follows the first of `entries` alone."""
    with patch.context() as context:
        context.setattr(bucket, "entries_of", lambda _: entries[:1])
        note(path, replace(PASSED, rows=999))


CHANGES: dict[str, tuple[Callable[[Any, list[str]], object], str]] = {
    "changed": (
        lambda store, keys: obstore.put(store, keys[1], b'{"verdict": "passed"}\n'),
        "was changed: its content does not match its name",
    ),
    "removed": (lambda store, keys: store.delete(keys[2]), "follows 1 entry removed since"),
    "first removed": (lambda store, keys: store.delete(keys[0]), "follows 1 entry removed since"),
    "a copy under another name": (
        lambda store, keys: store.copy(keys[1], keys[3].replace("-", "-2", 1)),
        "was inserted: no drill gives an entry such a name",
    ),
    "another's object": (
        lambda store, keys: obstore.put(store, f"{keys[0]}.txt", b"x"),
        "was inserted: no drill gives an entry such a name",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_tampering_shows(place: Place, s3: str, tmp_path: Path, change: str) -> None:
    """What was changed, removed or inserted in the bucket itself is named by its object."""
    path = place()
    a_history(path)
    do, expected = CHANGES[change]
    do(writer(s3), keys_in(s3, tmp_path))
    chain = chain_at(path)
    assert [fault.what for fault in chain.faults] == [expected]
    assert all(isinstance(fault.line, str) for fault in chain.faults)


def test_a_red_drill_is_not_hidden_by_damage(
    place: Place, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Its entry was replaced: status is red until a drill of that series passes behind it."""
    call = caller(tmp_path, monkeypatch, capsys)
    monkeypatch.setenv("DRILL_HISTORY", f"s3://{BUCKET}/{tmp_path.name}")
    path = place()
    for each in (PASSED, replace(PASSED, series="db/crm"), FAILED):
        note(path, each)
    put(s3, keys_in(s3, tmp_path)[2], b"\0" * 900)
    code, told = call("status")
    assert code == 1 and "1 entry of the history after the last pass cannot be read" in told, told
    assert "status --verify" in told
    assert call("status", "--nagios")[0] == 2
    time.sleep(1)  # names of one second stand in the order of their digests
    note(path, PASSED)
    code, told = call("status", "--json")
    assert [each["cause"] for each in json.loads(told)["series"]] == ["lost", None]


def test_what_is_inserted_later_shows(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that follows an old one, and no newer one, was not written at once with those."""
    path = place()
    a_history(path)
    forged(path, entries_of(path), monkeypatch)
    note(path, PASSED)  # the next drill follows it, which makes it no better

    entries = entries_of(path)
    assert verify_entries(entries).faults == []  # a second later: as if written at once
    late = next(each for each in entries if b'"rows": 999' in each.line)
    moved = [
        each._replace(written=each.written + timedelta(hours=each in (late, entries[-1])))
        for each in entries
    ]
    (fault,) = verify_entries(moved).faults
    assert isinstance(fault, Fault) and fault.line == late.name
    assert fault.what.startswith("was inserted: it does not follow 00000005-")
    assert timedelta(hours=1) > forks.WINDOW


def test_a_forged_number_shows(place: Place, s3: str, tmp_path: Path) -> None:
    """One that claims to follow, with a number that is not the next."""
    path = place()
    a_history(path, 2)
    last = load_history(path).last
    assert last
    link, line = sealed(PASSED.as_json(), last._replace(number=41), b"")
    name = f"{link.number:08}-20261129T010203Z-{link.hash}.json"
    put(s3, f"{tmp_path.name}/.drill/history/{name}", line)
    (fault,) = chain_at(path).faults
    assert fault.what == "was inserted: its number 42 is not the next one"


def test_commands_work_over_a_bucket(
    place: Place, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """status, skip, dashboard and --verify: as over a file, named by its URL."""
    url = f"s3://{BUCKET}/{tmp_path.name}"
    call = caller(tmp_path, monkeypatch, capsys)
    monkeypatch.delenv("BACKUP_PATH")
    monkeypatch.setenv("DRILL_HISTORY", url)
    path = place()
    note(path, PASSED)

    code, told = call("status")
    assert code == 0 and "1 drill recorded: 1 passed" in told, told
    code, told = call("status", "--json", url)
    assert json.loads(told)["series"][0]["history"] == url
    days = ["skip", "--reason", "moved", "--approved-by", "ann", "--until", f"{PASSED.at:%Y}-12-31"]
    code, told = call(*days)
    assert code == 0 and f"Recorded in {url}" in told, told
    code, told = call("status", "--verify")
    assert code == 0 and f"OK: 2 entries of {url} are unchanged and in order" in told, told
    last = told.split()[-1]
    assert call("status", "--verify", last)[0] == 0
    assert call("status", "--verify", "0" * 64)[0] == 1
    assert call("dashboard", url, "--out", str(tmp_path / "site"))[0] == 0
    assert "db/shop" in (tmp_path / "site" / "index.html").read_text()
    note(path, replace(FAILED, at=PASSED.at + timedelta(hours=1)))
    assert call("status")[0] == 1
    writer(s3).delete(keys_in(s3, tmp_path)[1])
    code, told = call("status", "--verify")
    assert (
        code == 1
        and (f"{url} has been changed since it was written") in told
        and "object 00000003-" in told
    )


def test_a_key_that_may_not_write_is_told(place: Place) -> None:
    """The right that is missing is named; reading goes on."""
    note(place(), PASSED)
    path = place(keys=READER)
    with pytest.raises(CouldNotRun) as error:
        append(path, PASSED.as_json())
    assert "cannot be written: the key may not do this" in error.value.what
    assert "s3:PutObject" in error.value.remedy[0]
    assert len(load_history(path).drills) == 1


def test_a_history_that_cannot_be_read_is_asked_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drill asks some times; a bucket that is away is waited for once."""
    path = place("http://127.0.0.1:1")
    asked: list[Path] = []
    read = bucket.read_all

    def count(path: Path, *, anew: bool) -> list[Entry]:
        asked.append(path)
        return read(path, anew=anew)

    monkeypatch.setattr(bucket, "read_all", count)
    for _ in range(3):
        with pytest.raises(CouldNotRun, match=r"^the history s3://backups/.* cannot be read"):
            load_history(path)
    assert asked == [path]


def test_a_bucket_that_is_back_is_asked_again(place: Place, s3: str) -> None:
    """Before a drill is noted: what came before it may matter."""
    note(place(), PASSED)
    path = place("http://127.0.0.1:1")
    for _ in range(2):
        with pytest.raises(CouldNotRun):
            load_history(path)
        os.environ["AWS_ENDPOINT_URL"] = s3
    with pytest.raises(CouldNotRun):
        append(path, PASSED.as_json())
    ask_again(path)
    assert len(load_history(path).drills) == 1


def test_drills_keep_their_history_in_the_bucket_of_their_backups(
    shops: Shops, s3: str, tmp_path: Path
) -> None:
    """Beside the backups, where the key may write; one that may not is told, and passes."""
    name = f"{tmp_path.name}/shop_{datetime.now(UTC):%Y-%m-%d_%H%M%S}.sql.gz"
    put(s3, name, shops.dump(USUAL, "plain.sql.gz").read_bytes())
    url = f"s3://{BUCKET}/{tmp_path.name}"
    both = {"BACKUP_PATH": url, "DRILL_HISTORY": url}

    first = run_drill(report_dir=tmp_path / "1", cwd=ROOT, **both, **keys_of(s3, WRITER))
    second = run_drill(report_dir=tmp_path / "2", cwd=ROOT, **both, **keys_of(s3, READER))

    assert (first.code, second.code) == (0, 0), first.output + second.output
    (key,) = keys_in(s3, tmp_path)
    entry = json.loads(bytes(writer(s3).get(key).bytes()))
    assert entry["verdict"] == "passed" and entry["place"] == url and entry["number"] == 1
    assert second.result["history"] == {"path": url, "entries": 1, "last": entry["hash"]}
    told = f"This drill was not recorded in {url}: {url}/.drill/history/00000002-"
    assert told in second.output and "s3:PutObject" in second.output
    assert READER[1] not in second.output and not list(tmp_path.rglob("history.jsonl"))
