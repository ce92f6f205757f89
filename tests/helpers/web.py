"""A web server of this machine, with TLS or without, that gives files and no ranges."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class WebServer(ThreadingHTTPServer):
    """What its next answers are: `statuses`; the bodies of those after them end at `cuts`."""

    daemon_threads = True
    scheme = "http"

    def __init__(self, folder: Path) -> None:
        """Give the files in `folder`."""
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.statuses: list[int] = []
        self.cuts: list[int] = []
        self.headers: dict[str, str | None] = {}
        self.asked: list[str] = []
        self.login = ""

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that have gone."""


class Handler(SimpleHTTPRequestHandler):
    """Python's own handler, which may be told to do as bad servers do."""

    server: WebServer

    def do_GET(self) -> None:
        """Give a file, another status, or a part of the file."""
        self.server.asked.append(self.path)
        if self.server.login and self.headers.get("Authorization") != self.server.login:
            return self.send_error(401)
        if self.server.statuses and (status := self.server.statuses.pop(0)) != 200:
            return self.send_error(status)
        return super().do_GET()

    def send_header(self, keyword: str, value: str) -> None:
        """Send it, or what stands for it."""
        replaced = self.server.headers.get(keyword, value)
        if replaced is not None:
            super().send_header(keyword, replaced)

    def end_headers(self) -> None:
        """Send what is added."""
        for name in {*self.server.headers} - {"Content-Length", "Content-type", "Last-Modified"}:
            super().send_header(name, self.server.headers[name] or "")
        super().end_headers()

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Send a file, or its begin."""
        if self.server.cuts:
            outputfile.write(source.read(self.server.cuts.pop(0)))
            self.close_connection = True
        else:
            super().copyfile(source, outputfile)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def web_server(folder: Path, tls: Path | None = None) -> Iterator[WebServer]:
    """A server of the files in `folder`; with TLS by the certificate that is made at `tls`."""
    server = WebServer(folder)
    if tls:
        make_certificate(tls)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.scheme = "https"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def make_certificate(path: Path) -> None:
    """A key and its own certificate, for this machine and a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "restore-drill tests")])
    here = x509.IPAddress(ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([here]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
