"""Where keys come from, what they must be, and that nothing of them is shown."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC
from pathlib import Path

import psutil
import pytest

from restore_drill.backups.formats import recognise
from restore_drill.backups.role_file import is_role_file, read_role_file
from restore_drill.backups.streams import open_plain
from restore_drill.backups.wraps import age, piped
from restore_drill.backups.wraps.keys import keyring, use_keys
from restore_drill.config.decrypt import Decrypt, options_of
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.selection.candidate import look_at
from tests.helpers import sealing
from tests.helpers.drills import command, run_drill
from tests.helpers.sealing import PASSPHRASE, Keys

PLAIN = b"-- PostgreSQL database dump\n" + b"SELECT 1;\n" * 100_000

USELESS: dict[str, tuple[Callable[[Path], Decrypt], str]] = {
    "no file": (lambda folder: Decrypt(folder / "gone"), "gone cannot be used: No such file"),
    "empty file": (lambda folder: Decrypt(written(folder, b"\n")), "cannot be used: it is empty"),
    "no key of age": (
        lambda folder: Decrypt(written(folder, b"AGE-SECRET-KEY-1QQQQ\n")), "of a kind that pyrage",
    ),
    "too large": (lambda folder: Decrypt(written(folder, bytes(1 << 21))), "than a megabyte"),
    "too long": (lambda folder: Decrypt(written(folder, b"x" * 9999)), "too long for a passphrase"),
    "command that fails": (lambda _: Decrypt(command="false"), "it ended with exit code 1"),
    "no command": (lambda _: Decrypt(command="/nowhere/pass show x"), "No such file"),
    "half a command": (lambda _: Decrypt(command="echo 'x"), "its quotes are not closed"),
    "silent command": (lambda _: Decrypt(command="true"), "it is empty"),
}  # fmt: skip


def written(folder: Path, data: bytes) -> Path:
    """A file with `data`."""
    path = folder / "key"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("case", USELESS)
def test_useless_key_is_named_by_its_source(case: str, keys: Keys, tmp_path: Path) -> None:
    """The drill could not run, and the message says which source gives nothing of use."""
    path = tmp_path / "dump.age"
    path.write_bytes(sealing.by_age(keys, PLAIN[:1000]))
    decrypt, words = USELESS[case]
    use_keys(decrypt(tmp_path))

    with pytest.raises(CouldNotRun) as raised:
        recognise(path, decrypt=True)

    assert words in raised.value.what and raised.value.remedy


@pytest.mark.parametrize(("mode", "notes"), [(0o644, 1), (0o600, 0)])
def test_key_that_all_can_read_is_noted(mode: int, notes: int, tmp_path: Path) -> None:
    """With what to do about it."""
    path = written(tmp_path, b"a passphrase")
    path.chmod(mode)

    ring = use_keys(Decrypt(path))

    assert ring.passphrases == [b"a passphrase"]
    assert len([note for note in ring.new_notes() if f"chmod 600 {path}" in note]) == notes


def test_options_of_openssl_hold_no_key() -> None:
    """What could be a key is refused, and not repeated."""
    assert options_of(" -aes-256-ctr  -pbkdf2 -iter 600000 -md sha512 ")[-1] == "sha512"
    for text in ("-k secret", "-aes-256-cbc -pass pass:secret", "-K 00ff", "-in secret", "secret"):
        with pytest.raises(UsageError) as raised:
            options_of(text)
        assert "DRILL_DECRYPT_OPTIONS" in str(raised.value) and "secret" not in str(raised.value)


def test_no_key_is_shown(tmp_path: Path, report_dir: Path) -> None:
    """A passphrase that does not fit, and a command that holds one, appear in no output."""
    path = tmp_path / "shop.sql.gpg"
    path.write_bytes(sealing.by_gpg_passphrase(Keys(tmp_path), PLAIN))
    environment = {
        "DRILL_DECRYPT_KEY": "hunter2-hunter2", "DRILL_DECRYPT_COMMAND": "echo tr0ub4dor",
        "DRILL_BACKUP": str(path),
    }  # fmt: skip

    drill = run_drill("-k", "backup", "-vv", report_dir=report_dir, **environment)  # type: ignore[arg-type]
    checkup = command("doctor", **environment)

    assert drill.code == checkup.returncode == 6
    reports = "".join(each.read_text() for each in report_dir.rglob("*.*") if each.is_file())
    for text in (drill.output, reports, checkup.stdout + checkup.stderr):
        assert "the key does not fit" in text
        assert "hunter2" not in text and "tr0ub4dor" not in text


def test_gpg_leaves_nothing(keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a home with the secret key, nor an agent that holds it; also where reading stops."""
    path = tmp_path / "dump.gpg"
    path.write_bytes(sealing.by_gpg(keys, PLAIN))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "t").mkdir()
    use_keys(Decrypt(keys.gpg()))

    with open_plain(path, "gpg") as stream:
        assert stream.read(10) == PLAIN[:10]
    with open_plain(path, "gpg") as stream:
        assert stream.read() == PLAIN

    assert not list((tmp_path / "t").iterdir())
    running = [" ".join(each.info["cmdline"] or []) for each in psutil.process_iter(["cmdline"])]
    assert not any("gpg" in line and str(tmp_path / "t") in line for line in running)


