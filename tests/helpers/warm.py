"""`python -m` in processes of their own, forked from one that has loaded pytest already.

A third of the work of a short drill was loading what others have written, and a sixth loading the
engine. Both are loaded once for all drills of a test session; stages, criteria and plugins are not,
since pytest rewrites those.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOADED = (
    "asyncio", "dotenv", "email.message", "http.client", "isal.igzip", "jinja2", "lz4.frame",
    "port_for", "psutil", "psycopg", "pytest", "redis", "tarfile", "tomllib", "unittest",
    "zstandard",
)  # fmt: skip
NOT_LOADED = ("docker", "pytest_postgresql", "pytest_redis", "testcontainers")
"""Plugins, and what reads more variables of the environment; what needs them is not loaded."""
AT_START = ("PYTHON", "COVERAGE", "LC_", "LANG", "TZ", "LD_", "PSYCOPG")
"""Beginnings of names of variables that Python and these modules read when they start."""
ORIGINS: dict[str, tuple[socket.socket, subprocess.Popen[bytes]]] = {}
"""The processes that others are forked from, by the settings that they have started under."""
LOCK = threading.Lock()


def run_module(
    arguments: list[str], *, cwd: Path, env: Mapping[str, str], timeout: float, merged: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run `python -m` with `arguments`, without input, as `subprocess.run` would.

    `merged` writes what it says on standard error to its standard output. Raises
    `subprocess.TimeoutExpired` after `timeout` seconds, when the process was killed.
    """
    spec = {"arguments": arguments, "cwd": str(cwd), "env": dict(env)}
    here, there = socket.socketpair()
    text = functools.partial(tempfile.TemporaryFile, "w+", encoding="utf-8")
    with here, text() as out, text() as err:
        with there:
            fds = [each.fileno() for each in (there, out, out if merged else err)]
            socket.send_fds(origin(env), [b"."], fds)
        here.sendall(json.dumps(spec).encode())
        here.shutdown(socket.SHUT_WR)
        code = wait(here, arguments, timeout)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())


def wait(here: socket.socket, arguments: list[str], timeout: float) -> int:
    """Exit code of the process behind `here`, negative for a signal."""
    here.settimeout(timeout)
    with here.makefile() as answers:
        pid = int(answers.readline())
        try:
            return int(answers.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(arguments, timeout) from None


def origin(env: Mapping[str, str]) -> socket.socket:
    """Socket of the process that has started under the settings in `env`."""
    settings = {name: value for name, value in env.items() if name.startswith(AT_START)}
    key = json.dumps(settings, sort_keys=True)
    with LOCK:
        if key not in ORIGINS:
            here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with there:
                process = subprocess.Popen(
                    [sys.executable, __file__, str(there.fileno())],
                    env={k: v for k, v in os.environ.items() if not k.startswith(AT_START)}
                    | settings,
                    pass_fds=[there.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                )
            ORIGINS[key] = (here, process)
        return ORIGINS[key][0]


def close() -> None:
    """End the processes that drills were forked from."""
    while ORIGINS:
        here, process = ORIGINS.popitem()[1]
        here.close()
        process.wait()


def serve(requests: socket.socket) -> None:
    """Fork for each request; only the processes that are to run a module return from here."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        _, fds, _, _ = socket.recv_fds(requests, 1, 3)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not fds:
            os._exit(0)
        if os.fork() == 0:
            requests.close()
            return attend(*fds)
        for each in fds:
            os.close(each)


def attend(channel: int, out: int, err: int) -> None:
    """Start the module that is asked for on `channel` and write there what became of it."""
    with socket.socket(fileno=channel) as there:
        spec = json.loads(b"".join(iter(lambda: there.recv(65536), b"")))
        pid = os.fork()
        if pid:
            there.sendall(f"{pid}\n".encode())
            there.sendall(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
            os._exit(0)
    for number, each in ((1, out), (2, err)):
        os.dup2(each, number)
        os.close(each)
    become(spec)


def become(spec: dict[str, Any]) -> None:
    """Be as a process that has just started to run a module, whatever encoding it is to use."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environb.clear()
    os.environb.update({as_bytes(name): as_bytes(value) for name, value in spec["env"].items()})
    os.chdir(as_bytes(spec["cwd"]))
    arguments = [os.fsdecode(as_bytes(each)) for each in spec["arguments"]]
    sys.orig_argv = [sys.executable, "-m", *arguments]
    sys.argv = ["-m", *arguments[1:]]
    sys.path.insert(0, str(Path.cwd()))


def as_bytes(text: str) -> bytes:
    """`text` as the process that asks has read it."""
    return text.encode("utf-8", "surrogateescape")


def load_engine(sources: Path) -> None:
    """Load all modules of the engine that need none of NOT_LOADED."""
    sys.modules.update(dict.fromkeys(NOT_LOADED))  # type: ignore[arg-type] # bars an import
    sys.path.insert(0, str(sources))
    engine = importlib.import_module("restore_drill")
    for each in pkgutil.walk_packages(engine.__path__, "restore_drill."):
        with contextlib.suppress(ImportError):
            importlib.import_module(each.name)
    sys.path.remove(str(sources))
    for name in NOT_LOADED:
        del sys.modules[name]


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    for name in LOADED:
        importlib.import_module(name)
    load_engine(Path(__file__).parents[2] / "src")
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module(sys.orig_argv[2], run_name="__main__", alter_sys=True)
