"""A name for a user that the system does not know, such as the number that a container runs as.

The server needs none, but initdb and single-user mode do not run without.
"""

from __future__ import annotations

import os
import subprocess
import sys

NAME = "drill"
LIBRARY = "libnss_wrapper.so"
"""Answers the C library's questions for accounts from a file; preloaded."""


def naming() -> dict[str, str]:
    """Variables with which programs find a name for this user; empty where nothing gives it one."""
    if not sys.platform.startswith("linux"):
        return {}
    # A file of this process alone, with no place that somebody would have to clean.
    file = os.memfd_create("passwd")
    os.write(file, f"{NAME}:x:{os.geteuid()}:{os.getegid()}::/:/bin/sh\n".encode())
    found = {
        "LD_PRELOAD": LIBRARY,
        "NSS_WRAPPER_PASSWD": f"/proc/{os.getpid()}/fd/{file}",
        "NSS_WRAPPER_GROUP": "/etc/group",
    }
    if is_named(found):
        return found
    os.close(file)
    return {}


def is_named(variables: dict[str, str]) -> bool:
    """Whether a program with `variables` knows the name; one without the library runs, too."""
    try:
        done = subprocess.run(
            ["id", "-un"],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            env=os.environ | variables,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == NAME
