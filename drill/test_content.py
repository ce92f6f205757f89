"""The content: what was restored is what the source held, by the backup's manifest."""

from __future__ import annotations

import pytest

from restore_drill.backups.model import Backup, Contents
from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count
from restore_drill.manifest.beside import differences
from restore_drill.manifest.compare import Comparison, rows_in
from restore_drill.manifest.file import Manifest


@pytest.mark.select
@pytest.mark.needs_manifest
def test_backup_matches_its_manifest(
    manifest: Manifest, contents: Contents, backup: Backup
) -> None:
    """The backup is byte for byte the one that its manifest describes."""
    found = differences(manifest, backup, contents)
    assert not found, message(
        f"{backup.name} is not the backup that its manifest describes: {found[0]}",
        checked=found[1:],
        remedy=remedy_for("test_backup_matches_its_manifest", "changed"),
    )


@pytest.mark.verify
@pytest.mark.reads_rows
@pytest.mark.needs_manifest
def test_table_has_its_content(
    known_table: str, comparison: Comparison, contents: Contents
) -> None:
    """A table has exactly the rows and the content that the source had."""
    difference = comparison.difference(known_table)
    assert not difference, message(
        f"{known_table} {difference}",
        checked=["manifest of the backup", rows_in(contents, known_table)],
        remedy=remedy_for("test_table_has_its_content", "different"),
    )


@pytest.mark.verify
@pytest.mark.needs_manifest
def test_schema_is_what_it_was(comparison: Comparison) -> None:
    """Every object of the source exists with the same definition, and no others do."""
    found = comparison.schema
    assert not found, message(
        f"the schema has {show_count(len(found), 'difference')} from the source's: {found[0]}",
        checked=found[1:],
        remedy=remedy_for("test_schema_is_what_it_was", "different"),
    )


@pytest.mark.verify
@pytest.mark.needs_manifest
def test_sequences_stand_where_they_were(comparison: Comparison) -> None:
    """Every sequence has the value that it had in the source when the backup was taken."""
    found = comparison.sequences
    assert not found, message(
        f"{show_count(len(found), 'sequence')} not at the source's value: {found[0]}",
        checked=found[1:],
        remedy=remedy_for("test_sequences_stand_where_they_were", "different"),
    )


@pytest.mark.verify
@pytest.mark.needs_manifest
def test_large_objects_are_what_they_were(comparison: Comparison) -> None:
    """The large objects are those of the source: number, size, content, owners and grants."""
    assert not comparison.large_objects, message(
        comparison.large_objects[0],
        remedy=remedy_for("test_large_objects_are_what_they_were", "different"),
    )
