"""Each loss is a difference from the manifest, under its own name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.manifest.compare import compare
from restore_drill.servers.model import Target
from tests.helpers.drills import run_drill
from tests.helpers.manifests import fingerprint
from tests.helpers.shop import pg_dump

DAMAGES = {
    "value": (
        "UPDATE public.purchases SET amount = amount + 1 WHERE id = 7",
        ["table public.purchases has its 60 rows, but different content in column amount"],
    ),
    "dropped and doubled": (
        """DELETE FROM billing.lines WHERE text = 'a';
        INSERT INTO billing.lines SELECT * FROM billing.lines WHERE text = 'b'""",
        ["table billing.lines has its 3 rows, but different content in columns Key, part, text"],
    ),
    "swapped": (
        """UPDATE public.events SET what = 'old' WHERE at = '2026-06-02';
        UPDATE public.events SET what = 'e' WHERE at = '2019-01-01'""",
        [
            "table public.events has its 11 rows, but the values are in other rows",
            "table public.events_2026 has its 10 rows, but different content in column what",
            "table public.events_rest has its 1 row, but different content in column what",
        ],
    ),
    "dropped row": (
        "DELETE FROM public.cards WHERE id = 200",
        ["table public.cards has 199 rows, the source had 200: 1 missing"],
    ),
    "null and empty": (
        "UPDATE public.artists SET notes = NULL WHERE id = 3",
        ["table public.artists has its 20 rows, but different content in column notes"],
    ),
    "default": (
        "ALTER TABLE public.artists ALTER mood SET DEFAULT 'loud'",
        ["default of public.artists.mood has changed"],
    ),
    "type": (
        "ALTER TABLE billing.lines ALTER part TYPE bigint",
        ["column billing.lines.part has changed"],
    ),
    "index": (
        "DROP INDEX public.cards_title_idx",
        ["index public.cards_title_idx is missing"],
    ),
    "trigger": (
        "DROP TRIGGER cards_touch ON public.cards",
        ["trigger public.cards.cards_touch is missing"],
    ),
    "disabled trigger": (
        "ALTER TABLE public.cards DISABLE TRIGGER cards_touch",
        ["special state of trigger public.cards.cards_touch is new"],
    ),
    "grant": (
        "REVOKE SELECT ON public.cards FROM shop_reader",
        ["grant on table public.cards to shop_reader is missing"],
    ),
    "owner": (
        "ALTER TABLE public.purchases OWNER TO CURRENT_USER",
        [
            "owner of sequence public.purchases_id_seq has changed",
            "owner of table public.purchases has changed",
        ],
    ),
    "comment": (
        "COMMENT ON TABLE public.cards IS NULL",
        ["comment on table public.cards is missing"],
    ),
    "row security": (
        "ALTER TABLE public.artists DISABLE ROW LEVEL SECURITY",
        ["row security of public.artists is missing"],
    ),
    "policy": (
        "ALTER POLICY calm_only ON public.artists USING (mood = 'loud')",
        ["policy public.artists.calm_only has changed"],
    ),
    "function": (
        """CREATE OR REPLACE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN RETURN NEW; END'""",
        ["function public.touch() has changed"],
    ),
    "constraint": (
        "ALTER TABLE public.cards DROP CONSTRAINT cards_artist_id_fkey",
        ["constraint public.cards.cards_artist_id_fkey is missing"],
    ),
    "enum": (
        "ALTER TYPE public.mood ADD VALUE 'wild'",
        ["type public.mood has changed"],
    ),
    "view": (
        "DROP VIEW public.sold",
        [
            "column public.sold.amount is missing",
            "column public.sold.id is missing",
            "view public.sold is missing",
            "owner of view public.sold is missing",
        ],
    ),
    "partition": (
        "ALTER TABLE public.events DETACH PARTITION public.events_rest",
        [
            "table public.events has 10 rows, the source had 11: 1 missing",
            "partition public.events_rest is missing",
        ],
    ),
    "sequence": (
        "SELECT setval('public.cards_id_seq', 150)",
        ["sequence public.cards_id_seq is at 150, in the source it was at 200"],
    ),
    "large object": (
        "SELECT lo_put((SELECT min(oid) FROM pg_largeobject_metadata), 2, 'XX')",
        ["1 large object with other content or other OIDs"],
    ),
    "lost large object": (
        "SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
        ["0 large objects, the source had 1: 1 missing"],
    ),
    "emptied view": (
        "TRUNCATE public.purchases CASCADE; REFRESH MATERIALIZED VIEW public.totals WITH NO DATA",
        [
            "table public.cards has 0 rows, the source had 200: 200 missing",
            "table public.purchases has 0 rows, the source had 60: 60 missing",
            "table public.totals is missing; the source had it with 1 row",
            "unpopulated state of public.totals is new",
        ],
    ),
}
"""By name: SQL that damages the shop, and what the comparison must say of it, all of it."""


