"""Whom backups are encrypted to: public keys of three kinds, and nothing that is secret."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.taking.recipients import seal_of
from tests.helpers.sealing import PASSPHRASE, Keys, run

DATA = b"-- PostgreSQL database dump\n" * 100_000


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    """Keys of every kind, among them one of GnuPG that has expired."""
    found = Keys(tmp_path_factory.mktemp("keys"))
    found.gpg()
    found.gpg("old@example.org", expired=True)
    yield found
    found.end()


def of_age(keys: Keys) -> str:
    """The age recipient."""
    return run("age-keygen", "-y", keys.age()).decode().strip()


def fingerprint(keys: Keys, name: str = "shop@example.org") -> str:
    """That of a key of GnuPG."""
    lines = run("gpg", "--with-colons", "--list-keys", name, home=keys.home).decode().splitlines()
    return next(line.split(":")[9] for line in lines if line.startswith("fpr:"))


def exported(keys: Keys, *options: str) -> Path:
    """A file with the public key of GnuPG."""
    path = keys.folder / f"public{len(options)}.pgp"
    path.write_bytes(run("gpg", *options, "--export", "shop@example.org", home=keys.home))
    return path


def recipients_file(keys: Keys) -> Path:
    """A file of recipients with comments, as `age -R` takes it."""
    path = keys.folder / "recipients.txt"
    path.write_text(f"# the drill\n{of_age(keys)}\n\n# the administrator\n{public_ssh(keys)}\n")
    return path


def public_ssh(keys: Keys) -> str:
    """The ssh public key."""
    return Path(f"{keys.ssh()}.pub").read_text().strip()


def by_age(keys: Keys, data: bytes) -> bytes:
    """Decrypted by age's own tool."""
    return run("age", "--decrypt", "--identity", keys.age(), data=data)


def by_age_and_ssh(keys: Keys, data: bytes) -> bytes:
    """Decrypted by age's own tool with the ssh key."""
    plain = keys.folder / "plain_id"
    plain.write_bytes(keys.ssh().read_bytes())
    plain.chmod(0o600)
    run("ssh-keygen", "-p", "-P", PASSPHRASE, "-N", "", "-f", plain)
    return run("age", "--decrypt", "--identity", plain, data=data)


def by_gpg(keys: Keys, data: bytes) -> bytes:
    """Decrypted by gpg."""
    return run("gpg", "--batch", "--quiet", "--decrypt", data=data, home=keys.home)


GIVEN: dict[str, tuple[Callable[[Keys], list[str]], str, Callable[[Keys, bytes], bytes]]] = {
    "age": (lambda keys: [of_age(keys)], ".age", by_age),
    "ssh": (lambda keys: [public_ssh(keys)], ".age", by_age_and_ssh),
    "ssh file": (lambda keys: [f"{keys.ssh()}.pub"], ".age", by_age_and_ssh),
    "age file": (lambda keys: [str(recipients_file(keys))], ".age", by_age),
    "age file, ssh": (lambda keys: [str(recipients_file(keys))], ".age", by_age_and_ssh),
    "two": (lambda keys: [of_age(keys), public_ssh(keys)], ".age", by_age_and_ssh),
    "gpg": (lambda keys: [fingerprint(keys)], ".gpg", by_gpg),
    "gpg id": (lambda keys: ["0x" + fingerprint(keys)[-16:]], ".gpg", by_gpg),
    "gpg file": (lambda keys: [str(exported(keys))], ".gpg", by_gpg),
    "gpg file, armored": (lambda keys: [str(exported(keys, "--armor"))], ".gpg", by_gpg),
}


@pytest.mark.parametrize("name", GIVEN)
def test_the_ecosystems_own_tools_decrypt(
    name: str, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is encrypted to a key is opened by age, or by gpg, with its secret part."""
    give, suffix, decrypt = GIVEN[name]
    monkeypatch.setenv("GNUPGHOME", str(keys.home) if "file" not in name else "/no/such")
    seal = seal_of(give(keys), Path("/"))
    assert seal is not None and seal.suffix == suffix
    with seal.open(io.BytesIO(DATA)) as stream:
        sealed = stream.read()
    assert DATA[:40] not in sealed
    assert decrypt(keys, sealed) == DATA


def secret_of_age(keys: Keys) -> str:
    """The secret line of the age identity."""
    return next(line for line in keys.age().read_text().splitlines() if "SECRET" in line)


REFUSED: dict[str, tuple[Callable[[Keys], list[str]], str]] = {
    "a secret": (lambda keys: [secret_of_age(keys)], "was given a secret key (not shown)"),
    "an identity": (lambda keys: [str(keys.age())], "holds a secret key"),
    "an ssh key": (lambda keys: [str(keys.ssh())], "holds a secret key"),
    "a secret of gpg": (lambda keys: [str(keys.gpg())], "holds a secret key"),
    "a passphrase": (
        lambda _: [PASSPHRASE],
        "(value not shown: it may be secret) is no public key",
    ),
    "no file": (
        lambda _: ["/no/such"],
        "which is no public key, and no such file exists",
    ),
    "a folder": (lambda keys: [str(keys.folder)], "Is a directory"),
    "unset": (lambda _: [""], "--encrypt-to is empty"),
    "empty": (lambda _: ["/dev/null"], "which holds no recipient"),
    "text": (
        lambda _: ["/etc/hostname"],
        "entry 1 is no age recipient and no ssh key that",
    ),
    "cut": (lambda keys: [of_age(keys)[:-3]], "it is not a complete public key"),
    "cut ssh": (lambda keys: [public_ssh(keys)[:40]], "it is not a complete public key"),
    "both": (lambda keys: [of_age(keys), fingerprint(keys)], "a backup can use only one kind"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_public_key_is_refused(name: str, keys: Keys) -> None:
    """In one line that repeats no secret."""
    give, words = REFUSED[name]
    with pytest.raises(UsageError) as error:
        seal_of(give(keys), Path("/"))
    assert words in str(error.value)
    assert secret_of_age(keys) not in str(error.value) and PASSPHRASE not in str(error.value)


@pytest.mark.parametrize(
    ("name", "words"), [("old@example.org", "has it expired"), ("", "it is not in the keyring")]
)
def test_a_key_that_gpg_does_not_take_is_told_before_a_dump(
    name: str, words: str, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why, by gpg's own words."""
    monkeypatch.setenv("GNUPGHOME", str(keys.home))
    with pytest.raises(CouldNotRun) as error:
        seal_of([fingerprint(keys, name) if name else "0123456789ABCDEF"], Path("/"))
    assert words in str(error.value)


@pytest.mark.parametrize("scheme", ["age", "gpg"])
def test_a_stream_that_fails_is_never_whole(
    scheme: str, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader of what is encrypted gets the error of what is read."""
    monkeypatch.setenv("GNUPGHOME", str(keys.home))
    seal = seal_of([of_age(keys) if scheme == "age" else fingerprint(keys)], Path("/"))
    assert seal is not None
    with seal.open(Broken(DATA)) as stream, pytest.raises(OSError, match="torn"):
        stream.read()


class Broken(io.BytesIO):
    """A stream that breaks off."""

    def read(self, size: int | None = -1) -> bytes:
        """Raises behind half of it."""
        if self.tell() > len(DATA) // 2:
            raise OSError("torn")
        return super().read(size)
