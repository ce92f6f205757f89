"""`python -m tests.helpers.script CODE ...` is `python -c CODE ...`, for what is forked."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    code = sys.argv.pop(1)
    exec(code, {"__name__": "__main__"})  # noqa: S102 - the test's own
