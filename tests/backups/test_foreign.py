"""What is no backup of PostgreSQL is reported for what it is, with the next step."""

from __future__ import annotations

import base64
import gzip
import io
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from restore_drill.backups.formats import recognise
from tests.helpers.drills import run_drill
from tests.helpers.shop import Shops

DUMP = b"--\n-- PostgreSQL database dump\n--\n\nSELECT 1;\n"

ROLES = (
    b"--\n-- PostgreSQL database cluster dump\n--\nCREATE ROLE a;\n"
    b"--\n-- PostgreSQL database cluster dump complete\n--\n"
)


def zipped(*dumps: bytes) -> bytes:
    """A zip archive around `dumps`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, data in enumerate(dumps):
            archive.writestr(f"shop{number}.sql", data)
    return file.getvalue()


def tarred(*names: str) -> bytes:
    """A tar archive with a member of each name."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(DUMP)
            archive.addfile(member, io.BytesIO(DUMP))
    return file.getvalue()


def by_tool(*command: str, **more: str) -> Callable[[Path], bytes]:
    """Function that gives what `command` writes when it is given a dump."""

    def run(home: Path) -> bytes:
        env = {**os.environ, "GNUPGHOME": str(home), **more}
        home.chmod(0o700)
        # Else gpg-agent finds it out for itself, which takes a second.
        (home / "gpg-agent.conf").write_text("s2k-count 65536\n")
        done = subprocess.run(command, input=DUMP, env=env, capture_output=True, check=True)
        return done.stdout

    return run


