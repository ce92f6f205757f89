"""A TCP proxy between drill and server: it forwards, hangs, or cuts what goes through it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

PIECE = 1 << 16


class Proxy:
    """Listens on `port` of loopback and forwards to the server's `target`, until told otherwise."""

    def __init__(self, target: int) -> None:
        """Begin to listen."""
        self.target = target
        self.flows = threading.Event()
        self.flows.set()
        self.is_refusing = self.is_closed = False
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        """Take connections until the end."""
        while not self.is_closed:
            try:
                client, _ = self.listener.accept()
                if self.is_refusing:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                with suppress(OSError, UnboundLocalError):
                    client.close()
                continue
            self.pairs.append((client, server))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self.forward, args=pair, daemon=True).start()

    def forward(self, source: socket.socket, to: socket.socket) -> None:
        """Forward one direction; what comes while it hangs is kept."""
        with suppress(OSError):
            while piece := source.recv(PIECE):
                self.flows.wait()
                to.sendall(piece)
        for each in (source, to):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def cut(self) -> None:
        """Close every connection, as a router that was restarted does, and take no new one."""
        self.is_refusing = True
        pairs, self.pairs = self.pairs, []
        for each in (each for pair in pairs for each in pair):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def hang(self) -> None:
        """Forward nothing more, and close nothing."""
        self.flows.clear()

    def heal(self) -> None:
        """Forward again."""
        self.is_refusing = False
        self.flows.set()

    def close(self) -> None:
        """End it."""
        self.is_closed = True
        self.cut()
        self.heal()
        self.listener.close()
