"""Signatures of result.json: made for every verdict, checked by programs of others."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer._key import SSlibKey

from restore_drill.config.leaves import key_of
from restore_drill.core.calling import installs
from restore_drill.core.errors import UsageError
from restore_drill.results.signature import OF_DIRECTORY, load_signer, pae, subject_of
from tests.helpers.mini_drill import Done, drill, make_project

PLAIN = NoEncryption()
SIGNED = {"report.html", "junit.xml", "result.json", "result.dsse.json"}


def pem_of(key: Any, encryption: Any = PLAIN) -> bytes:
    """`key` as a PEM file holds it."""
    found: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return found


def envelope_of(done: Done) -> dict[str, Any]:
    """The envelope that a drill has left."""
    found: dict[str, Any] = json.loads((done.folder / "result.dsse.json").read_text("utf-8"))
    return found


def test_what_is_signed_is_encoded_as_the_specification_says() -> None:
    """The example of DSSE's specification, byte by byte; lengths are of bytes."""
    assert pae(b"http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae(b"", "é".encode()) == b"DSSEv1 0  2 \xc3\xa9"


def test_a_failure_is_signed_and_others_can_check_it(signed: Done, keys: Path) -> None:
    """Securesystemslib accepts the envelope with this key, and with no other one."""
    assert (signed.code, signed.files) == (1, SIGNED)
    public = serialization.load_pem_public_key((keys / "drill.pub").read_bytes())
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    known = SSlibKey.from_crypto(public)
    strange = SSlibKey.from_crypto(other)
    mine, theirs = (
        SSlibKey("", each.keytype, each.scheme, each.keyval) for each in (known, strange)
    )

    assert Envelope.from_dict(envelope_of(signed)).verify([mine], 1) == {"": mine}
    with pytest.raises(VerificationError):
        Envelope.from_dict(envelope_of(signed)).verify([theirs], 1)


def test_the_statement_names_what_was_drilled(signed: Done, keys: Path) -> None:
    """in-toto's own library finds it valid; subjects are the files, the predicate the verdict."""
    payload = json.loads(base64.b64decode(envelope_of(signed)["payload"]))
    result = signed.result

    message = json_format.ParseDict(payload, statement_pb2.Statement())
    Statement.copy_from_pb(message).validate()
    assert payload["_type"] == "https://in-toto.io/Statement/v1"
    assert envelope_of(signed)["payloadType"] == "application/vnd.in-toto+json"
    assert payload["predicateType"] == "urn:restore-drill:drill:v1"
    digests = {each["name"]: each["digest"]["sha256"] for each in payload["subject"]}
    assert digests == {
        "backup_20261123_050001.sql": result["backup"]["sha256"],
        "result.json": hashlib.sha256((signed.folder / "result.json").read_bytes()).hexdigest(),
        "report.html": hashlib.sha256(signed.page.read_bytes()).hexdigest(),
    }
    predicate = payload["predicate"]
    assert predicate["verdict"] == result["verdict"] == "failed"
    der = ("openssl", "pkey", "-pubin", "-in", str(keys / "drill.pub"), "-outform", "DER")
    public = subprocess.run(der, check=True, capture_output=True).stdout
    assert predicate["public_key_sha256"] == hashlib.sha256(public).hexdigest()


def test_openssl_accepts_the_signature(signed: Done, keys: Path, tmp_path: Path) -> None:
    """A second implementation of ed25519 over bytes that are put together here."""
    envelope = envelope_of(signed)
    kind, payload = envelope["payloadType"], base64.b64decode(envelope["payload"]).decode()
    assert payload.isascii()
    (tmp_path / "signed").write_text(f"DSSEv1 28 {kind} {len(payload)} {payload}")
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))

    command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey"]
    files = [str(keys / "drill.pub"), "-in", "signed", "-sigfile", "sig"]
    subprocess.run([*command, *files], cwd=tmp_path, check=True, capture_output=True)


