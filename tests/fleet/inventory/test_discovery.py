"""Discovery: each series of a place is a database, unless it is named or ignored."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.config.settings import Settings
from restore_drill.core.errors import UsageError
from restore_drill.fleet.inventory import discovery, lines_of, load_inventory, warning_lines
from restore_drill.fleet.known import known_of
from restore_drill.places import trying
from restore_drill.selection.groups import Shelf
from restore_drill.watch import kept
from restore_drill.watch.entry import note
from tests.fleet.inventory.conftest import Load
from tests.helpers.buckets import BUCKET, READER, keys_of, put, s3_server
from tests.helpers.histories import PASSED

DUMP = b"--\n-- PostgreSQL database dump\n--\n"
NAMES = (
    "shop_20261128.sql", "shop_20261127.sql", "auth_20261128.sql", "shop_test_20261128.sql",
    "ledger_20261128.sql",
)  # fmt: skip


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real S3 server."""
    with s3_server(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    """A folder with backups of four databases."""
    folder = tmp_path / "backups"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_bytes(DUMP)
    return folder


ENTRY = """
[defaults]
owner = "platform"
labels = { tier = "silver", region = "eu" }
every = "1d"

[databases.shop]
backups = "backups"
series = "shop"

[[discover]]
source = "backups/"
ignore = ["*_test"]
labels = { tier = "bronze" }
options = ["--pick=weekly"]
"""


def test_what_is_neither_named_nor_ignored_is_new(load: Load, backups: Path) -> None:
    """It is drilled with the defaults, below what [[discover]] says."""
    inventory = load(ENTRY)

    assert next(iter(inventory.databases)) == "shop"
    assert inventory.undecided == ("backups/auth", "backups/ledger"), "by their names"
    auth = inventory.databases["backups/auth"]
    assert (auth.backups, auth.series) == (str(backups), "backups/auth")
    assert auth.labels == {"tier": "bronze", "region": "eu"}
    assert (auth.owner, auth.every, auth.options) == ("platform", 86400, ("--pick=weekly",))
    assert auth.where.endswith("fleet.toml, line 11")


@pytest.mark.parametrize(
    "named",
    [
        'backups = "backups"\nseries = "backups/ledger"\n',
        'backup = "backups/ledger_20261128.sql"\n',
        'backups = "file://{}/"\nseries = "ledger"\n',
    ],
)
def test_a_named_database_is_known_however_it_is_written(
    load: Load, backups: Path, named: str
) -> None:
    """By the whole name of its series or the last part of it, or by its one backup."""
    text = f"{ENTRY}[databases.ledger]\n{named.format(backups)}"
    assert load(text).undecided == ("backups/auth",)


@pytest.mark.parametrize("place", ["backups/in", "backups"])
@pytest.mark.parametrize(("series", "others"), [("/db", ["/", "hr/db"]), ("/", ["/db", "hr/db"])])
def test_a_whole_name_is_that_of_one_series(
    load: Load, tmp_path: Path, place: str, series: str, others: list[str]
) -> None:
    """Its last part alone may be that of others, which are databases of their own."""
    for name in ("2026-11-28/db.sql", "hr/db.sql", "2026-11-28/0500.sql"):
        path = tmp_path / "backups" / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(DUMP)
    if place == "backups":
        (tmp_path / "backups" / "in").rename(tmp_path / "backups" / "daily")
    source = "backups/in" if place != "backups" else "backups/daily"
    text = f'[databases.a]\nbackups = "{place}"\nseries = "{series}"\n'
    inventory = load(f'{text}[[discover]]\nsource = "{source}"\n')

    assert sorted(inventory.undecided) == others


def test_a_database_of_a_whole_folder_is_of_all_its_series(load: Load, backups: Path) -> None:
    """Also where it is a folder within the place that is listed."""
    text = '[databases.all]\nbackups = "backups"\n[[discover]]\nsource = "{}"\n'
    assert load(text.format("backups")).undecided == ()
    for name in ("one", "two"):
        (backups.parent / "deep" / name).mkdir(parents=True)
        (backups.parent / "deep" / name / "x_20261128.sql").write_bytes(DUMP)
    text = '[databases.a]\nbackups = "deep/one"\n[[discover]]\nsource = "deep"\n'
    assert load(text).undecided == ("two/x",)


def test_a_place_without_backups_is_a_database(load: Load, tmp_path: Path) -> None:
    """Its drill says that there is none: what has vanished must not go unnoticed."""
    (tmp_path / "empty").mkdir()
    inventory = load('[[discover]]\nsource = "empty"\n')
    place = str(tmp_path / "empty")
    assert inventory.undecided == ()
    assert (inventory.databases[place].backups, inventory.databases[place].series) == (place, "")
    shown = lines_of(inventory)
    assert shown[1].startswith(f"! {place}") and shown[-1] == "0 databases"
    where = f"{tmp_path / 'fleet.toml'}, line 1"
    assert f"{place}: no backups lie there; check the path. Its drill fails ({where})" in shown
    named = load('[databases.a]\nbackups = "empty"\n[[discover]]\nsource = "empty"\n')
    assert list(named.databases) == ["a"]


@pytest.mark.parametrize(
    ("ignore", "unused"),
    [
        ("suprise", ["suprise"]),
        ("*_tset", ["*_tset"]),
        ("shop", []),
        ("backups/*", []),
        ("below", []),
        ("gone", []),
    ],
)
def test_an_ignore_that_matches_nothing_is_told(
    load: Load, backups: Path, ignore: str, unused: list[str]
) -> None:
    """A slip, with its line; not what was not looked at, or has vanished, or has a name."""
    (backups / "below").mkdir()
    (backups / "below" / "crm.sql").write_bytes(DUMP)
    (backups / ".drill").mkdir()
    gone = replace(PASSED, series="backups/gone", place=None, sha256="5ea1")
    note(backups / ".drill" / "history.jsonl", gone)
    inventory = load(ENTRY.replace('"*_test"', f'"*_test", "{ignore}"'))

    line = f"({backups.parent / 'fleet.toml'}, line 13)"
    told = [f"Warning: ignore {each!r} matches no series in {backups} {line}" for each in unused]
    assert warning_lines(inventory) == told
    assert [each for each in lines_of(inventory) if each.startswith("Warning: ")] == told


def test_what_is_shown_to_be_copied_names_the_same_database(load: Load, backups: Path) -> None:
    """Its drills are known as before, and discovery leaves it."""
    text = f'[[discover]]\nsource = "{backups}"\nignore = ["shop*", "auth"]\n'
    found = load(text)
    (backups / ".drill").mkdir()
    drill = replace(PASSED, series="backups/ledger", backup="ledger_20261128.sql", place=None)
    note(backups / ".drill" / "history.jsonl", drill)
    shown = "\n".join(each for each in lines_of(found) if each.startswith("    "))
    named = load(f"{text}{shown}\n")

    assert (found.undecided, named.undecided) == (("backups/ledger",), ())
    before, after = (known_of(list(each.databases.values())) for each in (found, named))
    assert before.keys() == after.keys() == {"backups/ledger"}
    drills = after["backups/ledger"].drills
    assert len(drills) == 1 and drills == before["backups/ledger"].drills


def test_criteria_say_how_names_are_read(load: Load, tmp_path: Path) -> None:
    """Numbers count the backups of one database where the criteria file says so."""
    (tmp_path / "builds").mkdir()
    for number in (1841, 1842):
        (tmp_path / "builds" / f"shop-{number}.sql").write_bytes(DUMP)
    (tmp_path / "numbered.toml").write_text("[backup]\nnumbered = true\n")
    text = '[[discover]]\nsource = "builds"\n'
    assert len(load(text).undecided) == 2
    assert load(f'{text}criteria = "numbered.toml"\n').undecided == ("builds/shop",)


def test_series_of_one_name_in_two_places_are_two_databases(load: Load, tmp_path: Path) -> None:
    """The later one is called by its place too."""
    for place in ("a", "b"):
        (tmp_path / place / "db").mkdir(parents=True)
        (tmp_path / place / "db" / "shop_20261128.sql").write_bytes(DUMP)
    inventory = load('[[discover]]\nsource = "a"\n[[discover]]\nsource = "b"\n')
    assert inventory.undecided == ("db/shop", f"db/shop in {tmp_path / 'b'}")


def test_a_bucket_is_listed_with_the_keys_that_the_drills_get(
    load: Load, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come from the fleet file by reference; afterwards the process does not have them."""
    for name in (*NAMES, "deep/crm_20261128.sql"):
        put(s3, f"fleet/{name}", DUMP)
    for name in keys_of(s3):
        monkeypatch.delenv(name, raising=False)
    text = f"""
[defaults]
environment = {{ AWS_ENDPOINT_URL = "{s3}", AWS_ACCESS_KEY_ID = "{READER[0]}", \
AWS_SECRET_ACCESS_KEY = "${{READER_SECRET}}" }}
[databases.shop]
backups = "s3://{BUCKET}/fleet"
series = "shop"
[[discover]]
source = "s3://{BUCKET}/fleet/"
ignore = ["shop_test"]
"""
    inventory = load(text, {"READER_SECRET": READER[1], "AWS_REGION": "us-east-1"})

    assert sorted(inventory.undecided) == ["fleet/auth", "fleet/ledger"]
    auth = inventory.databases["fleet/auth"]
    assert (auth.backups, auth.source) == (f"s3://{BUCKET}/fleet", f"s3://{BUCKET}")
    assert auth.environment["AWS_SECRET_ACCESS_KEY"] == READER[1]
    assert READER[1] not in repr(inventory) + "\n".join(lines_of(inventory))
    assert not os.environ.keys() & keys_of(s3).keys()


def test_folders_of_a_bucket_are_databases(s3: str, tmp_path: Path) -> None:
    """Without a folder in the URL all of the bucket is listed."""
    for name in ("crm/2026-11-28/db.sql", "crm/2026-11-27/db.sql", "hr/2026-11-28/db.sql"):
        put(s3, name, DUMP)
    path = tmp_path / "fleet.toml"
    path.write_text(f'[databases.hr]\nbackups="s3://{BUCKET}/hr"\n[[discover]]\n'
                    f'source = "s3://{BUCKET}"\nignore = ["fleet/*"]\n')  # fmt: skip

    inventory = load_inventory(path, keys_of(s3))

    assert inventory.undecided == ("crm/db",)


def test_a_bucket_that_gives_no_list_is_one_database(
    load: Load, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands for all that may lie there, with the reason; the others are as they were."""
    monkeypatch.setattr(trying, "PAUSE", 0.01)
    text = """
[defaults]
owner = "platform"
[databases.shop]
backups = "/srv/shop"
[[discover]]
source = "s3://missing/"
labels = { tier = "bronze" }
"""
    inventory = load(text, keys_of(s3))
    place = inventory.databases["s3://missing"]

    assert list(inventory.databases) == ["shop", "s3://missing"] and inventory.undecided == ()
    assert place.unlisted.startswith("it cannot be listed: ") and "s3://missing" in place.unlisted
    assert (place.owner, place.labels) == ("platform", {"tier": "bronze"})
    assert READER[1] not in "\n".join(lines_of(inventory)) + place.unlisted


@pytest.mark.parametrize("kind", ["absent", "file", "slow"])
def test_a_folder_that_gives_no_list_is_one_database(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """What is not mounted, what is none, what does not answer; no other place suffers."""
    for name in ("file.sql", "good/shop_20261128.sql"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(DUMP)
    if kind == "slow":
        (tmp_path / "slow").mkdir()
        real = kept.shelf_here

        def shelf_here(settings: Settings) -> Shelf:
            if settings.backup_path and settings.backup_path.name == "slow":
                time.sleep(5)
            return real(settings)

        monkeypatch.setattr(discovery, "shelf_here", shelf_here)
        monkeypatch.setattr(discovery, "LIMIT", 0.5)
    source = {"file": "file.sql"}.get(kind, kind)
    inventory = load(f'[[discover]]\nsource = "{source}"\n[[discover]]\nsource = "good"\n')
    why = inventory.databases[str(tmp_path / source)].unlisted

    assert inventory.undecided == ("good/shop",)
    words = {
        "absent": "it does not exist; check the path and its mount",
        "file": "it is not a directory; name a file as backup under [databases]",
        "slow": "it cannot be listed: no answer within 0.50 s",
    }
    assert why == words[kind]
    shown = lines_of(inventory)
    assert shown[1].startswith("! ")
    assert any(each.startswith("1 database, 1 new (*)") for each in shown)
    place, where = tmp_path / source, f"{tmp_path / 'fleet.toml'}, line 1"
    assert f"COULD NOT RUN  {place}: {why}. Nothing there is drilled ({where})" in shown


def test_a_source_comes_by_reference(load: Load, backups: Path) -> None:
    """One on a web server is refused as if it stood in the file."""
    text = '[[discover]]\nsource = "${PLACE}"\n'
    assert len(load(text, {"PLACE": str(backups)}).undecided) == 4
    link = "https://h.example.com/shop.dump?signature=hush"
    with pytest.raises(UsageError, match=r"line 2, .*: source is on a web server") as refused:
        load(text, {"PLACE": link})
    assert "hush" not in str(refused.value)


def test_many_series_are_told_from_many_named(load: Load, tmp_path: Path) -> None:
    """All in a moment."""
    (tmp_path / "many").mkdir()
    for number in range(600):
        (tmp_path / "many" / f"db{number}_20261128.sql").write_bytes(DUMP)
    named = (
        f'[databases.d{number}]\nbackups = "many"\nseries = "db{number}"\n' for number in range(599)
    )
    begin = time.monotonic()
    inventory = load("".join(named) + '[[discover]]\nsource = "many"\n')

    assert inventory.undecided == ("many/db599",)
    assert time.monotonic() - begin < 10
