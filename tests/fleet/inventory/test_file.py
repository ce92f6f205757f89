"""The fleet file: what it may say, what its defaults do, and that its secrets stay secret."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from restore_drill.core.errors import UsageError
from restore_drill.fleet.inventory import example, lines_of, load_inventory
from restore_drill.fleet.model import Needs
from tests.fleet.inventory.conftest import Load

FULL = """
[defaults]
every = "1d"
timeout = "2h"
owner = "platform"
labels = { tier = "silver", region = "eu" }
budgets = { max_backup_age = "26h", max_restore_time = "90s" }
environment = { AWS_REGION = "eu-central-1", LEVEL = "low" }
options = ["--heapallindexed"]
notify = ["${SLACK}", "mailto://ops@example.com"]
cores = 2

[databases.shop]
backups = "s3://backups/shop/"
series = "shop"
criteria = "criteria/shop.toml"
target = "container"
labels = { tier = "gold" }
budgets = { max_backup_age = "2h" }
environment = { REDIS_URL = "redis://:${REDIS_PASSWORD}@cache:6379/0", LEVEL = "high" }
options = ["--pick", "random", "--jobs=2"]
disk = "20 GB"
memory = 2_000_000_000

[databases."the ledger"]
backup = "ledger/ledger.dump"
every = "7d"
notify = []

[run]
tries = 5
at_once = 2
"""
SECRETS = {"SLACK": "slack://T1/T2/T3 ntfy://topic", "REDIS_PASSWORD": "hush-hush"}


def test_defaults_are_completed_key_by_key(load: Load, tmp_path: Path) -> None:
    """Tables are merged, everything else is the database's own where it has that."""
    criteria = tmp_path / "criteria" / "shop.toml"
    criteria.parent.mkdir()
    criteria.write_text("[tables]\ncards = { min_rows = 1 }\n")

    inventory = load(FULL, SECRETS)
    shop, ledger = inventory.databases.values()

    assert shop.where == f"{tmp_path / 'fleet.toml'}, line 13"
    assert (shop.backups, shop.series, shop.source) == ("s3://backups/shop", "shop", "s3://backups")
    assert (shop.rules.path, shop.target) == (criteria.resolve(), "container")
    assert shop.labels == {"tier": "gold", "region": "eu"}
    assert shop.budgets == {"max_backup_age": "2h", "max_restore_time": "90s"}
    assert shop.environment == {
        "AWS_REGION": "eu-central-1",
        "LEVEL": "high",
        "REDIS_URL": "redis://:hush-hush@cache:6379/0",
    }
    assert shop.options == ("--pick=random", "--jobs=2")
    assert (shop.every, shop.timeout, shop.owner) == (86400, 7200, "platform")
    assert shop.notify == ("slack://T1/T2/T3", "ntfy://topic", "mailto://ops@example.com")
    assert shop.needs == Needs(20_000_000_000, 2_000_000_000, 2)

    assert (ledger.name, ledger.backups) == ("the ledger", "")
    assert ledger.backup == str(tmp_path / "ledger" / "ledger.dump")
    assert (ledger.every, ledger.notify, ledger.target) == (7 * 86400, (), "embedded")
    assert ledger.options == ("--heapallindexed",)
    assert ledger.labels == {"tier": "silver", "region": "eu"}
    assert (inventory.tries, inventory.at_once, inventory.undecided) == (5, 2, ())
    shown = repr(inventory) + "\n".join(lines_of(inventory))
    assert "hush" not in shown and "T2" not in shown


def test_a_variable_that_is_unset_is_named_with_its_line(load: Load) -> None:
    """So is an empty one, which a CI system gives for a secret that it lacks."""
    text = '[databases.a]\nbackups = "/a"\nenvironment = { PGPASSWORD = "${BACKUP_KEY}" }\n'
    for environment in ({}, {"BACKUP_KEY": ""}):
        with pytest.raises(UsageError, match=r"line 3, \[databases\.a\]: PGPASSWORD needs the "
                           r"variable BACKUP_KEY, which is unset or empty"):  # fmt: skip
            load(text, environment)


def test_a_default_that_is_replaced_needs_no_variable(load: Load) -> None:
    """Only what a database is drilled with is looked up."""
    inventory = load(
        '[defaults]\nnotify = ["${NOBODY}"]\nenvironment = { A = "${B}" }\n'
        '[databases.a]\nbackups = "/a"\nnotify = []\nenvironment = { A = "c" }\n'
    )
    assert inventory.databases["a"].environment == {"A": "c"}


def test_a_signed_link_comes_by_reference(load: Load) -> None:
    """Its signature stands neither in the file nor in the table."""
    link = "https://dumps.example.com/shop.dump?signature=abcdef0123456789"
    inventory = load('[databases.a]\nbackup = "${LINK}"\n', {"LINK": link})

    assert inventory.databases["a"].backup == link
    assert "signature" not in repr(inventory) + "\n".join(lines_of(inventory))
    with pytest.raises(UsageError, match=r"backup holds parameters \(not shown\)") as refused:
        load(f'[databases.a]\nbackup = "{link}"\n')
    assert "abcdef" not in str(refused.value)
    with pytest.raises(UsageError, match=r"backups holds credentials") as refused:
        load('[databases.a]\nbackups = "${LINK}"\n', {"LINK": "s3://key:hush@bucket/"})
    assert "hush" not in str(refused.value)


