"""No password gets into a report, a message or a traceback."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from restore_drill.core.redact import Redactor
from tests.helpers.mini_drill import (
    DATABASE_URL,
    FILES,
    SECRET,
    drill,
)


@pytest.mark.parametrize("option", ["-q", "-v", "--tb=long", "-rA"])
def test_no_password_comes_through(project: Path, option: str) -> None:
    """The password of DATABASE_URL stands in no file and on no terminal, however it is spelled."""
    summary = project / "summary.md"

    done = drill(
        project,
        "drill",
        option,
        mode="secret,evil",
        DATABASE_URL=DATABASE_URL,
        GITHUB_STEP_SUMMARY=str(summary),
    )

    texts = [done.out, summary.read_text("utf-8")]
    texts += [(done.folder / name).read_text("utf-8") for name in FILES]
    for text in texts:
        assert "***" in text.replace("\\", "")
        for spelling in (
            SECRET,
            quote(SECRET, safe=""),
            repr(SECRET)[1:-1],
            "p@ss",
            "p%40ss",
            "w#rd",
        ):
            assert spelling not in text


def test_an_internal_error_keeps_its_secrets(project: Path) -> None:
    """A traceback of pytest itself is masked too, on the terminal and in the files."""
    done = drill(project, mode="internal", DATABASE_URL=DATABASE_URL)

    assert done.code == 3
    assert "INTERNALERROR" in done.out
    assert "the drill itself is broken" in done.result["reasons"][0]
    for text in [done.out, *((done.folder / name).read_text("utf-8") for name in FILES)]:
        assert SECRET not in text
    assert "---- RESTORE DRILL COULD NOT RUN ----" in done.out


@pytest.mark.parametrize(
    ("url", "spellings"),
    [
        ("postgresql://u:s3cret%21x@h/db", ["s3cret%21x", "s3cret!x"]),
        ("postgresql://u:with@at/slash#x@h/db", ["with@at/slash#x"]),
        ("postgresql://h/db?user=u&password=in%20query", ["in%20query", "in query"]),
        ("host=h user=u password='quoted secret'", ["quoted secret"]),
        ("redis+sentinel://:in%2Flist@a,b:7/shop", ["in%2Flist", "in/list"]),
        ("redis+sentinel://a/shop?sentinel_password=asked%20all", ["asked%20all", "asked all"]),
        ("rediss://h/0?ssl_keyfile=/k&ssl_password=of%20key", ["of%20key", "of key"]),
        ("redis://:only-a-password@h:6379/0", ["only-a-password"]),
    ],
)
def test_redactor_knows_every_spelling(url: str, spellings: list[str]) -> None:
    """Passwords are masked as they stand in the URL and as they are used."""
    redact = Redactor(url, None)

    assert redact(f"a{spellings[0]}b").count("***") == 1
    assert all(spelling not in redact(f"it was {spelling}.") for spelling in spellings)
    assert all(spelling not in redact(url) for spelling in spellings)


def test_redactor_masks_foreign_urls_and_leaves_the_rest() -> None:
    """A password in any URL or libpq keyword goes; names, numbers and bare URLs stay."""
    redact = Redactor()

    assert redact("see https://u:pw@host/x") == "see https://u:***@host/x"
    assert redact("host=h password=pw dbname=d") == "host=h password=*** dbname=d"
    assert redact("1,000 rows at https://host:80/a@b") == "1,000 rows at https://host:80/a@b"
    assert redact("caf\udce9.sql") == "caf\\udce9.sql"


@pytest.mark.parametrize(
    "url",
    ["postgresql://shop:shop@h/db", "postgresql://u:shop@h/shop", "host=h user=shop password=shop"],
)
def test_a_password_that_is_a_name_hides_no_name(url: str) -> None:
    """A mask in `backups/shop` would be no path, and tell the password; in the URL it is masked."""
    redact = Redactor(url)

    assert redact("/backups/shop/shop_20261129.dump") == "/backups/shop/shop_20261129.dump"
    assert ":shop@" not in redact(url) and "password=shop" not in redact(url)
    assert Redactor("postgresql://other:shop@h/db")("shop") == "***"


RECORDING = """
import os
import pytest

URL = os.environ["DATABASE_URL"]


@pytest.fixture(scope="session", autouse=True)
def recorded(record_testsuite_property):
    record_testsuite_property("suite", URL)


@pytest.mark.parametrize("url", [URL, URL + "?a=b"])
def test_recording(url, record_property, record_xml_attribute):
    record_property("property", [URL])
    record_property("text", url)
    record_xml_attribute("attribute", URL)
    assert not url
"""


def test_no_password_comes_through_an_own_criterion(project: Path) -> None:
    """Ids, properties and attributes that a criterion sets are masked, in pytest's cache too."""
    (project / "drill" / "test_recording.py").write_text(RECORDING)

    done = drill(project, "-p", "cacheprovider", DATABASE_URL=DATABASE_URL)

    texts = [done.out, *((done.folder / name).read_text("utf-8") for name in FILES)]
    texts += [path.read_text("utf-8") for path in project.rglob(".pytest_cache/v/cache/*")]
    assert len(texts) > len(FILES) + 1
    assert all("test_recording[" in text for text in texts)
    for text in texts:
        for spelling in (SECRET, quote(SECRET, safe=""), "p@ss", "p%40ss", "w#rd"):
            assert spelling not in text
