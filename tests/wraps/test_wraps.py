"""Every encryption and wrap is read to its end, holds what was put in, and shows each damage."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC
from functools import partial
from pathlib import Path

import pytest

from restore_drill.backups.model import Contents
from restore_drill.backups.read import read_contents
from restore_drill.backups.wraps.keys import keyring, use_keys
from restore_drill.config.decrypt import Decrypt
from restore_drill.core.errors import CouldNotRun
from restore_drill.selection.candidate import as_backup, look_at
from restore_drill.selection.unsealed import opened
from tests.helpers import sealing
from tests.helpers.sealing import PASSPHRASE, Keys
from tests.helpers.shop import Shops, quiet

Decrypts = Callable[[Keys], Decrypt]


def key(name: str) -> Decrypts:
    """The key that `Keys` calls so, in a file."""
    return lambda keys: Decrypt(key_file=getattr(keys, name)())


def passphrase(*options: str) -> Decrypts:
    """The passphrase itself."""
    return lambda _: Decrypt(key=PASSPHRASE, options=options)


def with_passphrase(name: str) -> Decrypts:
    """A key in a file, and the passphrase that opens it, printed by a command."""
    return lambda keys: Decrypt(getattr(keys, name)(), command=f"echo '{PASSPHRASE}'")


CBC = ("-aes-256-cbc", "-pbkdf2")
SLOW = ("-aes-192-cbc", "-pbkdf2", "-iter", "20000", "-md", "sha512")
NO_MDC = ("--rfc2440", "--cipher-algo=CAST5")
SEALED: dict[str, tuple[sealing.Sealing, Decrypts, str, str]] = {
    "age": (sealing.by_age, key("age"), "custom.dump", "custom, age"),
    "age armored": (
        lambda keys, data: sealing.by_age(keys, data, "-a"), key("age"),
        "plain.sql.gz", "plain SQL, gzip in age",
    ),
    "age ssh": (
        sealing.by_age_to_ssh, with_passphrase("ssh"), "plain.sql.zst", "plain SQL, zstd in age",
    ),
    "age passphrase": (sealing.by_passphrase, key("text"), "archive.tar", "tar, age"),
    "gpg": (sealing.by_gpg, key("gpg"), "plain.sql", "plain SQL, gpg"),
    "gpg armored": (
        lambda keys, data: sealing.by_gpg(keys, data, "-a"), key("gpg"), "custom.dump",
        "custom, gpg",
    ),
    "gpg expired": (
        partial(sealing.by_gpg, expired=True),
        lambda keys: Decrypt(keys.gpg("old@example.org", expired=True)), "plain.sql.gz",
        "plain SQL, gzip in gpg",
    ),
    "gpg home": (
        sealing.by_gpg, lambda keys: Decrypt(key_file=keys.home), "plain.sql", "plain SQL, gpg",
    ),
    "gpg passphrase": (
        sealing.by_gpg_passphrase, passphrase(), "plain.sql.xz", "plain SQL, xz in gpg",
    ),
    "gpg without MDC": (
        lambda keys, data: sealing.by_gpg(keys, data, *NO_MDC), key("gpg"),
        "plain.sql", "plain SQL, gpg",
    ),
    "openssl": (
        lambda keys, data: sealing.by_openssl(keys, data, *CBC), passphrase(),
        "custom.dump", "custom, openssl",
    ),
    "openssl 1.0 in base64": (
        lambda keys, data: sealing.by_openssl(keys, data, CBC[0], "-md", "md5", "-a"),
        passphrase(), "plain.sql.gz", "plain SQL, gzip in openssl in base64",
    ),
    "openssl with options": (
        lambda keys, data: sealing.by_openssl(keys, data, *SLOW), passphrase(*SLOW),
        "plain.sql", "plain SQL, openssl",
    ),
    "cms": (sealing.by_cms, key("pem"), "plain.sql", "plain SQL, cms"),
    "cms with GCM": (
        lambda keys, data: sealing.by_cms(keys, data, "-aes-256-gcm", "-outform", "PEM"),
        key("pem"), "plain.sql", "plain SQL, cms",
    ),
    "cms as mail": (
        lambda keys, data: sealing.by_cms(keys, data, "-aes-256-gcm", "-outform", "SMIME"),
        key("pem"), "plain.sql.gz", "plain SQL, gzip in cms",
    ),
    "smime": (
        lambda keys, data: sealing.by_cms(
            keys, data, "-aes256", "-outform", "SMIME", command="smime"
        ),
        key("pem"), "custom.dump", "custom, cms",
    ),
}  # fmt: skip


def sealed(case: str, shops: Shops, keys: Keys, tmp_path: Path) -> Path:
    """The dump of that `case`, encrypted; its keys are set."""
    seal, decrypts, form, _ = SEALED[case]
    path = tmp_path / f"shop_20261101.{form}.enc"
    if case not in keys.sealed:
        keys.sealed[case] = seal(keys, shops.dump(15, form).read_bytes())
    path.write_bytes(keys.sealed[case])
    use_keys(decrypts(keys))
    return path


def read(path: Path, folder: Path) -> tuple[str, Contents]:
    """What the format of the backup at `path` is called, and all that it holds."""
    candidate = opened(look_at(path, UTC), UTC)
    if candidate.locked:
        raise candidate.locked
    backup = as_backup(candidate)
    return backup.format_text, read_contents(backup, folder, quiet)


@pytest.mark.parametrize("case", SEALED)
def test_encrypted_dump_holds_what_was_put_in(
    case: str, shops: Shops, keys: Keys, tmp_path: Path
) -> None:
    """Each is decrypted with the key from a file, a variable or a command, and read to its end."""
    path = sealed(case, shops, keys, tmp_path)

    text, contents = read(path, tmp_path)

    assert text == SEALED[case][3]
    assert contents.faults == ()
    assert contents.counted == read(shops.dump(15, "plain.sql"), tmp_path)[1].counted
    notes = " ".join(keyring().new_notes())
    assert ("--ignore-mdc-error" in notes) is (case == "gpg without MDC")
    assert ("openssl enc has no integrity check" in notes) is ("openssl" in case)
    assert ("CMS without AES-GCM" in notes) is (case in ("cms", "smime"))


CUTS = {"in the header": 90, "in the middle": 0.5, "at the end": -3}
DAMAGED = [
    *((case, where) for case in ("age", "gpg", "openssl", "cms") for where in CUTS),
    ("smime", "in the middle"), ("smime", "at the end"),
    ("age passphrase", "in the header"), ("age passphrase", "at the end"),
    ("gpg passphrase", "in the middle"),
]  # fmt: skip
"""What takes a passphrase takes a second to read."""


@pytest.mark.parametrize(("case", "where"), DAMAGED)
def test_cut_file_is_damaged(
    case: str, where: str, shops: Shops, keys: Keys, tmp_path: Path
) -> None:
    """A file that is cut is the backup's fault, wherever it is cut.

    Inside a block: at its end openssl takes a byte of 1 for padding, and pg_restore finds the cut.
    """
    path = sealed(case, shops, keys, tmp_path)
    data, at = path.read_bytes(), CUTS[where]
    path.write_bytes(data[: int(len(data) * at) | 1 if isinstance(at, float) else at])

    contents = read(path, tmp_path)[1]

    assert any("damaged or truncated" in fault for fault in contents.faults), contents.faults


@pytest.mark.parametrize("case", ["age", "gpg", "gpg passphrase"])
def test_flipped_bit_is_damage(case: str, shops: Shops, keys: Keys, tmp_path: Path) -> None:
    """What encrypts with a check of integrity shows a single bit."""
    path = sealed(case, shops, keys, tmp_path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    contents = read(path, tmp_path)[1]

    assert any("damaged or truncated" in fault for fault in contents.faults), contents.faults


@pytest.mark.parametrize(
    ("case", "last"),
    [("gpg passphrase", 2), ("cms", 1), ("cms with GCM", 9), ("cms as mail", 9)],
)
def test_a_right_key_is_not_blamed(
    case: str, last: int, shops: Shops, keys: Keys, tmp_path: Path
) -> None:
    """A bit behind what holds the key is damage: up to the `last` but one tenth, and at the end."""
    path = sealed(case, shops, keys, tmp_path)
    data = path.read_bytes()
    for at in (*(len(data) * part // 10 for part in range(10 - last, 10)), len(data) - 40):
        changed = bytearray(data)
        changed[at] ^= 4
        path.write_bytes(changed)
        try:
            contents = read(path, tmp_path)[1]
        except CouldNotRun as error:
            pytest.fail(f"at {at}: {error.what}")
        assert contents.faults or case == "cms", at


NO_KEY = {
    "age": "neither an age identity nor an ssh key is set",
    "age passphrase": "no passphrase is set",
    "gpg": "no secret key of GnuPG is set",
    "gpg passphrase": "no passphrase is set",
    "openssl": "no passphrase is set",
    "cms": "no private key in PEM is set",
}
OTHERS: dict[str, Decrypts] = {
    "age": lambda keys: Decrypt(keys.age("other.txt")),
    "age passphrase": lambda _: Decrypt(key="another"),
    "gpg": lambda keys: Decrypt(keys.gpg("other@example.org")),
    "gpg passphrase": lambda _: Decrypt(key="another"),
    "openssl": lambda _: Decrypt(key="another"),
    "cms": lambda keys: Decrypt(keys.pem("other.pem")),
}
NAMED = {
    "age": "recipients: X25519 key (age does not say which)",
    "gpg": "recipients: key ",
    "openssl": "tried: -aes-256-cbc -pbkdf2; ",
}


@pytest.mark.parametrize("case", NO_KEY)
def test_no_key_and_wrong_key_are_two_findings(
    case: str, shops: Shops, keys: Keys, tmp_path: Path
) -> None:
    """Neither is the backup's fault; the second one says whom the file names."""
    path = sealed(case, shops, keys, tmp_path)

    use_keys(Decrypt())
    with pytest.raises(CouldNotRun) as missing:
        read(path, tmp_path)
    use_keys(OTHERS[case](keys))
    with pytest.raises(CouldNotRun) as wrong:
        read(path, tmp_path)

    assert "the key is missing" in missing.value.what and NO_KEY[case] in missing.value.what
    assert "the key does not fit" in wrong.value.what
    assert NAMED.get(case, "") in "\n".join(wrong.value.checked)
    assert all("DRILL_DECRYPT_KEY" in str(missing.value) and each.value.remedy
               for each in (missing, wrong))  # fmt: skip