def test_the_example_is_valid(load: Load) -> None:
    """As it is, and with all that is commented out."""
    inventory = load(example())
    assert inventory.databases.keys() == {"shop"}


def test_a_thousand_databases_are_read_at_once(load: Load) -> None:
    """Their lines are known without a search for each."""
    text = "".join(f'[databases.d{n}]\nbackups = "/srv/{n}"\n' for n in range(1000))
    begin = time.monotonic()
    inventory = load(text)

    assert time.monotonic() - begin < 5
    assert inventory.databases["d999"].where.endswith("fleet.toml, line 1999")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[databases]\na = { backups = "/a" }\nb = { backups = "/b" }\n', 3),
        ('["databases".b]\nbackups = "/b"\n', 1),
        ('[databases]\n\nb.backups = "/b"\n', 3),
        ('[databases.b.labels]\ntier = "x"\n[databases.b]  # b\nbackups = "/b"\n', 3),
    ],
)
def test_the_line_of_a_database_is_found(load: Load, text: str, line: int) -> None:
    """However its table is written."""
    assert load(text).databases["b"].where.endswith(f", line {line}")


def test_a_folder_is_one_fleet(tmp_path: Path) -> None:
    """Each file has its own defaults, above those of the folder."""
    (tmp_path / "defaults.toml").write_text(
        '[defaults]\nowner = "all"\nlabels = { a = "1", b = "1" }\n[run]\ntries = 2\n'
    )
    (tmp_path / "shop.toml").write_text(
        '[defaults]\nlabels = { b = "2" }\n[databases.shop]\nbackups = "shop"\n'
    )
    (tmp_path / "ledger.toml").write_text('[databases.ledger]\nbackups = "/l"\nowner = "me"\n')
    (tmp_path / "README").write_text("no fleet file")

    inventory = load_inventory(tmp_path, {})

    assert list(inventory.databases) == ["ledger", "shop"]
    shop, ledger = inventory.databases["shop"], inventory.databases["ledger"]
    assert (shop.owner, shop.labels) == ("all", {"a": "1", "b": "2"})
    assert (ledger.owner, ledger.labels) == ("me", {"a": "1", "b": "1"})
    assert shop.backups == str(tmp_path / "shop")
    assert inventory.tries == 2


def test_clashes_in_a_folder_name_both_places(tmp_path: Path) -> None:
    """A database that two files name, backups that two name, two sections [run]."""
    one, two = tmp_path / "a.toml", tmp_path / "b.toml"
    one.write_text('[run]\n[databases.shop]\nbackups = "/a"\n')
    two.write_text('\n[databases.shop]\nbackups = "/b"\n')
    with pytest.raises(UsageError, match=r"b\.toml, line 2, \[databases\.shop\]: a database of "
                       r"that name is in .*a\.toml, line 2"):  # fmt: skip
        load_inventory(tmp_path, {})
    two.write_text('[databases.other]\nbackups = "/a/"\n')
    with pytest.raises(UsageError, match=r"b\.toml, line 1, .*'shop' \(.*a\.toml, line 2\) has "
                       r"the very same backups"):  # fmt: skip
        load_inventory(tmp_path, {})
    two.write_text("[run]\n")
    with pytest.raises(UsageError, match=r"b\.toml, line 1, \[run\]: stands in .*a\.toml too"):
        load_inventory(tmp_path, {})


def test_what_is_no_fleet_is_said(tmp_path: Path) -> None:
    """No file, an empty folder, a file that is no TOML."""
    with pytest.raises(UsageError, match=r"none\.toml: No such file or directory; name a fleet"):
        load_inventory(tmp_path / "none.toml", {})
    with pytest.raises(UsageError, match=r"holds no \*\.toml; name a fleet file"):
        load_inventory(tmp_path, {})
    (tmp_path / "a.toml").write_text("[run]\n")
    with pytest.raises(UsageError, match=r"has neither \[databases\] nor \[\[discover\]\]"):
        load_inventory(tmp_path, {})
    (tmp_path / "a.toml").write_text("[databases.a]\n[databases.a]\n")
    with pytest.raises(UsageError, match=r"fleet file .*a\.toml is not valid TOML: \[databases\.a"
                       r"\] stands in it twice, the second time in line 2"):  # fmt: skip
        load_inventory(tmp_path, {})


def test_an_error_in_a_criteria_file_is_found_before_any_drill(load: Load, tmp_path: Path) -> None:
    """With the line of the criteria file."""
    (tmp_path / "shop.toml").write_text("[tabels]\n")
    with pytest.raises(UsageError, match=r"criteria file .*shop\.toml, line 1, .*'tables'\?"):
        load('[databases.a]\nbackups = "/a"\ncriteria = "shop.toml"\n')


def test_the_line_of_an_error_is_found_in_a_long_file(load: Load) -> None:
    """In a moment, though a thousand lines before it have the same key."""
    many = (f'[databases.d{n}]\nbackups = "/srv/{n}"\ndisk = "2 GB"\n' for n in range(1000))
    begin = time.monotonic()
    with pytest.raises(UsageError, match=r"line 3003, \[databases\.z\]: disk must be a size"):
        load("".join(many) + '[databases.z]\nbackups = "/z"\ndisk = 3\n')
    assert time.monotonic() - begin < 5
