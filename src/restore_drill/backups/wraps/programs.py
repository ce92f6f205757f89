"""A program that decrypts, as a stream; its secrets go through pipes."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from restore_drill.backups.ended import refuse_killed
from restore_drill.backups.wraps.findings import out_of_memory
from restore_drill.backups.wraps.piped import PATIENCE, PIECE, STALL_SECONDS, Source, buffered

NO_MEMORY = (b"malloc failure", b"out of core")
"""How openssl, which has all of a CMS message in memory, and gpg say that there is too little."""


class Program:
    """A program that decrypts; `judge` takes its exit code and messages, and raises what is wrong.

    `closing` is called when it has ended, or is no longer wanted.
    """

    def __init__(
        self,
        command: Sequence[str],
        source: Source,
        judge: Callable[[int, bytes], None],
        *,
        handles: Sequence[int] = (),
        closing: Callable[[], None] = lambda: None,
    ) -> None:
        """Start it; `handles` are open in it, too, and closed here."""
        self.name = Path(command[0]).name
        self.source = source
        self.judge = judge
        self.closing = closing
        self.messages = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the program
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.messages,
            pass_fds=handles,
            env=clean_environment(),
            start_new_session=True,
        )
        for handle in handles:
            os.close(handle)
        self.feeder = threading.Thread(target=self.feed, daemon=True)
        self.feeder.start()

    def feed(self) -> None:
        """Give it the source; what goes wrong there is kept in it."""
        assert self.process.stdin is not None
        with suppress(Exception), self.process.stdin as pipe:
            while piece := self.source.read(PIECE):
                pipe.write(piece)

    def finish(self) -> None:
        """Wait for its end, and have it judged; a signal that ends it is no fault of the backup."""
        code = self.process.wait(STALL_SECONDS)
        self.feeder.join(PATIENCE)
        refuse_killed(self.name, code)
        self.messages.seek(0)
        messages = self.messages.read()
        if code and any(each in messages for each in NO_MEMORY):
            raise out_of_memory(self.name)
        self.judge(code, messages)

    def stop(self) -> None:
        """End it, if it has not ended."""
        self.process.kill()
        self.process.wait()
        self.feeder.join(PATIENCE)
        self.messages.close()
        self.closing()


def from_program(program: Program) -> IO[bytes]:
    """What `program` writes."""
    assert program.process.stdout is not None
    handle = os.dup(program.process.stdout.fileno())
    program.process.stdout.close()
    return buffered(handle, program.source, program)


def secret_handle(secret: bytes) -> int:
    """A pipe that gives `secret` and its end: how a program gets it, never by its arguments.

    It is written in a thread: a pipe holds 64 kB, which a file that is no key may well exceed.
    """
    reading, writing = os.pipe()

    def give() -> None:
        with suppress(OSError), os.fdopen(writing, "wb") as pipe:
            pipe.write(secret)

    threading.Thread(target=give, daemon=True).start()
    return reading


def clean_environment() -> dict[str, str]:
    """What a decryptor needs of the environment: no secrets of the drill."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {"LC_ALL": "C"}
