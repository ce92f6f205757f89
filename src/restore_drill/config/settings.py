"""The drill's options: command line, environment, `.env`, criteria file, default; first wins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from restore_drill.config.choice import Choice, choice_of
from restore_drill.config.criteria import Criteria, load_criteria
from restore_drill.config.criteria_file import criteria_path, reference_beside
from restore_drill.config.decrypt import Decrypt, decrypt_of
from restore_drill.config.environment import layers_of, merged
from restore_drill.config.given import gather, texts_of
from restore_drill.config.leaves import Leaves, leaves_of
from restore_drill.config.near import misspelled, refuse_near_misses
from restore_drill.config.options import BUDGETS, OFFLINE, OPTIONS, usage_error
from restore_drill.config.own import own_drill_near
from restore_drill.config.recovery import Recovery, recovery_of
from restore_drill.config.redis_url import redis_url_of
from restore_drill.config.remote import state_folder_of
from restore_drill.config.repositories import state_folder_for
from restore_drill.config.values import (
    age_limit_of,
    budget_of,
    count_of,
    database_url_of,
    duration_of,
    flag_of,
    history_of,
    path_of,
)
from restore_drill.config.ways import after_of, creates_roles, lock_wait_of, target_of, way_of

FLAGS = (
    "production_settings", "heapallindexed", "require_backup", "accept_loss", "create_database",
    "show_keys",
)  # fmt: skip
TEXTS = ("image", "redis_image", "machine")
"""Settings that are taken as they are given."""


@dataclass(frozen=True)
class Settings:
    """All settings of one run, checked; durations in seconds, None where nobody has set one.

    `way` is that of the target `database`: `beside`, `promote`, `in-place`; `after` what becomes of
    the live database after a passed drill in place: `keep` or `rollback`.
    """

    root: Path
    backup: Path | None
    backup_path: Path | None
    redis_backup: Path | None
    database_url: str | None = field(repr=False)
    redis_url: str | None = field(repr=False)
    target: str
    criteria: Criteria
    reference: Path | None
    history: Path | None
    machine: str | None
    report_dir: Path
    max_backup_age: float
    max_restore_time: float | None
    max_verify_time: float | None
    max_total_time: float | None
    timeout: float | None
    jobs: int
    production_settings: bool
    heapallindexed: bool
    require_backup: bool
    image: str | None
    redis_image: str | None
    way: str
    after: str
    accept_loss: bool
    create_database: bool
    max_lock_wait: float
    create_roles: bool
    globals: Path | None
    role_passwords: Path | None
    keep_snapshots: int | None
    confirm: str | None
    show_keys: bool
    sample_rows: int
    misspelled: tuple[str, ...]
    leaves: Leaves
    decrypt: Decrypt
    choice: Choice
    recovery: Recovery

    @property
    def is_sample(self) -> bool:
        """Whether nothing names a backup, so that the sample shop is drilled."""
        named = self.backup or self.backup_path or self.recovery.pgbackrest
        return named is None

    @property
    def in_place(self) -> bool:
        """Whether the live database itself is reset."""
        return self.way == "in-place"

    @property
    def promote(self) -> bool:
        """Whether the restored database takes the name of the live one."""
        return self.way == "promote"

    @property
    def snapshots_folder(self) -> Path:
        """Where the snapshots and journals of a live database lie; a backup is named."""
        folder = self.backup_path or (self.backup and self.backup.parent)
        assert folder is not None
        return (state_folder_of(folder) or folder) / "snapshots"

    @property
    def notes_folder(self) -> Path | None:
        """Where drills note what became of them; None where no directory is ours to write to."""
        folder = self.backup_path
        if folder is None and self.backup is None and self.recovery.pgbackrest is not None:
            return state_folder_for(self.recovery.pgbackrest)
        return folder and (state_folder_of(folder) or folder / ".drill")


def settings_from(
    options: Mapping[str, str | None], *, here: Path, root: Path, own: Path | None = None
) -> Settings:
    """Settings from `options` by name, completed from the environment and the `.env` files.

    Relative paths count from `here`; `own` is the drill folder of a user's own repository, whose
    criteria file counts then. Raises `UsageError` naming the option and its variable.
    """
    layers = layers_of(here, own.parent if own else root)
    environment = merged(layers)
    refuse_near_misses(environment)
    if OFFLINE in environment:  # it is asked for where builds are found, which knows no settings
        os.environ.setdefault(OFFLINE, environment[OFFLINE])
    given = texts_of(gather(options, layers))
    for name, value in given.items():
        if value is not None and not value.strip():
            raise usage_error(name, "is set but empty", "give it a value, or unset it")
    near = misspelled(environment) if given["backup"] is None else ()
    criteria = load_criteria(criteria_path(given, here=here, root=root, own=own))
    return replace(check(given, criteria, here=here, root=root), misspelled=near)


def settings_here(options: Mapping[str, str | None], root: Path) -> Settings:
    """Settings of a command that is called here: those of the drill folder that lies here."""
    return settings_from(options, here=Path.cwd(), root=root, own=own_drill_near(Path.cwd()))


def check(given: dict[str, str | None], criteria: Criteria, *, here: Path, root: Path) -> Settings:
    """Turn raw texts into `Settings`; relative paths count from `here`."""
    target = target_of(given)
    plain: dict[str, Any] = {name: budget_of(given, name, criteria) for name in BUDGETS}
    plain |= {name: flag_of(given, name) for name in FLAGS} | {name: given[name] for name in TEXTS}
    return Settings(
        root=root,
        backup=path_of(given, "backup", here, must_exist=True),
        backup_path=path_of(given, "backup_path", here, must_exist=True),
        redis_backup=path_of(given, "redis_backup", here, must_exist=True),
        database_url=database_url_of(given, target),
        redis_url=redis_url_of(given),
        target=target,
        criteria=criteria,
        reference=path_of(given, "reference", here, must_exist=True) or reference_beside(criteria),
        history=history_of(given, here),
        report_dir=here / Path(given["report_dir"] or "drill-report").expanduser(),
        max_backup_age=age_limit_of(given, criteria),
        **plain,
        timeout=duration_of(given, "timeout"),
        jobs=count_of(given, "jobs") or os.cpu_count() or 1,
        way=way_of(given, target),
        after=after_of(given, target),
        max_lock_wait=lock_wait_of(given),
        create_roles=creates_roles(given, target),
        globals=path_of(given, "globals", here, must_exist=True),
        role_passwords=path_of(given, "role_passwords", here, must_exist=True),
        keep_snapshots=count_of(given, "keep_snapshots"),
        confirm=given["confirm"] or given["confirm_reset"],
        misspelled=(),
        leaves=leaves_of(given, here),
        decrypt=decrypt_of(given, here),
        choice=choice_of(given, criteria.backup_series),
        recovery=recovery_of(given, criteria, here),
        sample_rows=count_of(given, "sample_rows") or int(OPTIONS["sample_rows"].default or 0),
    )
