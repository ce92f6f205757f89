"""The check in docs/evidence.md, run as written on what real drills have signed."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from restore_drill.results.signature import load_signer, pae
from tests.helpers.drills import ROOT, run_drill
from tests.helpers.mini_drill import Done
from tests.helpers.shop import USUAL, Shops

ENVELOPE = "result.dsse.json"
Check = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def code() -> str:
    """The check as the page has it; it is to stay short enough to be read."""
    page = (ROOT / "docs" / "evidence.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 24
    return str(code)


@pytest.fixture
def check(code: str, keys: Path, tmp_path: Path) -> Check:
    """Function that checks paths against the envelope in this test's folder."""

    def run(*paths: object, key: Path = keys / "drill.pub") -> tuple[int, str]:
        answer = subprocess.run(
            [sys.executable, "-O", "-c", code, key, ENVELOPE, *map(str, paths)],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return answer.returncode, answer.stdout + answer.stderr

    return run


@pytest.fixture
def reports(signed: Done, tmp_path: Path) -> Path:
    """Copy of what a failed drill has left and signed."""
    for path in (signed.folder / "latest").iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    """Write `new` for `old` in the file at `path`, which has it."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def envelope_in(folder: Path) -> dict[str, Any]:
    """The envelope in `folder`."""
    found: dict[str, Any] = json.loads((folder / ENVELOPE).read_text("utf-8"))
    return found


def sign_as(kind: str, change: tuple[str, str], folder: Path, key: Path) -> None:
    """Sign the statement in `folder`, with one text changed, as a payload of another `kind`."""
    envelope = envelope_in(folder)
    payload = base64.b64decode(envelope["payload"]).decode().replace(*change).encode()
    envelope |= {"payloadType": kind, "payload": base64.b64encode(payload).decode()}
    signature = load_signer(key).sign(pae(kind.encode(), payload))
    envelope["signatures"] = [{"keyid": "", "sig": base64.b64encode(signature).decode()}]
    (folder / ENVELOPE).write_text(json.dumps(envelope), "utf-8")


def test_it_prints_what_was_signed(check: Check, reports: Path) -> None:
    """A failure too; a path must be given, and each one be signed."""
    code, out = check("result.json", "report.html")

    assert reports and code == 0, out
    assert json.loads(out)["predicate"]["verdict"] == "failed"
    assert check()[0] == 1
    code, out = check("result.json", "junit.xml")
    assert code == 1 and "not what was signed" in out


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("result.json", '"verdict": "failed"', '"verdict": "passed"'),
        ("report.html", "FAILED", "OK"),
    ],
)
def test_a_changed_file_is_refused(
    name: str, old: str, new: str, check: Check, reports: Path
) -> None:
    """Whichever of them it is."""
    change(reports / name, old, new)

    code, out = check("result.json", "report.html")
    assert code == 1 and "not what was signed" in out


def test_a_changed_statement_is_refused(check: Check, reports: Path, signed: Done) -> None:
    """Its payload, or what kind of payload it is said to be."""
    payload = envelope_in(reports)["payload"]
    forged = base64.b64decode(payload).replace(b'"failed"', b'"passed"')
    change(reports / ENVELOPE, payload, base64.b64encode(forged).decode())
    code, out = check("result.json")
    assert code == 1 and "InvalidSignature" in out

    shutil.copy(signed.folder / ENVELOPE, reports)
    change(reports / ENVELOPE, "vnd.in-toto+json", "json")
    code, out = check("result.json")
    assert code == 1 and "InvalidSignature" in out


def test_the_signature_of_another_key_is_refused(check: Check, reports: Path) -> None:
    """However well made it is."""
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    public = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (reports / "other.pub").write_bytes(public)

    code, out = check("result.json", key=reports / "other.pub")
    assert code == 1 and "InvalidSignature" in out


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("application/json", "", ""),
        ("application/vnd.in-toto+json", "urn:restore-drill:drill:v1", "https://slsa.dev/v1"),
    ],
    ids=["payloadType", "predicateType"],
)
def test_what_the_key_has_signed_as_something_else_is_refused(
    kind: str, old: str, new: str, check: Check, reports: Path, keys: Path
) -> None:
    """The same key may sign other things, which are no results of drills."""
    sign_as("application/vnd.in-toto+json", ("", ""), reports, keys / "drill.key")
    assert check("result.json")[0] == 0
    sign_as(kind, (old, new), reports, keys / "drill.key")

    code, out = check("result.json")
    assert code == 1 and "not as the result of a drill" in out


def test_a_backup_is_checked_also_if_it_is_a_directory(
    shops: Shops, check: Check, keys: Path, tmp_path: Path
) -> None:
    """A real drill of a directory; not one that has a byte more, and no other backup."""
    backup = tmp_path / "shop.dir"
    shutil.copytree(shops.dump(USUAL, "directory"), backup)
    drill = run_drill(
        f"--backup={backup}", f"--sign={keys / 'drill.key'}", "-k", "backup",
        report_dir=tmp_path / "report",
    )  # fmt: skip
    for name in ("result.json", ENVELOPE):
        shutil.copy(drill.report_dir / name, tmp_path)

    assert drill.result["digests"]["backup"]["directory"] is True
    code, out = check("shop.dir", "result.json")
    assert code == 0, out
    code, out = check(shops.dump(USUAL, "custom.dump"))
    assert code == 1 and "not what was signed" in out
    with (backup / "toc.dat").open("ab") as file:
        file.write(b"\0")
    code, out = check("shop.dir", "result.json")
    assert code == 1 and "not what was signed" in out
