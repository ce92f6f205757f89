"""`.env` files: what they hold counts, or is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.config.environment import read_environment
from restore_drill.core.errors import UsageError


@pytest.mark.parametrize("line", ['BACKUP_PATH="b', "export DRILL_MAX_BACKUP_AGE: 3h"])
def test_a_line_of_env_that_cannot_be_read_is_refused(line: str, tmp_path: Path) -> None:
    """It would be left out, and the drill would be of the sample or by other limits."""
    (tmp_path / ".env").write_text(f"REDIS_URL=redis://x\n{line}\n")

    with pytest.raises(UsageError, match=r"\.env, line 2 is not NAME=VALUE") as caught:
        read_environment(tmp_path)

    assert line not in str(caught.value)
