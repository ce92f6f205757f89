"""What a configuration of pgBackRest says of its repositories: where they lie, which is which."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from pathlib import Path

from restore_drill.config.criteria.pgbackrest import PgBackRest
from restore_drill.core.user_folders import user_state

ITS_CONFIGS = (Path("/etc/pgbackrest/pgbackrest.conf"), Path("/etc/pgbackrest.conf"))
"""Where pgBackRest looks for its configuration."""
USUAL = Path("/var/lib/pgbackrest")
"""Where a repository lies if nobody says so."""
REPO_PATH = re.compile(r"^\s*+repo(\d{1,3})-path\s*+=\s*+(\S[^\n]*+)$", re.MULTILINE)
WHERE = re.compile(
    r"^\s*+repo(\d{1,3})-((?:host|s3-bucket|s3-endpoint|azure-account|azure-container|gcs-bucket|"
    r"sftp-host)\s*+=\s*+\S[^\n]*+)$",
    re.MULTILINE,
)
"""What tells repositories apart that have the same path; nothing of it is secret."""
MOST_CONFIG = 1 << 20


def repositories_in(config: Path) -> list[tuple[int, Path]]:
    """Number and path of each repository that a configuration names."""
    return [
        (int(number), Path(path.strip())) for number, path in REPO_PATH.findall(text_of(config))
    ]


def text_of(config: Path) -> str:
    """A configuration, empty where it cannot be read."""
    with suppress(OSError), config.open(encoding="utf-8", errors="replace") as file:
        return file.read(MOST_CONFIG)
    return ""


def configs_of(named: PgBackRest) -> tuple[Path, ...]:
    """Configurations that may describe what is `named`."""
    return (named.config,) if named.config else ITS_CONFIGS


def root_of(named: PgBackRest) -> Path:
    """Where the files of the repository lie that is `named`; of one in a bucket, its path there."""
    found = [each for config in configs_of(named) for each in repositories_in(config)]
    return next((path for number, path in found if number == named.repo), USUAL)


def state_folder_for(named: PgBackRest) -> Path:
    """Folder of this user for what drills note of the stanza that is `named`.

    It is the same wherever the configuration lies, which a fleet carries to its workers.
    """
    found = [each for config in configs_of(named) for each in WHERE.findall(text_of(config))]
    where = sorted(what for number, what in found if int(number) == named.repo)
    whole = "\0".join([str(root_of(named)), named.stanza, *where])
    slug = re.sub(r"[^\w.-]+", "_", named.stanza)[:60]
    digest = hashlib.sha256(whole.encode(errors="surrogateescape")).hexdigest()[:10]
    return user_state() / "places" / f"pgbackrest-{slug}-{digest}"
