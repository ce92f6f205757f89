"""Passwords of roles that no role file has: from a file that only its owner reads, or asked for.

They are never part of a command line, of a message or of a statement: the server gets verifiers.
"""

from __future__ import annotations

import os
import re
import select
import stat
import termios
import time
from collections.abc import Callable
from pathlib import Path

from restore_drill.core.access import cannot_read
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.facts.session import Connection

LINE = re.compile(r"((?:[^:\\]|\\.)+):(.*)")
ESCAPED = re.compile(r"\\[:\\]")
VERIFIER = re.compile(r"SCRAM-SHA-256\$\d+:[\w+/=]+\$[\w+/=]+:[\w+/=]+|md5[0-9a-f]{32}")
"""A password that is one already, as pg_authid and pgbouncer's userlist.txt hold it."""
WAIT = 300.0
"""Seconds that a person has for each password."""
TERMINAL = "/dev/tty"


def read_passwords(path: Path) -> dict[str, str]:
    """Passwords by role: lines `role:password`, with backslashes as in ~/.pgpass.

    A role without password has nothing behind the colon. CouldNotRun where others may read it.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise cannot_read("the file of passwords", path, error) from None
    except UnicodeDecodeError:
        raise not_usable(path, "it is not UTF-8 text") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise not_usable(path, f"its mode is {stat.S_IMODE(mode):04o}: others may use it")
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = LINE.fullmatch(line)
        if parts is None:
            raise not_usable(path, f"line {number} is not role:password")
        for part in parts.groups():
            if why := not_escaped(part):
                raise not_usable(path, f"line {number}: {why}")
        found[unescaped(parts[1])] = unescaped(parts[2])
    return found


def not_escaped(text: str) -> str:
    """What in `text` is ambiguous; empty without any. Colons of a verifier are its own."""
    rest = "" if VERIFIER.fullmatch(text) else ESCAPED.sub("", text)
    if "\\" in rest:
        return "a backslash that is before neither a colon nor a backslash"
    return "a second colon that has no backslash before it" if ":" in rest else ""


def unescaped(text: str) -> str:
    """`text` without the backslashes that keep a colon or a backslash from meaning anything."""
    return ESCAPED.sub(lambda found: found[0][1], text)


def not_usable(path: Path, why: str) -> CouldNotRun:
    """Why the file of passwords cannot be used; nothing of its text is shown."""
    return CouldNotRun(
        f"the file of passwords {path} cannot be used",
        checked=[why],
        remedy=remedy_for("roles", "passwords", path=path),
    )


def verifier_of(connection: Connection, role: str, password: str) -> str:
    """What the server keeps of `password`, made here: the text itself never leaves this process."""
    if VERIFIER.fullmatch(password):
        return password
    made = connection.pgconn.encrypt_password(password.encode(), role.encode())
    return made.decode()


def ask_password(role: str, show: Callable[[str], None]) -> str:
    """Password for `role` that a person types twice; CouldNotRun where none comes.

    `show` writes a line that explains. Nothing that is typed is shown.
    """
    for _ in range(3):
        first = ask(f"  New password for role {role}: ")
        if not first:
            show("the password may not be empty")
        elif ask("  Again: ") == first:
            return first
        else:
            show("the two differ")
    raise CouldNotRun(
        f"no password was given for role {role}", remedy=remedy_for("roles", "asked", role=role)
    )


def ask(prompt: str) -> str:
    """A line that is typed at the terminal, which does not show it; CouldNotRun after WAIT."""
    terminal = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY)
    try:
        before = termios.tcgetattr(terminal)
        silent = list(before)
        silent[3] &= ~termios.ECHO
        try:
            termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
            os.write(terminal, prompt.encode())
            return line_from(terminal)
        finally:
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
            os.write(terminal, b"\n")
    finally:
        os.close(terminal)


def line_from(terminal: int) -> str:
    """The next line, without its end."""
    deadline, typed = time.monotonic() + WAIT, b""
    while not typed.endswith(b"\n"):
        ready, _, _ = select.select([terminal], [], [], max(deadline - time.monotonic(), 0))
        piece = os.read(terminal, 1024) if ready else b""
        if not piece:
            raise CouldNotRun("no password was entered", remedy=remedy_for("roles", "untyped"))
        typed += piece
    return typed.decode("utf-8", "replace").rstrip("\r\n")


def has_terminal() -> bool:
    """Whether this process has a terminal to ask at."""
    try:
        os.close(os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
