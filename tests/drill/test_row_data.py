"""No row reaches an output, whatever goes wrong with it; what it is a row of is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.core.server_lines import safe_lines
from tests.helpers.drills import Drill, run_drill
from tests.helpers.shop import Shops
from tests.restore.test_causes import SETTINGS, restored

NUMBER, WORD = "4111111111111111", "millerova"
SECRETS = (NUMBER, WORD, WORD.upper())

FUNCTIONS = """
CREATE FUNCTION public.loud(n text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RAISE EXCEPTION 'customer % is bad', n USING ERRCODE = 'undefined_table',
    TABLE = n, COLUMN = n, CONSTRAINT = n, HINT = n, DETAIL = n; END $$;
CREATE FUNCTION public.warns(n text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RAISE WARNING 'customer % is odd', n; RETURN true; END $$;
CREATE FUNCTION public.dynamic(n text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE found boolean; BEGIN
EXECUTE format('SELECT true FROM %I', n) INTO found; RETURN found; END $$;
CREATE FUNCTION public.calls(n text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE found boolean; BEGIN EXECUTE 'SELECT ' || n || '(1)' INTO found; RETURN found; END $$;
CREATE FUNCTION public.full(n text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RAISE disk_full USING MESSAGE = n; END $$;
CREATE TYPE public.mood AS ENUM ('calm');
CREATE DOMAIN public.short AS text CONSTRAINT is_short CHECK (length(VALUE) < 5);
CREATE DOMAIN public.heard AS text CONSTRAINT is_loud CHECK (public.loud(VALUE));
"""

COLUMNS = {
    "a_number": ("integer", NUMBER),
    "a_small_number": ("smallint", f"1{NUMBER}"),
    "a_numeric": ("numeric(4,2)", NUMBER),
    "a_word_as_number": ("integer", WORD),
    "a_date": ("date", WORD),
    "a_far_date": ("date", f"{NUMBER}-01-01"),
    "a_time": ("timestamp with time zone", WORD),
    "an_interval": ("interval", WORD),
    "a_uuid": ("uuid", WORD),
    "a_json": ("jsonb", '{"card": ' + WORD + "}"),
    "an_enum": ("public.mood", WORD),
    "an_array": ("integer[]", "{" + WORD + "}"),
    "a_torn_array": ("text[]", "{" + WORD),
    "a_range": ("int4range", f"[{WORD},)"),
    "an_address": ("inet", WORD),
    "some_bytes": ("bytea", "\\\\x" + WORD),
    "a_point": ("point", WORD),
    "a_boolean": ("boolean", WORD),
    "a_length": ("character varying(3)", WORD),
    "a_class": ("regclass", WORD),
    "a_type": ("regtype", WORD),
    "a_function": ("regproc", WORD),
    "a_role": ("regrole", WORD),
    "a_query": ("tsquery", f"{WORD} &"),
    "a_domain": ("public.short", WORD),
    "a_loud_domain": ("public.heard", WORD),
    "a_check": (f"text CHECK (n <> '{WORD[:4]}' AND length(n) < 4)", WORD),
    "a_loud_check": ("text CHECK (public.loud(n))", WORD),
    "a_dynamic_check": ("text CHECK (public.dynamic(n))", WORD),
    "a_calling_check": ("text CHECK (public.calls(n))", WORD),
    "a_full_check": ("text CHECK (public.full(n))", WORD),
    "a_missing_column": ("text", f"{WORD}\t{NUMBER}"),
}
"""Tables with a column `n` of a type, and a row that it refuses."""
LATER = {
    "a_key": "ALTER TABLE ONLY public.a_key ADD CONSTRAINT a_key_pkey PRIMARY KEY (n);",
    "an_expression": "CREATE UNIQUE INDEX i ON public.an_expression (lower(n));",
    "a_loud_index": "CREATE INDEX loud_i ON public.a_loud_index (public.loud(n));",
    "a_dynamic_index": "CREATE INDEX dynamic_i ON public.a_dynamic_index (public.dynamic(n));",
    "a_cast_index": "CREATE INDEX cast_i ON public.a_cast_index ((n::regclass::oid));",
    "a_not_null": "ALTER TABLE public.a_not_null ALTER COLUMN empty SET NOT NULL;",
    "an_exclusion": "ALTER TABLE public.an_exclusion ADD CONSTRAINT e EXCLUDE (n WITH =);",
    "a_late_check": "ALTER TABLE public.a_late_check ADD CONSTRAINT c CHECK (length(n) < 4);",
    "a_foreign_key": "ALTER TABLE ONLY public.a_foreign_key"
    " ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES public.parent(n);",
    "a_smaller_type": "ALTER TABLE public.a_smaller_type ALTER COLUMN n TYPE integer"
    " USING n::integer;",
}
"""Statements that refuse rows which are there."""


def table(name: str, kind: str, *rows: str) -> str:
    """A table of a dump with one column `n`, and its rows."""
    made = f'\nCREATE TABLE public."{name}" (n {kind});\nCOPY public."{name}" (n) FROM stdin;\n'
    return made + "\n".join([*rows, "\\.", ""])


def damaged() -> str:
    """A dump in which each table's rows are refused."""
    text = FUNCTIONS + table("parent", "text PRIMARY KEY")
    text += "".join(table(name, kind, row) for name, (kind, row) in COLUMNS.items())
    text += table("a_warning", "text CHECK (public.warns(n))", WORD)
    for name in LATER:
        text += table(name, "text", WORD, WORD).replace("(n text)", "(n text, empty text)")
    return text + "\n" + "\n".join(LATER.values()) + "\n"


def nowhere(drill: Drill) -> None:
    """Assert that the drill has shown no row, on the terminal and in its reports."""
    shown = drill.output + "".join(
        path.read_text("utf-8", "replace") for path in drill.report_dir.iterdir() if path.is_file()
    )
    for secret in SECRETS:
        assert secret not in shown, shown[max(0, shown.index(secret) - 500) :][:1000]


def test_refused_rows_are_not_shown(shops: Shops, tmp_path: Path) -> None:
    """Each refusal names its table, and no value."""
    done = restored(shops, tmp_path, damaged())
    told = ["\n".join(error.lines()) for error in done.errors] + done.harmless

    assert len(done.errors) == len(COLUMNS) + len(LATER)
    for name in (*COLUMNS, *LATER):
        assert any(name in each for each in told), name
    for secret in SECRETS:
        assert secret not in "\n".join(told)


def test_drill_shows_no_row_of_a_failed_restore(tmp_path: Path, report_dir: Path) -> None:
    """Neither terminal nor reports hold a value of a row that was refused."""
    path = tmp_path / "backup.sql"
    path.write_text(SETTINGS + damaged())

    drill = run_drill(
        f"--backup={path}", "-v", "-k", "not redis", report_dir=report_dir,
        GITHUB_STEP_SUMMARY=str(report_dir / "summary.md"),
    )  # fmt: skip

    assert drill.code == 1, drill.output
    assert "test_restore_has_no_errors" in drill.failed
    nowhere(drill)


SOUND = (
    FUNCTIONS
    + table("cards", "text", WORD)
    + """
CREATE FUNCTION public.guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'no change of %', OLD.n; END $$;
CREATE TRIGGER guarded BEFORE UPDATE OR DELETE ON public.cards
    FOR EACH ROW EXECUTE FUNCTION public.guard();
CREATE VIEW public.numbers AS SELECT n::integer AS n FROM public.cards;
"""
)
CRITERIA = """
[tables]
"public.cards" = { min_rows = 1 }

[facts]
cast = {sql = "SELECT max(n::integer) FROM cards", min = 0}
loud = {sql = "SELECT count(*) FROM cards WHERE loud(n)", min = 0}
dynamic = {sql = "SELECT count(*) FROM cards WHERE dynamic(n)", min = 0}
"""
CHECKS = {
    "cast": "SELECT n::date FROM cards",
    "loud": "SELECT * FROM cards WHERE loud(n)",
    "class": "SELECT n::regclass FROM cards",
    "view": "SELECT * FROM numbers",
}


def test_drill_shows_no_row_of_a_failed_criterion(tmp_path: Path, report_dir: Path) -> None:
    """What facts, SQL criteria and write checks stumble over is not shown either."""
    path = tmp_path / "backup.sql"
    path.write_text(SETTINGS + SOUND)
    (tmp_path / "sql").mkdir()
    for name, text in CHECKS.items():
        (tmp_path / "sql" / f"{name}.sql").write_text(text)
    criteria = tmp_path / "criteria.toml"
    criteria.write_text(CRITERIA)

    drill = run_drill(
        f"--backup={path}", f"--criteria={criteria}", "-v", "-k", "not redis",
        report_dir=report_dir,
    )  # fmt: skip

    assert drill.code == 1, drill.output
    assert len(drill.failed) >= 4, drill.output
    nowhere(drill)


@pytest.mark.parametrize("colon", ["ERROR:  ", "FATAL:  "])
def test_lines_of_pg_dump_show_no_row(colon: str) -> None:
    """Of what pg_dump says only its own words stay, and messages of a known shape."""
    said = [
        'pg_dump: error: Dumping the contents of table "cards" failed: PQgetResult() failed.',
        f"pg_dump: detail: Error message from server: {colon}customer {WORD} is bad",
        f'DETAIL:  Key (n)=({WORD}) and "{NUMBER}"',
        f"CONTEXT:  SQL statement {WORD}",
        "pg_dump: detail: Command was: COPY public.cards (n) TO stdout;",
        f"pg_dump: error: query failed: {colon}permission denied for table cards",
        f"pg_dump: error: query failed: {colon}invalid input syntax for type integer: {NUMBER}",
    ]
    told = "\n".join(safe_lines(said))

    for secret in SECRETS:
        assert secret not in told
    assert 'table "cards" failed' in told
    assert "COPY public.cards (n) TO stdout;" in told
    assert "permission denied for table cards (insufficient_privilege" in told
    assert "invalid_text_representation (SQLSTATE 22P02)" in told
