"""Damages backups and restored databases, and asks the drill's criteria what they see."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.damages.copies import copied, do_damage
from restore_drill.damages.model import DatabaseDamage
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.snapshot import read_fingerprint
from restore_drill.manifest.description import describe
from restore_drill.manifest.file import Manifest
from restore_drill.manifest.settle import compare_by_dump, written_of
from restore_drill.restore.statistics import analyze
from restore_drill.servers.model import Target
from tests.corpus.healthy import HEALTHY, Healthy
from tests.corpus.judge import Facts, facts_of, judge, read_backup, restore, settings_with
from tests.helpers.shop import COMPRESSORS, FORMATS, SHOP, Shops, fill_shop, pg_dump

MANIFEST_ONLY = ("test_backup_matches_its_manifest", "test_table_has_its_content",
                 "test_schema_is_what_it_was", "test_sequences_stand_where_they_were",
                 "test_large_objects_are_what_they_were")  # fmt: skip
LIVE_ONLY = ("test_application_role_keeps_its_rights",)
"""Criteria that compare with a live database."""
DRIFT_ONLY = ("test_database_is_the_same", "test_nothing_was_lost", "test_nothing_was_changed")
"""Criteria that ask for a drill before this one: `corpus/drift.py` has their cases."""
PLACE_ONLY = ("test_no_backup_is_missing",)
"""Criteria of what lies beside a backup."""
TREND_ONLY = ("test_rows_have_not_fallen", "test_size_has_not_fallen",
              "test_restore_takes_its_usual_time", "test_growth_breaks_no_budget_soon")  # fmt: skip
"""Criteria that ask for several drills before: `tests/watch/test_trends.py` has their cases."""
PHYSICAL_ONLY = (
    "test_recovery_reached_its_target", "test_wal_is_complete",
    "test_files_and_wal_are_of_one_server", "test_every_database_can_be_opened",
    "test_recovery_point_is_recent_enough", "test_every_page_is_sound",
    "test_index_entries_lead_to_rows", "test_tables_and_indexes_are_sound",
    "test_every_database_can_be_read",
)  # fmt: skip
"""Criteria of a recovered server: `corpus/physical/` has their cases."""
COULD_NOT_RUN = "could-not-run"


@dataclass(frozen=True)
class Outcome:
    """Criteria that were red, each without its brackets; `is_restored` where it got so far.

    `ids` are the same with their brackets, which name the table.
    """

    red: frozenset[str]
    is_restored: bool
    ids: frozenset[str] = frozenset()

    @property
    def without_manifest(self) -> frozenset[str]:
        """Those that would be red without a manifest too."""
        return self.red - set(MANIFEST_ONLY)


class Lab:
    """Source databases of one major version, their dumps, and a server to restore into."""

    def __init__(self, shops: Shops, folder: Path, major: int = 15) -> None:
        """Keep dumps in `folder`."""
        self.shops, self.folder, self.major = shops, folder, major
        folder.mkdir(exist_ok=True)
        self.settings = settings_with()
        self.sources: dict[str, Target] = {}
        self.fingerprints: dict[str, Fingerprint] = {}
        self.dumps: dict[tuple[str, str], Path] = {}
        self.restored: dict[str, tuple[Facts, Target]] = {}
        self.numbers = itertools.count()

    def source(self, name: str) -> Target:
        """Source database: the shop, or one of HEALTHY."""
        if name not in self.sources:
            kind = HEALTHY.get(name) or Healthy(name, "the shop", SHOP)
            target = self.shops.database(self.major, f"source_{name}", encoding=kind.encoding)
            fill_shop(target, kind.script)
            self.sources[name] = target
        return self.sources[name]

    def fingerprint(self, name: str) -> Fingerprint:
        """What a source database is."""
        if name not in self.fingerprints:
            found = read_fingerprint(self.source(name), 2, lambda _: None)
            written = written_of(self.source(name), found)
            self.fingerprints[name] = replace(found, written=written)
        return self.fingerprints[name]

    def dump(self, name: str, form: str, *options: str) -> Path:
        """Dump of a source database in a form of FORMATS, or plain behind a compressor."""
        key = (name, " ".join([form, *options]))
        if key not in self.dumps:
            folder = self.folder / f"dump{next(self.numbers)}"
            folder.mkdir()
            suffix = form.rpartition(".")[2]
            if suffix in COMPRESSORS:
                plain = self.dump(name, form.removesuffix("." + suffix), *options)
                path = folder / form
                path.write_bytes(COMPRESSORS[suffix](plain.read_bytes()))
            else:
                path = pg_dump(self.source(name), folder / form, *FORMATS[form], *options)
            self.dumps[key] = path
        return self.dumps[key]

    @contextlib.contextmanager
    def damaged(self, path: Path, do: Callable[[Path], Path | None]) -> Iterator[Path]:
        """Damaged copy of the backup at `path`; `do` may give another name for it."""
        folder = self.folder / f"copy{next(self.numbers)}"
        folder.mkdir()
        (shutil.copytree if path.is_dir() else shutil.copyfile)(path, folder / path.name)
        yield do(folder / path.name) or folder / path.name
        shutil.rmtree(folder)

    def manifest(self, name: str, path: Path) -> Manifest:
        """Manifest of the source database for the backup at `path`."""
        return describe(
            self.source(name), path, self.fingerprint(name),
            form="", taken_at=datetime.now(UTC), server=self.source(name).version,
        )  # fmt: skip

    def look(self, name: str, path: Path, manifest: Manifest, *, compares: bool = True) -> Outcome:
        """Drill the backup at `path`; with `compares` what was restored is held to the manifest."""
        facts = read_backup(path, self.folder, self.settings) | {"manifest": manifest}
        if not facts["contents"].is_complete:
            return outcome_of(facts)
        target = self.copy_for(facts)
        try:
            facts = restore(facts, target)
            if compares:
                now = read_fingerprint(target, 2, lambda _: None)
                facts["comparison"] = compare_by_dump(self.fingerprint(name), now, target)
            return outcome_of(facts)
        except CouldNotRun as error:
            seen = outcome_of(facts)
            why = f"{COULD_NOT_RUN}: {error.what[:60]}"
            return Outcome(seen.red | {why}, is_restored=True)
        finally:
            with (
                contextlib.suppress(psycopg.errors.ObjectInUse),  # it has a subscription
                target.connect(dbname="postgres") as connection,
            ):
                connection.execute(f"DROP DATABASE {target.conninfo['dbname']} (FORCE)".encode())

    def copy_for(self, facts: Facts) -> Target:
        """A new empty database in the encoding in which a drill would make it."""
        encoding = facts["backup"].head.server_encoding
        return self.shops.database(self.major, f"copy_{next(self.numbers)}", encoding=encoding)

    def whole(self, name: str) -> tuple[Facts, Target]:
        """A source database, restored once from a plain dump, to be damaged in copies."""
        if name not in self.restored:
            path = self.dump(name, "plain.sql")
            facts = read_backup(path, self.folder, self.settings)
            target = self.copy_for(facts)
            facts = restore(facts, target) | {"manifest": self.manifest(name, path)}
            self.restored[name] = (facts, target)
        return self.restored[name]

    def look_at_copy(self, name: str, damage: DatabaseDamage) -> Outcome | None:
        """Damage a copy of a restored database; None where it has nothing of the kind."""
        facts, target = self.whole(name)
        with copied(target) as copy:
            if not do_damage(copy, damage):
                return None
            analyze(copy, 1)
            now = read_fingerprint(copy, 2, lambda _: None)
            found = facts | facts_of(copy, facts)
            compared = compare_by_dump(self.fingerprint(name), now, copy)
            return outcome_of(found | {"comparison": compared})


def outcome_of(facts: Facts) -> Outcome:
    """What the criteria say of `facts`."""
    ids = frozenset(judge(facts).red)
    red = frozenset(name.split("[")[0] for name in ids)
    return Outcome(red, "facts" in facts, ids)