def test_a_drill_that_could_not_run_is_signed_and_an_unsigned_one_leaves_no_signature(
    tmp_path: Path, keys: Path
) -> None:
    """The variable may hold the key; what was not read is no subject; an old signature goes."""
    project = make_project(tmp_path / "project")
    key = (keys / "drill.key").read_text()

    first = drill(project, "drill", mode="noserver,notfound", DRILL_SIGN_KEY=key)

    payload = json.loads(base64.b64decode(envelope_of(first)["payload"]))
    assert payload["predicate"]["verdict"] == first.result["verdict"]
    assert "PRIVATE KEY" not in first.out
    assert [each["name"] for each in payload["subject"]] == ["result.json", "report.html"]
    assert drill(project, "-k", "redis").files == SIGNED - {"result.dsse.json"}


@pytest.mark.parametrize(
    "form", ["inside", "encoded again", "named", "url-safe", "in quotes", "on one line"]
)
def test_a_key_in_another_form_is_never_shown(form: str, keys: Path, tmp_path: Path) -> None:
    """A secret of a CI is often pasted so: it signs, or is refused without being repeated."""
    pem = (keys / "drill.key").read_text()
    inside = pem.splitlines()[1]
    given = {
        "inside": inside,
        "encoded again": base64.b64encode(pem.encode()).decode(),
        "named": f"KEY={inside}.",
        "url-safe": base64.urlsafe_b64encode(b"\xff\xfb" * 30 + pem.encode()).decode(),
        "in quotes": f'"{pem}"',
        "on one line": pem.replace("\n", "\\n"),
    }[form]

    def load() -> None:
        key = key_of({"sign": given}, tmp_path)
        assert key is not None
        load_signer(key)

    if form in ("in quotes", "on one line"):
        load()
        return
    with pytest.raises(UsageError) as caught:
        load()
    assert inside[:12] not in str(caught.value) and given[:12] not in str(caught.value)
    assert "DRILL_SIGN_KEY" in str(caught.value)


def test_a_key_that_cannot_sign_is_refused_before_anything_starts(project: Path) -> None:
    """Exit 4, with the option, its variable and the command that makes one."""
    done = drill(project, "drill", "--sign=nowhere.key")

    assert done.code == 4
    assert (
        f"--sign (DRILL_SIGN_KEY) names {project}/nowhere.key, which cannot be read: No such"
        in done.out
    )
    assert "openssl genpkey -algorithm ed25519 -out drill.key" in done.out
    assert "RESTORE DRILL START" not in done.out
    assert "Traceback" not in done.out


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: b"", "no private key in PEM"),
        (
            lambda: b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "no private",
        ),
        (lambda: pem_of(rsa.generate_private_key(65537, 2048)), "of another kind than ed25519"),
        (lambda: pem_of(ec.generate_private_key(ec.SECP256R1())), "of another kind than ed25519"),
        (
            lambda: pem_of(
                ed25519.Ed25519PrivateKey.generate(), serialization.BestAvailableEncryption(b"x")
            ),
            "with a passphrase, and nobody is there to enter it; write a copy without",
        ),
    ],
    ids=["empty", "garbage", "rsa", "ecdsa", "passphrase"],
)
def test_a_wrong_key_is_named_as_what_it_is(
    made: Callable[[], bytes], why: str, tmp_path: Path
) -> None:
    """The message says what is wrong with it and what to do; never what is in it."""
    path = tmp_path / "drill.key"
    path.write_bytes(made())

    with pytest.raises(UsageError, match=why) as error:
        load_signer(path)
    assert "openssl" in str(error.value)


def test_a_folder_a_public_key_and_a_missing_package_are_refused(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with its own remedy."""
    with pytest.raises(UsageError, match="Is a directory"):
        load_signer(keys)
    with pytest.raises(UsageError, match=r"drill\.pub, no private key in PEM"):
        load_signer(keys / "drill.pub")
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    with pytest.raises(UsageError, match=re.escape(installs("sign"))):
        load_signer(keys / "drill.key")


def test_the_digest_of_a_directory_is_not_called_sha256() -> None:
    """Also in a bucket; no checker takes it for that of a file; what has none is no subject."""
    digest = {"path": "s3://bucket/db/shop.dir", "sha256": "0" * 64, "directory": True}

    assert subject_of(digest) == [{"name": "shop.dir", "digest": {OF_DIRECTORY: "0" * 64}}]
    assert subject_of(digest | {"sha256": None, "why": "not read"}) == []
    assert subject_of(None) == []
