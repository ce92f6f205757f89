"""The settings and where each was set; those that a drill would refuse are left out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from restore_drill.config.criteria import Criteria, load_criteria
from restore_drill.config.criteria_file import criteria_path
from restore_drill.config.environment import layers_of, merged
from restore_drill.config.given import Given, gather, texts_of
from restore_drill.config.near import misspelled, refuse_near_misses
from restore_drill.config.options import OFFLINE, usage_error
from restore_drill.config.settings import Settings, check
from restore_drill.config.ways import refuse_sample
from restore_drill.core.errors import UsageError
from restore_drill.doctor.writable import refused_at_start
from restore_drill.redis.own.address import url_error
from restore_drill.selection.select import check_paths

LIVE = (
    "target", "promote", "in_place", "confirm", "confirm_reset", "after", "accept_loss",
    "create_database", "create_roles",
)  # fmt: skip
"""Settings that only go together: where one of them is refused, none counts."""


@dataclass
class Configured:
    """Settings that a checkup goes by: of what was `given`, without what `errors` are about.

    `environment` is complete: with the variables of `.env` files.
    """

    settings: Settings
    given: dict[str, Given]
    environment: Mapping[str, str] = field(repr=False)
    errors: list[str] = field(default_factory=list)


def configure(
    options: Mapping[str, str | None], *, here: Path, root: Path, own: Path | None = None
) -> Configured:
    """Settings as `settings_from` makes them; each error goes into `errors`, and on it goes."""
    errors: list[str] = []
    try:
        layers = layers_of(here, own.parent if own else root)
    except UsageError as error:
        errors.append(str(error))
        layers = layers_of()
    environment = merged(layers)
    try:
        refuse_near_misses(environment)
    except UsageError as error:
        errors.append(str(error))
    if OFFLINE in environment:  # as in `settings_from`
        os.environ.setdefault(OFFLINE, environment[OFFLINE])
    given = gather(options, layers)
    for name, each in list(given.items()):
        if not each.text.strip():
            errors.append(
                str(usage_error(name, "is set but empty", "give it a value, or unset it"))
            )
            given.pop(name)
    found = settings_without(texts_of(given), errors, here=here, root=root, own=own)
    errors += [each for each in refused_at_start(found) if each not in errors]
    near = misspelled(environment) if found.backup is None else ()
    return Configured(replace(found, misspelled=near), given, environment, errors)


def settings_without(
    texts: dict[str, str | None], errors: list[str], *, here: Path, root: Path, own: Path | None
) -> Settings:
    """Settings of `texts`, less what is refused; why it is goes into `errors`."""
    load = load_criteria
    for _ in range(len(texts)):  # each time one is left out
        try:
            criteria = load(criteria_path(texts, here=here, root=root, own=own))
            found = check(texts, criteria, here=here, root=root)
            refuse(found)
        except UsageError as error:
            errors.append(str(error))
            if error.setting and texts.get(error.setting) is not None:
                texts[error.setting] = None
            elif error.setting:
                texts.update(dict.fromkeys(LIVE))
            else:
                load = blank
        else:
            return found
    raise UsageError("; ".join(dict.fromkeys(errors)))


def blank(path: Path) -> Criteria:
    """Criteria in place of those of a file that cannot be read."""
    return Criteria(path)


def refuse(settings: Settings) -> None:
    """UsageError for what the stages refuse before anything starts."""
    refuse_sample(settings.target, is_sample=settings.is_sample)
    try:
        check_paths(settings)
    except UsageError as error:
        error.setting = "backup" if settings.backup else "backup_path"
        raise
    if settings.leaves.sign is not None:
        from restore_drill.results.signature import load_signer  # noqa: PLC0415 - few drills sign

        load_signer(settings.leaves.sign)
    if settings.redis_url and (why := url_error(settings.redis_url)):
        raise usage_error("redis_url", f"{why} (not shown: it may hold a password)", "correct it")
