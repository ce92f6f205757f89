"""How a server behind walls asks us for WAL: by its restore_command, over two pipes.

The command is a line of sh with nothing to start: it writes the name into one pipe and waits for
the answer in the other. We hold both open, so neither waits for us to come, and what the server's
account puts in their place reaches nobody.
"""

from __future__ import annotations

import os
import re
import select
import stat
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import Self

from restore_drill.servers import untrusted
from restore_drill.servers.cleanup import WAL_ANSWERS, WAL_ASKED
from restore_drill.servers.launcher import Launcher

FOUND, ABSENT, BROKEN = 0, 1, 255
"""Exit codes of the command: recovery ends at what is absent, the server itself above 125."""
ASKS, ANSWERS = 0o200, 0o400
"""Modes of the pipes, for the server's account."""
LINE = re.compile(rb"([0-9]{1,10}) ([0-9A-F]{8}[0-9A-Za-z.]{1,40})")
"""What a command asks: the number of its process, by which it knows its answer, and a name."""
LARGEST = 65536
"""Bytes that a pipe holds."""


class Pipes:
    """Both pipes in the run directory `folder`, open as long as the context lasts."""

    def __init__(self, folder: Path, launcher: Launcher) -> None:
        """Make them; raises OSError."""
        self.folder = folder
        self.rest = b""
        self.asks = make(folder, WAL_ASKED, ASKS, launcher)
        self.answers = make(folder, WAL_ANSWERS, ANSWERS, launcher)
        self.ended, self.end = os.pipe()

    @property
    def command(self) -> str:
        """The server's restore_command; each sh ends by itself once both pipes are closed."""
        asks, answers = (quote(str(self.folder / name)) for name in (WAL_ASKED, WAL_ANSWERS))
        heard = f'while read -r who code; do [ "$who" = $$ ] && exit "$code"; done < {answers}'
        return f'echo "$$ %f" > {asks} && {heard}; exit {BROKEN}'

    def next(self) -> list[tuple[str, str]]:
        """Who asks, and for what name, once somebody does; none at the end."""
        while True:
            ready, _, _ = select.select([self.asks, self.ended], [], [])
            if self.ended in ready:
                return []
            with suppress(BlockingIOError):
                *lines, self.rest = (self.rest + os.read(self.asks, LARGEST)).split(b"\n")
                self.rest = self.rest[-LARGEST:]
                found = [each for line in lines if (each := LINE.fullmatch(line))]
                if found:
                    return [(each[1].decode(), each[2].decode()) for each in found]

    def answer(self, who: str, code: int) -> None:
        """Tell `who` asked; an answer that was left behind is taken away first.

        A part of that may have been read just now: it ends with a line of its own.
        """
        with suppress(OSError):
            while os.read(self.answers, LARGEST):
                pass
        with suppress(OSError):
            os.write(self.answers, f"\n{who} {code}\n".encode())

    def stop(self) -> None:
        """Let `next` end; it may be called in another thread."""
        with suppress(OSError):
            os.write(self.end, b"\n")

    def __enter__(self) -> Self:
        """Give the open pipes."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove them, so that no command begins to wait, and close them, so that none goes on."""
        for name in (WAL_ASKED, WAL_ANSWERS):
            untrusted.unlink(self.folder / name)
        for each in (self.asks, self.answers, self.ended, self.end):
            os.close(each)


def make(folder: Path, name: str, mode: int, launcher: Launcher) -> int:
    """Make a pipe that the server's account has; gives our descriptor of it, for both ends."""
    with untrusted.opened(folder) as place:
        os.mkfifo(name, 0o600, dir_fd=place)
        how = os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        made = os.open(name, how, dir_fd=place)
    if not stat.S_ISFIFO(os.fstat(made).st_mode):
        os.close(made)
        raise OSError(f"{folder / name} is not the pipe that was made")
    if launcher.account is not None:
        os.fchown(made, *launcher.account)
        os.fchmod(made, mode)
    return made
