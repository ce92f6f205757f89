"""Discovery misses nothing: what may be a backup is a database, or it is told as not listed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest

from restore_drill.fleet.inventory import lines_of
from restore_drill.fleet.model import Inventory
from restore_drill.places import trying
from restore_drill.selection import tree
from restore_drill.watch.append import append
from restore_drill.watch.entry import note
from restore_drill.watch.history import Drill
from restore_drill.watch.skips import Skip
from tests.fleet.inventory.conftest import Load
from tests.helpers.buckets import BUCKET, WRITER, Refusing, keys_of, put, s3_server
from tests.helpers.histories import FAILED, NOW, PASSED
from tests.selection.test_closed import as_ordinary_user

DUMP = b"--\n-- PostgreSQL database dump\n--\n"
ROLES = (
    b"--\n-- PostgreSQL database cluster dump\n--\nCREATE ROLE a;\n"
    b"--\n-- PostgreSQL database cluster dump complete\n--\n"
)
DISCOVER = '[[discover]]\nsource = "b"\n'


def lay(folder: Path, *names: str, data: bytes = DUMP) -> None:
    """Write backups of these names below `folder`/b."""
    for name in names:
        path = folder / "b" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def rest_of(inventory: Inventory) -> str:
    """Why the place could not be listed in full; empty where it was."""
    found = [each for each in inventory.databases.values() if each.unlisted]
    assert len(found) < 2 and all(each.name.startswith("rest of ") for each in found)
    return found[0].unlisted if found else ""


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real S3 server."""
    with s3_server(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture(scope="module")
def other_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of another one."""
    with s3_server(tmp_path_factory.mktemp("s3")) as url:
        yield url


def test_what_only_claims_to_be_a_backup_is_a_database(load: Load, tmp_path: Path) -> None:
    """Its drill fails; what was never meant to be one is left out, but not where one was."""
    lay(tmp_path, "shop/shop.sql")
    lay(tmp_path, "crm/crm.sql", data=b"")
    lay(tmp_path, "ledger/ledger.dump", data=b"<html>503 Service Unavailable</html>")
    lay(tmp_path, "hr/hr.sql.gz", data=bytes(range(1, 20)))
    lay(tmp_path, "x/x.sql", data=b"pg_dump: error: connection refused\n")
    lay(tmp_path, "my/my.sql", data=b"-- MySQL dump 10.13\n")
    lay(tmp_path, "globals.sql", "shop/roles.sql", data=ROLES)
    lay(tmp_path, "README", "shop/shop.sql.sha256", "new/new.sql.tmp", data=b"x\n")
    inventory = load(DISCOVER)

    found = {"shop/shop", "crm/crm", "ledger/ledger", "hr/hr", "x/x"}
    assert (set(inventory.databases), rest_of(inventory)) == (found, "")
    assert set(load(f'{DISCOVER}ignore = ["x", "hr/*"]\n').databases) == found - {"x/x", "hr/hr"}


def test_one_backup_that_is_named_is_not_its_whole_series(load: Load, tmp_path: Path) -> None:
    """The others of its series are backups of a database that nobody else is of."""
    lay(tmp_path, "shop/shop_20261128.sql", "shop/shop_20261129.sql")
    named = '[databases.{0}]\nbackup = "b/shop/shop_{1}.sql"\n'
    one, two = named.format("old", 20261128), named.format("new", 20261129)
    assert load(one + DISCOVER).undecided == ("shop/shop",)
    assert load(one + two + DISCOVER).undecided == ()


def test_what_lies_below_a_stray_backup_is_told(load: Load, tmp_path: Path) -> None:
    """It stands for what the drills of that place would not find, until it is listed by itself."""
    lay(tmp_path, "stray_20261130.sql", "shop/2026/shop.sql", "crm/crm.sql", "roles/roles.sql")
    lay(tmp_path, "roles/roles.sql", data=ROLES)
    (tmp_path / "b" / "empty" / "deep").mkdir(parents=True)
    inventory = load(DISCOVER)
    why = rest_of(inventory)
    shown = lines_of(inventory)

    assert inventory.undecided == ("b/stray",)
    assert "in it is crm/crm.sql" in why and "in it is shop/2026/shop.sql" in why
    assert "roles" not in why and "empty" not in why
    assert any(each.startswith("COULD NOT RUN  rest of ") for each in shown), shown
    assert "shop" not in rest_of(load(f'{DISCOVER}ignore = ["shop"]\n'))
    own = DISCOVER + "".join(f'[[discover]]\nsource = "b/{name}"\n' for name in ("crm", "shop"))
    inventory = load(own)
    assert (len(inventory.undecided), rest_of(inventory)) == (3, "")
    named = '[databases.a]\nbackups = "b/shop"\n[databases.b]\nbackups = "b/crm"\n'
    assert rest_of(load(named + DISCOVER)) == ""


def test_a_database_of_a_folder_above_is_of_what_its_drill_finds_there(
    load: Load, tmp_path: Path
) -> None:
    """Below a backup that lies directly in that it finds nothing."""
    lay(tmp_path, "pg/crm/crm.sql", "pg/shop/shop.sql")
    text = '[databases.all]\nbackups = "b"\n[[discover]]\nsource = "b/pg"\n'
    assert load(text).undecided == ()
    lay(tmp_path, "top.sql")
    assert sorted(load(text).undecided) == ["crm/crm", "shop/shop"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a/b/c/d/e/ledger.sql", "a/b/c/d/e: not searched: more than 4 folders down"),
        ("redis/sessions.dump", "redis: not searched, since it is for backups of Redis; in it is "),
        ("../b/gone.sql", "gone.sql: a link to "),
    ],
)
def test_what_no_drill_looks_for_is_told(load: Load, tmp_path: Path, name: str, words: str) -> None:
    """A folder too deep, one of another purpose, a link that leads nowhere."""
    lay(tmp_path, "shop/shop.sql")
    if "gone" in name:
        (tmp_path / "b" / "x").mkdir()
        (tmp_path / "b" / "x" / "gone.sql").symlink_to(tmp_path / "nowhere.sql")
    else:
        lay(tmp_path, name, data=b"PGDMP\1\16\0" if "redis" in name else DUMP)
    inventory = load(DISCOVER)
    assert (inventory.undecided, words in rest_of(inventory)) == (("shop/shop",), True)
    ignored = name.partition("/")[0].replace("..", "x")
    assert rest_of(load(f'{DISCOVER}ignore = ["{ignored}"]\n')) == ""


def test_a_folder_called_db_hides_nothing(load: Load, tmp_path: Path) -> None:
    """Drills look there alone, so what lies beside it is told; snapshots are the drill's own."""
    lay(tmp_path, "db/shop.sql", "snapshots/before.dump", "redis/x.txt")
    assert rest_of(load(DISCOVER)) == ""
    lay(tmp_path, "crm/crm.sql")
    assert "crm: not searched, since the folder db is; in it is crm/crm.sql" in rest_of(
        load(DISCOVER)
    )


def test_more_folders_than_are_searched_are_told(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those beyond it are named."""
    monkeypatch.setattr(tree, "MOST_FOLDERS", 3)
    lay(tmp_path, *(f"d{number}/x.sql" for number in range(5)))
    inventory = load(DISCOVER)
    assert len(inventory.undecided) == 3
    assert all(f"in it is d{number}/x.sql" in rest_of(inventory) for number in (3, 4))


def test_what_is_closed_is_told(load: Load, tmp_path: Path) -> None:
    """A folder that may hold a database, and the only file of one; not an older one of another."""
    for each in (tmp_path, *list(tmp_path.parents)[:-1]):
        each.chmod(each.stat().st_mode | 0o055)
    lay(tmp_path, "shop/shop_20261128.sql", "shop/shop_20261127.sql", "crm/crm.sql", "hr/hr.sql")
    lay(tmp_path, "hr/job.log")
    for name in ("shop/shop_20261127.sql", "crm", "hr/hr.sql", "hr/job.log"):
        (tmp_path / "b" / name).chmod(0)
    (tmp_path / "fleet.toml").touch(0o666)
    (tmp_path / "fleet.toml").chmod(0o666)
    (tmp_path / "criteria.toml").touch()  # those of a checkout below /root that user cannot read
    with as_ordinary_user():
        inventory = load(f'{DISCOVER}criteria = "criteria.toml"\n')
    why = rest_of(inventory)
    assert inventory.undecided == ("shop/shop",)
    assert "crm: cannot be read" in why and "hr/hr.sql: cannot be read" in why
    assert "shop" not in why and "job" not in why


@pytest.mark.parametrize("keys", [1, 0])
def test_an_encrypted_database_may_be_called_users(load: Load, tmp_path: Path, keys: int) -> None:
    """What goes with a dump beside it is a role file; its content tells, where there is a key."""
    key = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(f"{key}\n")
    (tmp_path / "key").chmod(0o600)

    def sealed(data: bytes) -> bytes:
        return bytes(pyrage.encrypt(data, [key.to_public()]))

    databases = ("shop_20261128.dump.age", "users_20261128.dump.age", "role_admin_20261128.sql.age")
    lay(tmp_path, *databases, data=sealed(DUMP))
    roles = ("shop_20261128_roles.sql.age", "globals_20261128.sql.gz.age")
    lay(tmp_path, *roles, data=sealed(ROLES))
    given = {"DRILL_DECRYPT_KEY_FILE": str(tmp_path / "key")} if keys else {}
    inventory = load(DISCOVER, given)
    assert sorted(inventory.undecided) == ["b/role_admin", "b/shop", "b/users"]


def test_an_object_beside_a_folder_of_its_name_hides_nothing(load: Load, s3: str) -> None:
    """Nor does a name that no file can have."""
    fine = ("p/shop/shop.sql", "p/crm/crm.sql")
    for name in (*fine, f"p/{'n' * 300}/x.sql"):
        put(s3, name, DUMP)
    inventory = load(f'[[discover]]\nsource = "s3://{BUCKET}/p"\n', keys_of(s3, WRITER))
    assert sorted(inventory.undecided) == ["crm/crm", "shop/shop"]
    assert "nnn" in rest_of(inventory) and "a name that no file can have" in rest_of(inventory)


def test_buckets_of_one_name_on_two_servers_are_two_places(
    load: Load, s3: str, other_s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one of them holds is neither taken for the other's, nor counted as named."""
    monkeypatch.setattr(trying, "PAUSE", 0.01)
    for url, names in ((s3, ("shop", "crm")), (other_s3, ("shop", "hr"))):
        for name in names:
            put(url, f"two/{name}/{name}.sql", DUMP)
    one, two = (f'environment = {{ AWS_ENDPOINT_URL = "{url}" }}\n' for url in (s3, other_s3))
    keys = {name: value for name, value in keys_of(s3, WRITER).items() if "ENDPOINT" not in name}
    place = f'backups = "s3://{BUCKET}/two"\nseries = "shop"\n'
    source = f'[[discover]]\nsource = "s3://{BUCKET}/two"\n'
    named = f"[databases.shop]\n{place}{one}"

    found = load(f"{named}{source}{two}", keys).undecided
    assert sorted(found) == ["hr/hr", "shop/shop"]
    both = load(f"{named}{source}{one}{source}{two}[databases.b]\n{place}{two}", keys)
    assert sorted(both.undecided) == ["crm/crm", "hr/hr"]
    twice = load(f"{source}{one}{source}{two}", keys)
    all_names = ["crm/crm", "hr/hr", "shop/shop", f"shop/shop in s3://{BUCKET}/two"]
    assert sorted(twice.databases) == all_names


@pytest.mark.parametrize("name", ["p//two/x.sql", "p/../evil/x.sql"])
def test_an_object_that_keeps_a_bucket_from_being_listed_is_named(load: Load, name: str) -> None:
    """It is asked once: the network is not to blame."""
    with closing(Refusing(404, "NoSuchKey", listed=name)) as server:
        inventory = load(f'[[discover]]\nsource = "s3://{BUCKET}/p"\n', keys_of(server.url))
    (place,) = inventory.databases.values()
    assert f"the name of an object in it is not one that can be read: '{name}'" in place.unlisted
    assert len(server.asked) == 1


@pytest.mark.parametrize("drill", [PASSED, FAILED], ids=["passed", "failed"])
def test_what_a_drill_has_seen_stays_a_database(load: Load, tmp_path: Path, drill: Drill) -> None:
    """Until it is ignored or retired; whatever is called alike in another folder."""
    lay(tmp_path, "shop/db.sql", "n/ba\udcffd.sql")
    (tmp_path / "b" / ".drill").mkdir()
    history = tmp_path / "b" / ".drill" / "history.jsonl"
    for name in ("shop/db", "auth/db", r"n/ba\udcffd"):
        note(history, replace(drill, series=name, backup=f"{name}.sql", sha256="5ea1"))
    assert sorted(load(DISCOVER).undecided) == ["auth/db", "n/ba\udcffd", "shop/db"]
    ignored = load(f"{DISCOVER}ignore = [\"auth/db\", 'n/ba\\udcffd']\n")
    assert ignored.undecided == ("shop/db",)
    append(history, Skip(NOW, "gone", "ann", "bob", None, "auth/db").as_json())
    assert sorted(load(DISCOVER).undecided) == ["n/ba\udcffd", "shop/db"]


def test_what_has_vanished_in_a_bucket_is_a_database(load: Load, tmp_path: Path, s3: str) -> None:
    """Also where a file of the same name is left in another folder."""
    source, history = f"s3://{BUCKET}/gone", tmp_path / "h.jsonl"
    put(s3, "gone/shop/db.sql", DUMP)
    for name in ("shop/db", "auth/db"):
        seen = replace(PASSED, series=name, backup=f"{name}.sql", sha256="5ea1")
        note(history, replace(seen, place=source))
    text = f'[[discover]]\nsource = "{source}"\nenvironment = {{ DRILL_HISTORY = "{history}" }}\n'
    assert sorted(load(text, keys_of(s3)).undecided) == ["auth/db", "shop/db"]


def test_a_history_that_cannot_be_read_is_told(load: Load, tmp_path: Path) -> None:
    """Nobody knows then what has vanished."""
    lay(tmp_path, "shop/shop.sql")
    (tmp_path / "b" / ".drill" / "history.jsonl").mkdir(parents=True)
    inventory = load(DISCOVER)
    assert inventory.undecided == ("shop/shop",)
    assert "which of its databases have vanished is not known: " in rest_of(inventory)


def test_a_role_file_in_a_bucket_is_told_by_its_name(load: Load, s3: str) -> None:
    """What is called more than that is a database; one above folders hides none of them."""
    names = ("globals.sql", "shop/shop_20261128.sql", "shop/shop_20261128_roles.sql")
    for name in (*names, "x/global_trade.sql", "roles/roles_20261128.dump"):
        put(s3, f"roles/{name}", DUMP)
    inventory = load(f'[[discover]]\nsource = "s3://{BUCKET}/roles"\n', keys_of(s3, WRITER))
    assert sorted(inventory.undecided) == ["roles/roles", "shop/shop", "x/global_trade"]
    assert rest_of(inventory) == ""


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["crm/crm.sql.Z"], "crm/crm.sql.Z: "),
        (["crm/crm.dump.br"], "crm/crm.dump.br: "),
        (["crm/crm.dmp"], "or compressed in a way that is not supported"),
        (["stray.sql", "old/crm.sql.lzo"], "in it is old/crm.sql.lzo"),
        (["mongo/x.bson", "mongo/a.metadata.json.gz", "mongo/crm.sql"], "in it is mongo/crm.sql"),
        (["my/ibdata1", "my/new/crm.sql"], "data directory; in it is my/new/crm.sql"),
        (["my/ibdata1", "my/x.bson.gz"], ""),
    ],
)
def test_what_no_drill_reads_is_told(
    load: Load, tmp_path: Path, names: list[str], words: str
) -> None:
    """Compressions that are not supported, and what lies among the files of other systems."""
    lay(tmp_path, "shop/shop.sql")
    lay(tmp_path, *names, data=b"\x1f\x9d\x90" + bytes(range(100)))
    why = rest_of(load(DISCOVER))
    assert words in why and bool(why) == bool(words)