GPG = ("gpg", "--batch", "--pinentry-mode=loopback", "--passphrase=x", "--symmetric")
OPENSSL = ("openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-pass", "pass:x")
RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
SEALED: dict[str, tuple[bytes | Callable[[Path], bytes], str]] = {
    "gpg": (by_tool(*GPG), "gpg"),
    "gpg armored": (by_tool(*GPG, "--armor"), "gpg"),
    "gpg for a key": (b"\x85\x01\x0c\x03" + os.urandom(300), "gpg"),
    "age": (by_tool("age", "-r", RECIPIENT), "age"),
    "age armored": (by_tool("age", "-a", "-r", RECIPIENT), "age"),
    "openssl": (by_tool(*OPENSSL), "openssl"),
    "openssl base64": (by_tool(*OPENSSL, "-a"), "openssl in base64"),
}
FOREIGN: dict[str, tuple[bytes | Callable[[Path], bytes], str, str]] = {
    "zip of two": (zipped(DUMP, DUMP), "a zip archive that contains shop0.sql and more", "unzip"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(99), "a 7-Zip archive", "7z x"),
    "rar": (b"Rar!\x1a\x07\x01\0" + bytes(99), "a RAR archive", "unrar x"),
    "tar of two": (tarred("out/a.sql", "b.sql"), "a tar archive that contains out/", "tar -xf"),
    "tar of a data directory": (tarred("pg/PG_VERSION", "pg/base"), "a data directory", "physical"),
    "tar of a base backup": (tarred("backup_label"), "a data directory", "physical"),
    "tar of else": (tarred("notes.md"), "a tar file that does not begin with", "tar -tf"),
    "mysql": (b"-- MySQL dump 10.13  Distrib 8.0\n--\nCREATE TABLE a;\n", "MySQL or MariaDB", ""),
    "mariadb": (b"/*M!999999\\- enable the sandbox mode */\n", "MySQL or MariaDB", ""),
    "mysql without comments": (b"/*!40101 SET NAMES utf8 */;\n", "MySQL or MariaDB", ""),
    "sqlite": (b"SQLite format 3\0" + bytes(99), "an SQLite database", ""),
    "sqlite dump": (b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", "an SQLite dump", ""),
    "mongodb": (b"\x6d\xe2\x99\x81" + bytes(99), "MongoDB", ""),
    "rdb": (b"REDIS0011\xfa" + bytes(99), "a Redis snapshot (RDB)", "redis/ folder"),
    "aof": (b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n", "Redis append-only file", "redis/ folder"),
    "git lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS", "lfs pull",
    ),
    "s3 error": (
        b"<?xml?>\n<Error><Code>AccessDenied</Code></Error>", "(AccessDenied)", "curl",
    ),
    "html": (b"<!DOCTYPE html><html>503</html>", "an HTML or XML page", "head -c"),
    "json": (b'{"error": "no such key"}', "JSON", "curl"),
    "utf-16": ("-- PostgreSQL database dump".encode("utf-16"), "UTF-16", "--file"),
    "utf-16 without mark": (DUMP.decode().encode("utf-16-le"), "UTF-16", "--file"),
    "csv": (b"id,name\n1,a\n2,b\n", "a table in CSV", "pg_dump"),
    "error of pg_dump": (b"pg_dump: error: connection failed\n", "pg_dump's error", "head"),
    "error of a shell": (b"bash: pg_dump: command not found\n", "an error message", "pipefail"),
    "error of docker": (b"Error response from daemon: no such container\n", "an error message", ""),
    "prose": (b"see the wiki\n", "text that is not SQL", ""),
    "zeros": (bytes(5000), "binary data of an unknown kind", ""),
    "messages before": (b"pg_dump: warning: x\npg_dump: y\n" + DUMP, "after 2 lines", "2>"),
    "chatter before": (b"Warning: Permanently added 'db'\n" + DUMP, "1 line of other output", "2>"),
    "roles alone": (ROLES, "roles and tablespaces", "--backup"),
}  # fmt: skip


@pytest.mark.parametrize("packing", ["", "gzip"])
@pytest.mark.parametrize("case", FOREIGN)
def test_foreign_file_is_reported(case: str, packing: str, tmp_path: Path) -> None:
    """Each is reported for what it is, as it is and behind a compression, with a next step."""
    source, what, step = FOREIGN[case]
    data = source(tmp_path) if callable(source) else source
    path = tmp_path / "backup.sql"
    path.write_bytes(gzip.compress(data) if packing else data)

    found = recognise(path)

    assert found.format == ""
    assert what in found.unrecognised
    assert step in "\n".join(found.remedy)
    assert ("inside gzip" in found.unrecognised) is bool(packing)


@pytest.mark.parametrize("packing", ["", "gzip"])
@pytest.mark.parametrize("case", SEALED)
def test_encryption_is_recognised(case: str, packing: str, tmp_path: Path) -> None:
    """An encrypted file is known for one without its key, and nothing is decrypted for that."""
    source, layers = SEALED[case]
    data = source(tmp_path) if callable(source) else source
    path = tmp_path / "backup.sql"
    path.write_bytes(gzip.compress(data) if packing else data)

    found = recognise(path)

    assert found.sealed == layers.split()[0]
    assert found.compression == (f"{layers} in {packing}" if packing else layers)
    assert not found.unrecognised


def test_armored_openssl_is_what_openssl_writes() -> None:
    """The magic of openssl's base64 is that of its binary form, encoded."""
    assert base64.b64encode(b"Salted__12345678").startswith(b"U2FsdGVkX1")


FOLDERS = {
    "running server": (["PG_VERSION", "postmaster.pid"], "of a running PostgreSQL server"),
    "wal-g": (["basebackups_005/x", "wal_005/y"], "a WAL-G repository"),
    "pg_probackup": (["backups/shop/x", "wal/shop/y"], "a pg_probackup repository"),
    "mongodump": (["shop.bson"], "MongoDB"),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_foreign_folder_is_reported(case: str, tmp_path: Path, report_dir: Path) -> None:
    """What cannot be drilled is reported, wherever it was named; the drill is red."""
    files, what = FOLDERS[case]
    for name in files:
        (tmp_path / "x" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "x" / name).write_bytes(b"15\n")

    found = recognise(tmp_path / "x")
    drill = run_drill("-m", "select", report_dir=report_dir, BACKUP_PATH=str(tmp_path / "x"))

    assert what in found.unrecognised and found.remedy
    assert drill.code == 1, drill.output
    assert what in drill.failed["test_backup_exists"]


@pytest.mark.parametrize(
    "data", [b"<html>503</html>", b"pg_dump: error: no route\n", zipped(DUMP, DUMP)]
)
def test_named_file_that_is_no_backup_is_a_red_drill(
    data: bytes, tmp_path: Path, report_dir: Path
) -> None:
    """--backup with a file that is no backup is no error of the user's: the backup fails."""
    path = tmp_path / "backup.sql"
    path.write_bytes(data)

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 1, drill.output
    assert set(drill.failed) == {"test_backup_is_complete"}
    assert "is not a PostgreSQL backup that can be drilled: it is" in drill.output
    assert "no table can be read from backup.sql" in drill.output
    assert "there is nothing to check" not in "".join(
        each["why"] for each in drill.result["not_checked"] if "foreign_keys" in each["what"]
    )


URLS = {
    "s3://key:hunter2@bucket/db/x.dump": "holds credentials or parameters (not shown)",
    "https://key:hunter2@host/x.dump": "holds credentials or parameters (not shown)",
    "rsync://host/x.dump": "copy the backup here first (rsync rsync://host/x.dump .)",
    "file://nas/srv/x.dump": "copy the backup to this machine",
}


@pytest.mark.parametrize("url", URLS)
def test_url_is_reported_with_the_way_to_fetch_it(url: str, report_dir: Path) -> None:
    """A place on another machine is no path: the command that copies it is shown, no secret is."""
    by_option = run_drill(f"--backup={url}", report_dir=report_dir)
    by_variable = run_drill(report_dir=report_dir, BACKUP_PATH=url)

    for drill in (by_option, by_variable):
        assert drill.code == 4, drill.output
        assert URLS[url] in drill.output
        assert "hunter2" not in drill.output


def test_label_of_a_base_backup_is_no_dump(tmp_path: Path, report_dir: Path) -> None:
    """BACKUP_PATH may name a base backup itself, in which `backup_label` reads like SQL."""
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "PG_VERSION").write_text("15\n")
    (folder / "backup_label").write_text("START WAL LOCATION: 0/2000028 (file 00000001)\n")

    drill = run_drill("-m", "select", report_dir=report_dir, BACKUP_PATH=str(folder))

    assert drill.code == 1, drill.output
    assert drill.result["backup"]["format"] == "pg_basebackup, plain"
    message = drill.failed["test_backup_is_complete"]
    assert "its global/pg_control is missing" in message
    assert "its backup_label does not say where recovery begins" in message


def test_dump_through_a_terminal_is_reported(
    shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """An archive whose every line feed has become CR LF: -t is named, not an end of file."""
    whole = shops.dump(15, "custom.dump")
    path = tmp_path / "backup.dump"
    with path.open("wb") as file:
        command = f"stty -echo; cat {whole}"
        subprocess.run(
            ["script", "--quiet", "--return", "--command", command, "/dev/null"],
            stdin=subprocess.DEVNULL, stdout=file, check=True,
        )  # fmt: skip
    assert path.stat().st_size > whole.stat().st_size

    drill = run_drill(f"--backup={path}", "-m", "select", report_dir=report_dir)

    assert drill.code == 1, drill.output
    message = drill.failed["test_backup_is_complete"]
    assert "every line feed has become CR LF: the file went through a terminal" in message
    assert "omit -t" in message


@pytest.mark.parametrize("place", ["middle", "end"])
def test_messages_in_a_dump_are_reported(
    place: str, shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """Lines of pg_dump's messages anywhere between statements: the job writes 2>&1."""
    whole = shops.dump(15, "plain.sql").read_bytes()
    said = b"pg_dump: warning: there are circular foreign-key constraints\n"
    at = whole.index(b"\nCREATE TABLE") + 1 if place == "middle" else len(whole)
    path = tmp_path / "backup.sql"
    path.write_bytes(whole[:at] + said + whole[at:])

    drill = run_drill(f"--backup={path}", "-m", "select", report_dir=report_dir)

    assert drill.code == 1, drill.output
    message = drill.failed["test_backup_is_complete"]
    assert "it contains 1 line of pg_dump's messages" in message
    assert "2>&1" in message


def test_a_shifted_archive_header_is_damage(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """A byte too many in the header hides all entries: pg_restore alone would find an empty dump.

    A terminal adds one to each 10 in it, and the month of a dump in November is 10.
    """
    whole = shops.dump(15, "custom.dump").read_bytes()
    path = tmp_path / "backup.dump"
    path.write_bytes(whole[:20] + b"\r" + whole[20:])

    drill = run_drill(f"--backup={path}", "-m", "select", report_dir=report_dir)

    assert drill.code == 1, drill.output
    assert "header cannot be read" in drill.failed["test_backup_is_complete"]
