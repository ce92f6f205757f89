"""`python -m drill`: run the drill, or one of the commands around it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fixtures.commands import main

sys.exit(main(sys.argv[1:]))
