"""The process that others are forked from: it has loaded what they would, see `warm`."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

LOADED = (
    "asyncio", "dotenv", "email.message", "http.client", "isal.igzip", "jinja2", "lz4.frame",
    "port_for", "psutil", "psycopg", "pytest", "redis", "tarfile", "tomllib", "unittest",
    "zstandard",
)  # fmt: skip
NOT_LOADED = ("docker", "pytest_postgresql", "pytest_redis", "testcontainers")
"""Plugins, and what reads more variables of the environment; what needs them is not loaded."""
OF_BUILDS = ("HOME", "PATH", "XDG_CACHE_HOME")
"""By these, and by AT_START of `warm`, builds of PostgreSQL are found and run."""


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
    if any(spec["env"].get(name) != os.environ.get(name) for name in OF_BUILDS):
        importlib.import_module("restore_drill.servers.find").forget()
        importlib.import_module("restore_drill.servers.launcher").choose_launcher.cache_clear()
    become(spec)


def become(spec: dict[str, Any]) -> None:
    """Be as a process that has just started to run a module, whatever encoding it is to use."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environb.clear()
    os.environb.update({as_bytes(name): as_bytes(value) for name, value in spec["env"].items()})
    tempfile.tempdir = None  # TMPDIR may be another one
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


def prepare() -> None:
    """Find out once what is the same in each drill: builds of PostgreSQL, the page's templates.

    They are a tenth of the work of a drill. Where one has another environment, it looks anew.
    """
    importlib.import_module("restore_drill.servers.survey").survey()
    launcher = importlib.import_module("restore_drill.servers.launcher")
    with contextlib.suppress(importlib.import_module("restore_drill.core.errors").CouldNotRun):
        launcher.choose_launcher()
    importlib.import_module("restore_drill.results.page").compile_templates()


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    for name in LOADED:
        importlib.import_module(name)
    load_engine(Path(__file__).parents[2] / "src")
    prepare()
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module(sys.orig_argv[2], run_name="__main__", alter_sys=True)
