"""`python -m drill` in a clone: what `restore-drill` is where the package is installed."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from restore_drill.console import main  # noqa: E402 - found by the path above

main()