def wrapped(case: str, shops: Shops, keys: Keys, tmp_path: Path) -> Path:
    """A dump in that wrap."""
    plain, path = shops.dump(15, "plain.sql"), tmp_path / f"shop.{case}"
    if case == "zip":
        (tmp_path / "readme.txt").write_text("not the dump")
        return sealing.zipped(path, plain, tmp_path / "readme.txt")
    if case == "zip.age":
        path.write_bytes(sealing.by_age(keys, sealing.zipped(tmp_path / "zip", plain).read_bytes()))
        use_keys(Decrypt(keys.age()))
    elif case == "gz.gz":
        path.write_bytes(gzip.compress(gzip.compress(plain.read_bytes())))
    elif case == "tar.gz":
        return sealing.tarred(path, shops.dump(15, "custom.dump"))
    elif case == "tar":
        return sealing.tarred(path, shops.dump(15, "plain.sql.gz"))
    else:
        packed = sealing.tarred(tmp_path / "folder.tar.gz", shops.dump(15, "directory"))
        path.write_bytes(sealing.by_age(keys, packed.read_bytes()))
        use_keys(Decrypt(keys.age()))
    return path


WRAPPED = {
    "zip": "plain SQL, zip",
    "zip.age": "plain SQL, zip in age",
    "gz.gz": "plain SQL, gzip in gzip",
    "tar.gz": "custom, tar in gzip",
    "tar": "plain SQL, gzip in tar",
    "tar.gz.age": "directory, tar in gzip in age",
}


@pytest.mark.parametrize("case", WRAPPED)
def test_wrapped_dump_is_unwrapped(case: str, shops: Shops, keys: Keys, tmp_path: Path) -> None:
    """An archive around one dump is read as that dump; cut, it is damaged."""
    path = wrapped(case, shops, keys, tmp_path)

    text, contents = read(path, tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    cut = read(path, tmp_path)[1]

    assert text == WRAPPED[case]
    assert contents.faults == ()
    assert contents.counted == read(shops.dump(15, "plain.sql"), tmp_path)[1].counted
    assert cut.faults


def test_what_is_unpacked_is_readable_by_its_owner_alone(
    shops: Shops, keys: Keys, tmp_path: Path
) -> None:
    """An archive is decrypted into a file, or a folder, that nobody else may read."""
    for number, case in enumerate(("age", "tar.gz.age")):
        work = tmp_path / str(number)
        work.mkdir()
        path = (
            sealed(case, shops, keys, work) if case == "age" else wrapped(case, shops, keys, work)
        )
        folder = work / "open to all"
        folder.mkdir(mode=0o755)

        read(path, folder)

        (made,) = folder.iterdir()
        assert made.stat().st_mode & 0o077 == 0
