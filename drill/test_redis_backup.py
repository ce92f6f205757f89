"""The backup of Redis: its file is intact, and a server of the drill has loaded all of it."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import pytest

from restore_drill.backups.model import Backup
from restore_drill.config.settings import Settings
from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes, show_duration, show_time
from restore_drill.drift.keys import fallen, gone
from restore_drill.manifest.redis_digest import digests_beside, first_differing
from restore_drill.redis.backup.census import SECONDS, broken_by, remedy_of, tally
from restore_drill.redis.backup.outcome import whole, why_not_whole
from restore_drill.redis.census.compare import of_functions, of_groups, of_keys, of_ttls
from restore_drill.redis.census.content import functions_of
from restore_drill.redis.census.keeping import has_digest
from restore_drill.selection.chosen import out_of_time

if TYPE_CHECKING:
    from restore_drill.config.criteria.key_rules import KeyRule
    from restore_drill.drift.keys import Before, Held
    from restore_drill.redis.backup.model import RestoredRedis
    from restore_drill.redis.backup.restore import Opened
    from restore_drill.redis.census.content import Content
    from restore_drill.redis.census.known import Known
    from restore_drill.redis.census.model import Census

pytestmark = pytest.mark.redis


def test_redis_backup_is_intact(redis_file: Opened) -> None:
    """The file of the backup of Redis is whole, to its last byte."""
    whole(redis_file.file, redis_file.backup)
    if redis_file.file.is_unread:
        pytest.skip(redis_file.file.doubts[0])


def test_redis_backup_matches_its_checksum(redis_file: Opened, redis_known: Known | None) -> None:
    """The backup of Redis is the file that was written, by its .sha256 file and its manifest."""
    said = digests_beside(redis_file.backup, redis_known)
    if not said:
        pytest.skip("no .sha256 file and no manifest beside it says what its SHA-256 was")
    wrong = first_differing(redis_file.backup, said)
    assert not wrong, message(
        f"{redis_file.backup.name} is not the file that {wrong[0].name} describes",
        checked=[f"SHA-256 now {wrong[1]}", f"expected {wrong[0].digest}"],
        remedy=remedy_for("test_redis_backup_matches_its_checksum", wrong[0].cause),
    )


@pytest.mark.budget("age")
def test_redis_backup_is_recent(redis_backup: Backup, settings: Settings) -> None:
    """The newest backup of Redis is young enough."""
    cause, why = out_of_time(redis_backup, settings.max_backup_age)
    when = f"taken {show_time(redis_backup.taken_at)} (from {redis_backup.time_source})"
    assert not cause, message(
        f"the newest backup of Redis {why}",
        checked=[f"{redis_backup.name}, {when}"],
        remedy=remedy_for("test_redis_backup_is_recent", cause),
    )


def test_redis_backup_loads_whole(restored_redis: RestoredRedis) -> None:
    """A server has read as many keys as the file of the backup of Redis holds."""
    why = why_not_whole(restored_redis)
    assert not why, message(
        f"the backup of Redis was not loaded whole: {why}",
        checked=[f"{restored_redis.backup.name}, loaded by {restored_redis.version}"],
        remedy=remedy_for("test_redis_backup_loads_whole", "not_whole"),
    )


def test_redis_backup_has_keys(restored_redis: RestoredRedis) -> None:
    """The restored Redis is not empty."""
    gone = (restored_redis.expired or 0) + restored_redis.emptied
    assert restored_redis.keys, message(
        "the restored Redis is empty"
        + (f": all {gone:,} keys have expired since the backup was taken" if gone else ""),
        checked=[f"{restored_redis.backup.name}: {restored_redis.file.words}"],
        remedy=remedy_for("test_redis_backup_has_keys", "expired" if gone else "no_keys"),
    )


def test_redis_backup_has_its_keys(restored_redis: RestoredRedis, key_rule: KeyRule) -> None:
    """The restored Redis has the keys that the criteria file asks for."""
    found = tally(restored_redis.server, key_rule.database, key_rule.pattern)
    if not found.is_complete:
        pytest.skip(f"not all keys could be counted within {show_duration(SECONDS)}")
    why, cause = broken_by(key_rule, found)
    assert not why, message(
        f"keys like {key_rule.pattern} in the backup of Redis: {why}",
        checked=[f"database {key_rule.database} of {restored_redis.backup.name}"],
        remedy=remedy_of(key_rule, cause),
    )


def test_redis_backup_did_not_shrink(redis_backup: Backup, settings: Settings) -> None:
    """The backup of Redis is as large as earlier ones suggest."""
    if not redis_backup.earlier_sizes:
        pytest.skip("there is no earlier backup of Redis of the same series and format")
    usual = statistics.median(redis_backup.earlier_sizes)
    assert redis_backup.size >= usual * settings.criteria.min_size_ratio, message(
        f"{redis_backup.name} has only {show_bytes(redis_backup.size)}, the backups of Redis "
        f"before it {show_bytes(usual)} (median of {len(redis_backup.earlier_sizes)})",
        remedy=remedy_for("test_redis_backup_did_not_shrink", "smaller"),
    )


def test_redis_backup_keys_match_manifest(
    redis_manifest: Known, restored_redis: RestoredRedis, redis_census: Census
) -> None:
    """Each database of Redis has as many keys of each type as the source had."""
    restored = restored_redis
    found = of_keys(redis_manifest, restored.file, redis_census, restored.emptied)
    assert not found, message(
        f"the restored Redis does not hold the keys that were backed up: {found[0]}",
        checked=found[1:],
        remedy=remedy_for("test_redis_backup_keys_match_manifest", "other"),
    )
    if redis_manifest.keys is None:
        pytest.skip(redis_manifest.why_not or "its manifest has no counts of keys")


def test_redis_backup_content_matches_manifest(
    redis_content: Content, restored_redis: RestoredRedis, redis_file: Opened
) -> None:
    """Every key of Redis has the value that it had in the source."""
    if not redis_content.digest:
        pytest.skip("its manifest has no digest: it would change as hash fields expire")
    is_same = has_digest(redis_content.digest, restored_redis, redis_file)
    if isinstance(is_same, str):
        pytest.skip(is_same)
    assert is_same, message(
        "the restored Redis does not hold the same data as when its backup was taken",
        checked=["DEBUG DIGEST of all keys, expired ones too: names, types and values"],
        remedy=remedy_for("test_redis_backup_content_matches_manifest", "other"),
    )


def test_redis_backup_ttls_match_manifest(
    redis_content: Content, redis_census: Census, restored_redis: RestoredRedis
) -> None:
    """Keys of Redis expire at the same time as in the source."""
    if redis_content.ttls is None or not redis_census.is_exact:
        pytest.skip("a server before 7.0 does not say exactly when keys expire")
    found = of_ttls(redis_content, redis_census)
    if found and restored_redis.emptied:
        pytest.skip("some of the keys are hashes whose fields have all expired since")
    assert not found, message(
        f"keys of the restored Redis expire at the wrong time: {found[0]}",
        checked=found[1:],
        remedy=remedy_for("test_redis_backup_ttls_match_manifest", "other"),
    )


def test_redis_backup_streams_match_manifest(redis_content: Content, redis_census: Census) -> None:
    """Streams of Redis have the consumer groups and pending entries of the source."""
    found = of_groups(redis_content, redis_census)
    assert not found, message(
        f"consumer groups of Redis streams are lost or changed: {found}",
        remedy=remedy_for("test_redis_backup_streams_match_manifest", "other"),
    )


def test_redis_backup_functions_match_manifest(
    redis_content: Content, restored_redis: RestoredRedis
) -> None:
    """Redis has the function libraries of the source."""
    now = functions_of(restored_redis.server)
    if redis_content.functions is None or now is None:
        pytest.skip("a server before 7.0 has no functions")
    found = of_functions(redis_content.functions, now)
    assert not found, message(
        f"functions of Redis are lost or changed: {found}",
        remedy=remedy_for("test_redis_backup_functions_match_manifest", "other"),
    )


def test_redis_backup_keys_have_not_fallen(
    redis_held: Held, redis_before: Before, settings: Settings
) -> None:
    """No type of keys in Redis has become much rarer since the last passed drill."""
    was, tolerance = redis_before.held, settings.criteria.redis_tolerance
    found = [*fallen(was.keys, redis_held.keys, tolerance), *gone(was, redis_held)]
    assert not found, message(
        f"Redis has lost keys, or what they had, since {redis_before.name}: {found[0]}",
        checked=[*found[1:], f"counted: {redis_held.counted}"],
        remedy=remedy_for("test_redis_backup_keys_have_not_fallen", "fewer"),
    )