GROUPS = {
    "rows": [
        "value", "dropped and doubled", "swapped", "dropped row", "null and empty", "sequence",
        "large object",
    ],
    "definitions": [
        "default", "type", "index", "trigger", "row security", "policy", "function", "constraint",
        "enum", "view",
    ],
    "rights": [
        "disabled trigger", "grant", "owner", "comment", "partition", "lost large object",
    ],
    "emptied": ["emptied view"],
}  # fmt: skip
"""Damages that do not touch each other, done to one copy."""


@pytest.mark.parametrize("group", GROUPS)
def test_damages_are_named(group: str, was: Fingerprint, shop: Callable[..., Target]) -> None:
    """Each damage is named object by object, and nothing besides it."""
    damages = [DAMAGES[name] for name in GROUPS[group]]

    found = compare(was, fingerprint(shop(15, "; ".join(script for script, _ in damages))))

    assert sorted(found.lines) == sorted(line for _, lines in damages for line in lines)


def test_every_damage_is_tried() -> None:
    """No damage is forgotten."""
    assert sorted(DAMAGES) == sorted(name for names in GROUPS.values() for name in names)


def test_changed_value_in_the_dump_is_found_by_the_manifest_alone(
    taken: Path, tmp_path: Path, report_dir: Path
) -> None:
    """One changed value turns the drill red with a manifest; without, it is green and plausible."""
    path = taken
    dump = path.read_bytes()
    assert dump.count(b"artist 11\t") == 1
    path.write_bytes(dump.replace(b"artist 11\t", b"artist 1x\t"))

    with_it = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)
    for beside in ("manifest.json", "sha256"):
        path.with_name(f"{path.name}.{beside}").unlink()
    without = run_drill(f"--backup={path}", "-k", "not redis", report_dir=tmp_path / "second")

    assert with_it.code == 1, with_it.output
    assert set(with_it.failed) >= {
        "test_backup_matches_its_checksum",
        "test_backup_matches_its_manifest",
        "test_table_has_its_content[public.artists]",
    }
    assert set(without.failed) == set()
    assert without.code == 0, without.output
    assert (without.result["basis"], without.result["strength"]) == ("criteria file", "plausible")
    assert "Plausible, not proven" in without.output
    assert "content and schema against the source" in str(without.result["not_checked"])


def test_proof_notices_every_damage_with_a_manifest(taken: Path, report_dir: Path) -> None:
    """`--prove` of a backup with a manifest: no damage is left that would not be noticed."""
    drill = run_drill(f"--backup={taken}", "--prove", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 0, drill.output
    noticed = {each["damage"]: each["noticed_by"] for each in drill.result["proof"]}
    assert all(noticed.values()), noticed
    assert noticed["changed_value"] == ["test_table_has_its_content[public.cards]"]
    assert noticed["lost_large_object"][-1] == "test_large_objects_are_what_they_were"


def test_every_kind_of_loss_turns_the_drill_red(
    shop: Callable[..., Target], taken: Path, report_dir: Path
) -> None:
    """A dump of a damaged database beside the manifest of the whole one fails, in words."""
    path = taken
    lost = "; ".join(
        DAMAGES[name][0] for name in ("value", "dropped row", "index", "sequence", "large object")
    )
    path.unlink()
    pg_dump(shop(15, lost), path)

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    told = drill.failed
    assert drill.code == 1, drill.output
    amounts = told["test_table_has_its_content[public.purchases]"]
    assert "different content in column amount" in amounts
    rows = told["test_table_has_its_content[public.cards]"]
    assert "has 199 rows, the source had 200: 1 missing" in rows
    assert "the backup holds 199 rows of it" in rows
    assert "index public.cards_title_idx is missing" in told["test_schema_is_what_it_was"]
    assert "is at 150" in told["test_sequences_stand_where_they_were"]
    assert "1 large object" in told["test_large_objects_are_what_they_were"]
    assert drill.result["strength"] is None
    texts = [file.read_text() for file in report_dir.iterdir() if file.is_file()]
    assert not any("artist 11" in text for text in (*texts, drill.output))


def test_stale_matview_is_no_loss(shop: Callable[..., Target]) -> None:
    """A materialised view that was stale in the source is noted as not compared, and not red."""
    source = shop(15, "UPDATE public.purchases SET amount = amount + 1")
    before = fingerprint(source)
    with source.connect() as connection:
        connection.execute("REFRESH MATERIALIZED VIEW public.totals")

    found = compare(before, fingerprint(source))

    assert found.lines == []
    assert "content of materialized view public.totals" in str(found.not_compared)
