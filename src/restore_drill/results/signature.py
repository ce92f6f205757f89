"""The signature of result.json: an in-toto statement in a DSSE envelope, by an ed25519 key.

https://github.com/in-toto/attestation and https://github.com/secure-systems-lab/dsse say how both
are written; `cosign verify-blob-attestation` and the lines in docs/evidence.md check them.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restore_drill.config.options import usage_error
from restore_drill.core.access import why_closed
from restore_drill.core.calling import installs
from restore_drill.results.result import Result, write_whole

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAME = "result.dsse.json"
"""The envelope's name, beside result.json."""
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:restore-drill:drill:v1"
OF_DIRECTORY = "restoreDrillDirectory"
"""What the digest of a backup that is a directory is called: it is not that of a file."""
MAKE_ONE = "make one: openssl genpkey -algorithm ed25519 -out drill.key"


@dataclass(frozen=True)
class Signer:
    """A key that signs; `public_key` is the SHA-256 of its public half (DER), which names it."""

    sign: Callable[[bytes], bytes]
    public_key: str


def load_signer(given: Path | str) -> Signer:
    """Signer with the `given` key, or that in a file; UsageError with what to do if it cannot."""
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # 60 ms
    except ImportError:
        what = "needs the package cryptography"
        raise usage_error("sign", what, f"install it: {installs('sign')}") from None
    key = read_key(given)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Signer(key.sign, sha256(public).hexdigest())


def read_key(given: Path | str) -> Ed25519PrivateKey:
    """The private key that is `given`, or lies there; UsageError where it is none of ours."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    is_path = isinstance(given, Path)
    names = f"names {given}," if is_path else "holds"
    try:
        pem = given.read_bytes() if isinstance(given, Path) else given.encode()
        key = load_pem_private_key(pem, password=None)
    except OSError as error:
        why = why_closed(Path(given), error)
        raise usage_error("sign", f"{names} which cannot be read: {why}", MAKE_ONE) from None
    except TypeError:  # it asks for the passphrase
        raise usage_error(
            "sign",
            f"{names} a key with a passphrase, and nobody is there to enter it",
            "write a copy without: openssl pkey -in OLD -out drill.key; chmod 600 drill.key",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise usage_error("sign", f"{names} no private key in PEM", MAKE_ONE) from None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise usage_error("sign", f"{names} a key of another kind than ed25519", MAKE_ONE)
    return key


def statement_of(result: Result, written: bytes, public_key: str) -> dict[str, Any]:
    """The in-toto statement on `result`, which stands in result.json as the bytes `written`."""
    subjects = [{"name": "result.json", "digest": {"sha256": sha256(written).hexdigest()}}]
    for name in ("backup", "report"):
        subjects += subject_of(result["digests"][name])
    backup = result["backup"] or {}
    return {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "verdict": result["verdict"],
            "strength": result["strength"],
            "sample": result["sample"],
            "selection": result["selection"],
            "started_at": result["started_at"],
            "seconds": result["timings"]["total"],
            "backup_taken_at": backup.get("taken_at"),
            "database": (result["identity"]["source"] or {}).get("database"),
            "tool": result["tool"],
            "host": result["machine"]["host"],
            "public_key_sha256": public_key,
        },
    }


def subject_of(digest: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """What is signed of a file with this `digest`; nothing where that is not known."""
    if digest is None or digest["sha256"] is None:
        return []
    kind = OF_DIRECTORY if digest.get("directory") else "sha256"
    return [{"name": Path(digest["path"]).name, "digest": {kind: digest["sha256"]}}]


def pae(kind: bytes, payload: bytes) -> bytes:
    """What is signed: DSSE's encoding of the `kind` of the `payload` and itself."""
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def write_signature(signer: Signer, folder: Path, result: Result) -> None:
    """Sign with `signer` what result.json in `folder` holds, the `result`; raises OSError.

    The signature names no key: cosign compares such a name with one of its own making.
    """
    written = (folder / "result.json").read_bytes()
    payload = json.dumps(statement_of(result, written, signer.public_key)).encode()
    signature = signer.sign(pae(PAYLOAD_TYPE.encode(), payload))
    envelope = {
        "payloadType": PAYLOAD_TYPE,
        "payload": b64encode(payload).decode(),
        "signatures": [{"keyid": "", "sig": b64encode(signature).decode()}],
    }
    write_whole(folder / NAME, json.dumps(envelope, indent=2) + "\n")
