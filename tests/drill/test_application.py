"""Fixtures for a team's own checks, and the examples that use them, in real drills."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from restore_drill.core.redact import Redactor
from restore_drill.servers.model import Target
from restore_drill.servers.urls import DatabaseUrl
from tests.helpers.drills import ROOT, Drill, run_drill
from tests.helpers.shop import Shops, fill_shop, pg_dump

EXAMPLES = ROOT / "tests" / "examples"
PASSWORD = "p@ss/w#rd:é'x%"
TCP = {"host": "db.example", "port": "6432", "user": "o'neil", "dbname": "my shop"}
SOCKET = {"host": "/run/a dir", "port": "5432", "user": "postgres", "dbname": "shop"}
KEYWORDS = {
    "tcp": TCP | {"sslmode": "require"},
    "ipv6": TCP | {"host": "2001:db8::1"},
    "several hosts": TCP | {"host": "a,b", "port": "1,2"},
    "socket": SOCKET,
    "own options": SOCKET | {"options": "-c work_mem=1MB"},
}


def target_of(shops: Shops, keywords: dict[str, str], password: str | None = PASSWORD) -> Target:
    """Target that is reached by `keywords`."""
    return replace(shops.source(15), conninfo=keywords, password=password)


@pytest.mark.parametrize("kind", KEYWORDS)
def test_url_says_what_the_keywords_say(shops: Shops, kind: str) -> None:
    """The URL names server, user, password and database as libpq understands them."""
    url = DatabaseUrl.of(target_of(shops, KEYWORDS[kind]))

    assert conninfo_to_dict(url) == KEYWORDS[kind] | {"password": PASSWORD}


@pytest.mark.parametrize("kind", KEYWORDS)
def test_sqlalchemy_reads_its_url(shops: Shops, kind: str) -> None:
    """SQLAlchemy finds the same in its URL, and the driver psycopg."""
    keywords = KEYWORDS[kind]

    url = make_url(DatabaseUrl.of(target_of(shops, keywords)).sqlalchemy)
    said = {"host": url.host, "user": url.username, "dbname": url.database} | dict(url.query)
    said |= {"port": str(url.port)} if url.port else {}

    assert url.drivername == "postgresql+psycopg"
    assert url.password == PASSWORD
    assert said == keywords


def test_sessions_are_read_only_where_asked(shops: Shops) -> None:
    """Read-only sessions keep the options that the target has."""
    url = DatabaseUrl.of(target_of(shops, KEYWORDS["own options"]), read_only=True)

    options = conninfo_to_dict(url)["options"]
    assert options == "-c work_mem=1MB -c default_transaction_read_only=on"


def test_django_gets_its_own_keywords(shops: Shops) -> None:
    """Django's DATABASES has keywords of its own; what it does not know goes to the driver."""
    entry = DatabaseUrl.of(target_of(shops, KEYWORDS["tcp"])).django

    assert (entry["NAME"], entry["HOST"], entry["PORT"]) == ("my shop", "db.example", "6432")
    assert entry["PASSWORD"] == PASSWORD
    assert entry["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize("kind", KEYWORDS)
def test_the_password_is_in_no_repr(shops: Shops, kind: str) -> None:
    """What a failing test shows of the URLs holds no password; a printed URL is masked."""
    url = DatabaseUrl.of(target_of(shops, KEYWORDS[kind]))
    redact = Redactor()

    shown = f"{url!r} {url.sqlalchemy!r} {url.django!r} {[url]}"
    printed = redact(f"{url} {url.sqlalchemy}")

    for text in (shown, printed):
        assert "w%23rd" not in text
        assert "w#rd" not in text
        assert "***" in text


CHECKS = '''
"""A team's own checks."""

import os
import subprocess
import sys
from dataclasses import replace

import psycopg
import pytest

from restore_drill.servers.urls import DatabaseUrl

ADD = "INSERT INTO artists (name) VALUES ('added by a check')"
COUNT = "SELECT count(*) FROM artists WHERE name = 'added by a check'"


def ask(url, query):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()[0]


def test_own_reads(restored_url):
    """The restored rows are read."""
    assert ask(restored_url, "SELECT count(*) FROM cards") == 50


def test_own_cannot_write(restored_url):
    """Nothing is written by accident."""
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        ask(restored_url, ADD + " RETURNING id")


@pytest.mark.parametrize("time", ["first", "second"])
def test_own_rolled_back(restored_connection, time):
    """Each check finds the rows as they were restored."""
    assert restored_connection.execute(COUNT).fetchone()[0] == 0
    with restored_connection.transaction():
        restored_connection.execute(ADD)
    assert restored_connection.execute(COUNT).fetchone()[0] == 1
    with pytest.raises(psycopg.ProgrammingError, match="commit"):
        restored_connection.commit()


def test_own_writes_to_a_copy(writable_url, restored_url):
    """What is committed to the copy is not in the restored database."""
    with psycopg.connect(writable_url) as connection:
        connection.execute(ADD)
    assert (ask(writable_url, COUNT), ask(restored_url, COUNT)) == (1, 0)


def test_own_environment(application_environment, restored_url):
    """A process of the application finds the database by DATABASE_URL."""
    code = "import os, psycopg; print(psycopg.connect(os.environ['DATABASE_URL']).info.dbname)"
    application_environment.setenv("SHOP_MODE", "drill")
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ask(restored_url, "SELECT current_database()")
    assert os.environ["SHOP_MODE"] == "drill"


def test_own_failure_keeps_secrets(restored):
    """What fails shows no password."""
    url = DatabaseUrl.of(replace(restored, password="hunter2-is-secret"))
    parts = url.django
    print(url, url.sqlalchemy)
    assert url == "another", parts
'''


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """A drill of the sample with a team's own checks, which lie outside of it."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "test_own.py").write_text(CHECKS)
    (folder / "test_later.py").write_text(
        'import os\n\n\ndef test_own_later():\n    """It ends with its module."""\n'
        '    assert "DATABASE_URL" not in os.environ\n'
    )
    return run_drill(
        str(folder / "test_own.py"), str(folder / "test_later.py"), "--sample-rows=50", "-k", "own",
        "-v", "-l", report_dir=folder / "report",
    )  # fmt: skip


def test_fixtures_give_the_restored_database(own: Drill) -> None:
    """URL, connection, environment and copy lead to the restored rows, and spoil nothing."""
    assert set(own.failed) == {"test_own_failure_keeps_secrets"}, own.output
    assert own.ran == {
        "test_own_reads",
        "test_own_cannot_write",
        "test_own_rolled_back[first]",
        "test_own_rolled_back[second]",
        "test_own_writes_to_a_copy",
        "test_own_environment",
        "test_own_failure_keeps_secrets",
        "test_own_later",
    }


def test_a_password_reaches_no_report(own: Drill) -> None:
    """A URL that a failing check prints, compares and holds is masked everywhere."""
    reports = [path.read_text() for path in own.report_dir.iterdir() if path.is_file()]

    assert "test_own_failure_keeps_secrets" in own.output
    assert not any("hunter2" in text for text in (own.output, *reports))


def test_models_of_sqlalchemy_and_django(tmp_path: Path) -> None:
    """The examples with models pass on the sample shop."""
    shutil.copytree(EXAMPLES / "sqlalchemy", tmp_path / "sqlalchemy_team")
    shutil.copytree(EXAMPLES / "django", tmp_path / "django_team")

    drill = run_drill(
        str(tmp_path / "sqlalchemy_team"),
        str(tmp_path / "django_team"),
        "--sample-rows=50",
        "-k",
        "_team",
        report_dir=tmp_path / "report",
        PYTHONPATH=str(tmp_path / "django_team"),
    )

    assert drill.code == 0, drill.output
    assert drill.verdict == "sample"
    assert drill.ran == {
        "test_models_fit_the_database",
        "test_cards_load_with_their_artists",
        "test_a_card_can_be_sold",
        "test_every_model_reads",
        "test_every_card_has_a_named_artist",
    }


@pytest.mark.parametrize(("version", "code"), [("9b27de", 0), ("3f1c0a", 1)])
def test_head_of_the_migrations(shops: Shops, tmp_path: Path, version: str, code: int) -> None:
    """The example with migrations passes at their head, and fails on a backup from before it."""
    target = shops.database(15, f"at_{version}")
    fill_shop(
        target,
        "CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY);"
        f"INSERT INTO public.alembic_version VALUES ('{version}')",
    )
    backup = pg_dump(target, tmp_path / "backup.sql")
    checks = shutil.copytree(EXAMPLES / "migrations", tmp_path / "migrations")

    drill = run_drill(
        str(checks), f"--backup={backup}", "-k", "at_the_head", report_dir=tmp_path / "report"
    )

    assert drill.code == code, drill.output
    assert drill.ran == {"test_database_is_at_the_head"}
    if code:
        told = "it is at ['3f1c0a'], the code at ['9b27de']"
        assert drill.failed["test_database_is_at_the_head"].splitlines()[0] == told