def test_a_copy_is_of_the_database_that_it_is_called_by(load: Load, tmp_path: Path) -> None:
    """Also where two hold the same; what is called latest is a copy."""
    lay(tmp_path, "shop_20261130.sql", "crm.sql", "hr.sql", "latest.sql", "shop.sql")
    assert sorted(load(DISCOVER).undecided) == ["b/crm", "b/hr", "b/shop"]


def test_a_hard_link_is_of_the_database_that_it_is_called_by(load: Load, tmp_path: Path) -> None:
    """A backup that is kept as a weekly one too is one."""
    lay(tmp_path, "shop/shop.sql")
    for name in ("crm/crm.sql", "weekly/shop_20261130.sql"):
        (tmp_path / "b" / name).parent.mkdir()
        (tmp_path / "b" / name).hardlink_to(tmp_path / "b" / "shop" / "shop.sql")
    assert sorted(load(DISCOVER).undecided) == ["/shop", "crm/crm"]


def test_links_hide_nothing(load: Load, tmp_path: Path) -> None:
    """What they lead to is hidden, as in volumes of Kubernetes; or a text is no link at all."""
    lay(tmp_path, "crm/..2026_11_30/crm.sql", "shop/shop.sql")
    (tmp_path / "b" / "crm" / "..data").symlink_to("..2026_11_30")
    (tmp_path / "b" / "crm" / "crm.sql").symlink_to("..data/crm.sql")
    (tmp_path / "b" / "shop" / "latest.sql").symlink_to("shop.sql")
    lay(tmp_path, "hr/hr.sql", data=b".")
    inventory = load(DISCOVER)
    assert sorted(inventory.undecided) == ["crm/crm", "hr/hr", "shop/shop"]
    assert rest_of(inventory) == ""


def test_snapshots_of_the_drill_are_told_from_a_folder_of_that_name(
    load: Load, tmp_path: Path, s3: str
) -> None:
    """Those lie directly in the place of a database."""
    lay(tmp_path, "shop/shop.sql", "shop/snapshots/pre_drill_snapshot_20260909.dump")
    lay(tmp_path, "shop/snapshots/reset_shop.json", "hr/snapshots/hr.sql")
    inventory = load(DISCOVER)
    assert (inventory.undecided, rest_of(inventory)) == (("hr/snapshots/hr", "shop/shop"), "")
    put(s3, "o/hr/snapshots/hr.sql", DUMP)
    inventory = load(f'[[discover]]\nsource = "s3://{BUCKET}/o"\n', keys_of(s3, WRITER))
    assert inventory.undecided == ("hr/snapshots/hr",)
