"""The suite's own tests."""

from __future__ import annotations

import sys
from pathlib import Path

# The engine lies in src/, and is not installed here.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