def test_decryption_that_stands_still_is_ended(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that gives no more bytes ends the wait after its limit; closing does not hang."""
    reading, writing = os.pipe()
    os.write(writing, sealing.by_age(keys, PLAIN)[:30_000])
    monkeypatch.setattr(piped, "STALL_SECONDS", 0.5)
    use_keys(Decrypt(keys.age()))
    monkeypatch.setattr(age, "HEADER", 1000)

    begun = time.monotonic()
    with (
        os.fdopen(reading, "rb", 0) as source,
        pytest.raises(CouldNotRun, match="stalled"),
        age.open_age(source) as stream,
    ):
        stream.read()

    assert time.monotonic() - begun < 10
    os.close(writing)


@pytest.mark.parametrize("seal", [sealing.by_gpg, sealing.by_openssl])
def test_a_decryptor_that_is_killed_is_no_damage(
    seal: sealing.Sealing, keys: Keys, tmp_path: Path
) -> None:
    """The kernel ends what takes most memory: nothing is known of the backup then."""
    options = ("-aes-256-cbc", "-pbkdf2") if seal is sealing.by_openssl else ()
    path = tmp_path / "dump"
    path.write_bytes(seal(keys, os.urandom(4 << 20).hex().encode(), *options))
    use_keys(Decrypt(keys.gpg(), key=sealing.PASSPHRASE))

    with open_plain(path, "openssl" if options else "gpg") as stream:
        stream.read(10)
        for each in psutil.Process().children():
            with suppress(psutil.ZombieProcess):  # of another test
                if {"--decrypt", "-d"} & {*each.cmdline()}:
                    each.kill()
        with pytest.raises(CouldNotRun, match="was ended by signal 9"):
            stream.read()


def test_want_of_memory_is_no_damage(
    keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of a CMS message is in memory at once, as openssl reads it."""
    path, program = tmp_path / "dump", tmp_path / "openssl"
    path.write_bytes(sealing.by_cms(keys, PLAIN * 40))
    program.write_text(f'#!/bin/sh\nulimit -v 40000\nexec {shutil.which("openssl")} "$@"\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    use_keys(Decrypt(keys.pem()))

    with pytest.raises(CouldNotRun, match="memory ran out while openssl decrypted the backup"):
        open_plain(path, "cms").read()


def test_a_key_may_be_larger_than_a_pipe(keys: Keys, tmp_path: Path) -> None:
    """Certificates may lie in one file with it."""
    path = tmp_path / "dump"
    path.write_bytes(sealing.by_cms(keys, PLAIN))
    use_keys(Decrypt(written(tmp_path, keys.pem().read_bytes() + b"# of 2026\n" * 20_000)))

    with open_plain(path, "cms") as stream:
        assert stream.read() == PLAIN


def test_encrypted_role_file_is_known_by_its_name(keys: Keys, tmp_path: Path) -> None:
    """One that is called like roles is decrypted to see; others in the folder are not."""
    roles = (
        b"--\n-- PostgreSQL database cluster dump\n--\nCREATE ROLE a;\nALTER ROLE a WITH LOGIN;\n"
        b"--\n-- PostgreSQL database cluster dump complete\n--\n"
    )
    named, other = tmp_path / "globals.sql.age", tmp_path / "notes.age"
    named.write_bytes(sealing.by_age(keys, roles))
    other.write_bytes(named.read_bytes())
    use_keys(Decrypt(keys.age()))

    assert is_role_file(named) and not is_role_file(other)
    assert list(read_role_file(named).roles) == ["a"]


def test_listing_decrypts_nothing(keys: Keys, tmp_path: Path) -> None:
    """A folder of many encrypted backups asks no key for what it holds."""
    path = tmp_path / "shop_20261101.sql.gz.age"
    path.write_bytes(sealing.by_age(keys, PLAIN[:100]))
    use_keys(Decrypt(command="false"))

    found = look_at(path, UTC)

    assert found.is_backup and found.is_sealed
    assert found.series == look_at(written_plain(tmp_path), UTC).series
    assert "secrets" not in vars(keyring())


def written_plain(folder: Path) -> Path:
    """The same backup from before encryption."""
    path = folder / "shop_20261031.sql.gz"
    path.write_bytes(PLAIN)
    return path


def test_secret_never_is_an_argument(
    keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passphrases and keys go to gpg and openssl through pipes."""
    commands: list[list[str]] = []
    real = subprocess.Popen.__init__

    def noted(
        self: subprocess.Popen[bytes], args: list[str], *rest: object, **more: object
    ) -> None:
        commands.append(list(map(str, args)))
        assert PASSPHRASE not in str(more.get("env"))
        real(self, args, *rest, **more)  # type: ignore[call-overload]

    sealed = {
        "gpg": sealing.by_gpg_passphrase(keys, PLAIN[:999]),
        "openssl": sealing.by_openssl(keys, PLAIN[:999], "-aes-256-cbc", "-pbkdf2"),
    }
    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    use_keys(Decrypt(key=PASSPHRASE))
    for layer, data in sealed.items():
        path = tmp_path / layer
        path.write_bytes(data)
        with open_plain(path, layer) as stream:
            assert stream.read() == PLAIN[:999]

    assert {Path(each[0]).name for each in commands} >= {"gpg", "openssl"}
    assert not any(PASSPHRASE in word for each in commands for word in each)
