"""A real S3 server on this machine, with a key that may write, and one that may only read."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import obstore
from obstore.store import S3Store

BUCKET = "backups"
WRITER, READER = ("writerkey", "writersecret"), ("readerkey", "readersecret")
KEEPER = ("keeperkey", "keepersecret")
"""May read, write and list, but not delete."""
KEEPS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:GetObject", "s3:ListBucket"],
            "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
        }
    ],
}
FLIPPED = 1200
"""Place in an answer of the byte that is changed."""
REQUEST = re.compile(rb"^([A-Z]+ /\S+) HTTP/1\.1\r$", re.MULTILINE)


def refusal(status: str, code: str) -> bytes:
    """A whole answer by HTTP."""
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
    head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n{body}".encode()


NOT_IMPLEMENTED = refusal("501 Not Implemented", "NotImplemented")
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
TIME = "2026-11-29T01:02:03.000Z"
OF_A_FILE = (
    "<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>100000</Size>"
    "<StorageClass>GLACIER</StorageClass></Contents></ListBucketResult>"
)
WEED = Path(sys.executable).with_name("weed")


def identity(keys: tuple[str, str], *actions: str) -> dict[str, Any]:
    """One account of the server."""
    key, secret = keys
    return {
        "name": key,
        "credentials": [{"accessKey": key, "secretKey": secret}],
        "actions": list(actions),
    }


def free_ports(count: int) -> list[int]:
    """Ports that are free, and so are those 10,000 above, which the server takes for gRPC.

    Processes that begin at once, with numbers that follow each other, find different ones.
    """
    found: list[int] = []
    port = 21000 + os.getpid() * 16 % 9000
    while len(found) < count:
        port += 1
        with suppress(OSError), socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", port))
            other.bind(("127.0.0.1", port + 10000))
            found.append(port)
    return found


@contextmanager
def s3_server(folder: Path, host: str = "127.0.0.1") -> Iterator[str]:
    """URL of a server that keeps its files in `folder`; the bucket BUCKET is there."""
    config = folder / "s3.json"
    accounts = [identity(WRITER, "Admin"), identity(READER, f"Read:{BUCKET}", f"List:{BUCKET}")]
    keeper = identity(KEEPER) | {"policyNames": ["keeps"]}
    policies = [{"name": "keeps", "content": json.dumps(KEEPS)}]
    config.write_text(json.dumps({"identities": [*accounts, keeper], "policies": policies}))
    s3, master, volume, filer = free_ports(4)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [
                WEED, "server", f"-dir={folder}", f"-ip={host}", f"-ip.bind={host}", "-s3",
                f"-s3.port={s3}", f"-master.port={master}", f"-volume.port={volume}",
                f"-filer.port={filer}", f"-s3.config={config}", "-master.volumeSizeLimitMB=64",
                "-volume.max=20", "-s3.port.iceberg=0", "-s3.port.lance=0",
            ],
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        url = f"http://{host}:{s3}"
        make_bucket(f"http://{host}:{filer}", process)
        until_it_answers(url)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def make_bucket(filer: str, process: subprocess.Popen[bytes]) -> None:
    """Make BUCKET, which is a folder of the server's own files, once it answers."""
    until = time.monotonic() + 60
    request = urllib.request.Request(f"{filer}/buckets/{BUCKET}/", method="POST")  # noqa: S310 - http
    while True:
        assert process.poll() is None, "the S3 server ended"
        try:
            urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 - http
        except OSError:
            assert time.monotonic() < until, "the S3 server does not answer"
            time.sleep(0.1)
        else:
            return


def until_it_answers(url: str) -> None:
    """Wait until the bucket takes an object."""
    until = time.monotonic() + 60
    while True:
        try:
            put(url, "ready", b"")
            obstore.delete(writer(url), "ready")
        except (obstore.exceptions.BaseError, OSError):
            assert time.monotonic() < until, "the bucket does not answer"
            time.sleep(0.1)
        else:
            return


def writer(url: str) -> S3Store:
    """The bucket, by the key that may write."""
    key, secret = WRITER
    return S3Store(
        BUCKET, endpoint=url, access_key_id=key, secret_access_key=secret, region="us-east-1",
        client_options={"allow_http": True}, retry_config={"max_retries": 0},
    )  # fmt: skip


def put(url: str, key: str, data: bytes) -> None:
    """Write an object."""
    obstore.put(writer(url), key, data, use_multipart=False)


def keys_of(url: str, keys: tuple[str, str] = READER) -> dict[str, str]:
    """Variables with which a drill reads from the server at `url`."""
    return {
        "AWS_ACCESS_KEY_ID": keys[0],
        "AWS_SECRET_ACCESS_KEY": keys[1],
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
    }


class Proxy:
    """Passes connections on to a server, each up to `limit` bytes of its answers.

    `asked` are the requests that passed: `PUT /bucket/key`. One with `unknown` in it is answered
    as by a server that does not know that. With `flips` each long answer is damaged otherwise.
    Behind `most` bytes of an answer nothing more comes, and `stalled` is released.
    """

    def __init__(self, url: str) -> None:
        """Listen, and pass everything on."""
        self.host, port = url.removeprefix("http://").split(":")
        self.port = int(port)
        self.limit: int | None = None
        self.cut = 0
        self.asked: list[str] = []
        self.unknown: bytes | None = None
        self.refusal = NOT_IMPLEMENTED
        self.flips = 0
        self.most: int | None = None
        self.stalled = threading.Semaphore(0)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        """Take connections until it is closed."""
        with suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        """Pass one connection on, both ways."""
        address = (self.host, self.port)
        with suppress(OSError), closing(client), socket.create_connection(address) as server:
            threading.Thread(target=self.answer, args=(server, client), daemon=True).start()
            while data := client.recv(1 << 16):
                self.asked += [found.decode() for found in REQUEST.findall(data)]
                if self.unknown and self.unknown in data:
                    client.sendall(self.refusal)
                    break
                server.sendall(data)

    def answer(self, server: socket.socket, client: socket.socket) -> None:
        """Pass answers on, up to the limit; it holds for one connection."""
        sent = 0
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if self.limit is not None and sent + len(data) > self.limit:
                    client.sendall(data[: self.limit - sent])
                    self.cut += 1
                    break
                if self.flips and len(data) > FLIPPED:
                    self.flips += 1
                    changed = data[FLIPPED] ^ self.flips % 256
                    data = data[:FLIPPED] + bytes([changed]) + data[FLIPPED + 1 :]
                client.sendall(data)
                sent += len(data)
                if self.most is not None and sent > self.most:
                    self.stalled.release()
                    threading.Event().wait()
            client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Take no more connections."""
        self.listening.close()


class Refusing:
    """Answers each request as S3 does where it refuses: for what no server here can be made to do.

    `answer` are status, code, what else the body holds, and headers. With `listed`, lists are
    answered, with an object of that key.
    """

    def __init__(self, status: int, code: str, more: str = "", listed: str = "") -> None:
        """Listen, and answer in a thread."""
        body = f"{XML}<Error><Code>{code}</Code><Message>no</Message>{more}</Error>".encode()
        names = f"<Contents><Key>{listed}</Key><LastModified>{TIME}</LastModified>{OF_A_FILE}"
        there = f"{XML}<ListBucketResult><IsTruncated>false</IsTruncated>{names}".encode()

        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                is_list = bool(listed) and "list-type=2" in self.path
                content = there if is_list else body
                self.send_response(200 if is_list else status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(content)

            do_HEAD = do_GET  # noqa: N815 - so it is called there

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self.server.shutdown()
        self.server.server_close()
