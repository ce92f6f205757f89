"""A proxy that speaks TLS where a server behind it does not: pgBackRest asks S3 no other way."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.helpers.web import make_certificate

BITE = 1 << 16
Address = tuple[str, int]


def pass_on(one: socket.socket, other: socket.socket) -> None:
    """Pass on all that `one` gives, and its end."""
    with suppress(OSError):
        while data := one.recv(BITE):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


def serve(client: socket.socket, context: ssl.SSLContext, target: Address) -> None:
    """Pass one connection on, both ways."""
    with (
        suppress(OSError),
        context.wrap_socket(client, server_side=True) as plain,
        socket.create_connection(target) as server,
    ):
        answers = threading.Thread(target=pass_on, args=(server, plain), daemon=True)
        answers.start()
        pass_on(plain, server)
        answers.join()


@contextmanager
def tls_proxy(url: str, folder: Path) -> Iterator[int]:
    """Port of a proxy before the server at the http `url`; its certificate lies in `folder`."""
    host, _, port = url.removeprefix("http://").partition(":")
    certificate = folder / "proxy.pem"
    make_certificate(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    given = (client, context, (host, int(port)))
                    threading.Thread(target=serve, args=given, daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
