"""`python -m drill`: run the drill, or one of the commands around it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from fixtures.streams import keep_on, open_missing  # noqa: E402 - found by the path above

open_missing()
keep_on()

from fixtures.commands import main  # noqa: E402 - nothing may be opened before

sys.exit(main(sys.argv[1:]))
