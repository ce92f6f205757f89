"""A source database with the features that a backup can lose, and its dumps by real pg_dump."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from restore_drill.servers.embedded import EmbeddedServer, start_embedded
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target

SHOP = """
CREATE ROLE shop_owner NOLOGIN;
CREATE ROLE shop_reader NOLOGIN;
CREATE SCHEMA billing AUTHORIZATION shop_owner;
CREATE TYPE public.mood AS ENUM ('calm', 'loud');
CREATE DOMAIN public.positive AS numeric(10, 2) CHECK (VALUE > 0);
CREATE TABLE public.artists (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    mood public.mood NOT NULL DEFAULT 'calm',
    notes jsonb
);
CREATE TABLE public.purchases (
    id serial PRIMARY KEY,
    amount public.positive NOT NULL,
    bought_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE public.cards (
    id serial PRIMARY KEY,
    title text NOT NULL,
    artist_id integer NOT NULL REFERENCES public.artists (id) ON DELETE CASCADE,
    purchase_id integer REFERENCES public.purchases (id),
    slug text GENERATED ALWAYS AS (lower(title)) STORED
);
CREATE INDEX cards_title_idx ON public.cards (lower(title));
CREATE TABLE billing."Odd Name" (
    "Key" integer, part integer, "quoted""column" text DEFAULT 'it''s; -- not a comment',
    PRIMARY KEY ("Key", part)
);
CREATE TABLE billing.lines (
    "Key" integer, part integer, text text,
    FOREIGN KEY ("Key", part) REFERENCES billing."Odd Name" ("Key", part)
);
CREATE TABLE public.events (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE public.events_2026 PARTITION OF public.events
    FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE public.events_rest PARTITION OF public.events DEFAULT;
CREATE TABLE public.empty_table (id integer PRIMARY KEY);
CREATE VIEW public.sold AS SELECT c.id, p.amount
    FROM public.cards c JOIN public.purchases p ON p.id = c.purchase_id;
CREATE MATERIALIZED VIEW public.totals AS SELECT sum(amount) AS total FROM public.purchases;
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    NEW.title := btrim(NEW.title); -- a ; in a body
    RETURN NEW;
END $body$;
CREATE TRIGGER cards_touch BEFORE INSERT OR UPDATE ON public.cards
    FOR EACH ROW EXECUTE FUNCTION public.touch();
CREATE FUNCTION public.twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC SELECT CASE WHEN n IS NULL THEN 0 ELSE n * 2 END; END;
CREATE RULE keep AS ON DELETE TO public.empty_table DO ALSO (SELECT 1; SELECT 2);
ALTER TABLE public.artists ENABLE ROW LEVEL SECURITY;
CREATE POLICY calm_only ON public.artists FOR SELECT TO shop_reader USING (mood = 'calm');
GRANT SELECT ON public.cards TO shop_reader;
ALTER TABLE public.purchases OWNER TO shop_owner;
COMMENT ON TABLE public.cards IS E'what the shop sells\\nand -- more';
INSERT INTO public.artists (name, mood, notes)
    SELECT 'artist ' || n, CASE WHEN n % 3 = 0 THEN 'loud' ELSE 'calm' END::public.mood,
           jsonb_build_object('n', n) FROM generate_series(1, 20) n;
INSERT INTO public.purchases (amount) SELECT n * 1.5 FROM generate_series(1, 60) n;
INSERT INTO public.cards (title, artist_id, purchase_id)
    SELECT E'Card \\\\ ' || n || E'\\ttab', 1 + n % 20, CASE WHEN n <= 60 THEN n END
    FROM generate_series(1, 200) n;
INSERT INTO billing."Odd Name" VALUES (1, 1, E'line\\nbreak'), (1, 2, NULL), (2, 1, '\\.');
INSERT INTO billing.lines VALUES (1, 1, 'a'), (NULL, 7, 'b'), (2, 1, 'c');
INSERT INTO public.events SELECT DATE '2026-06-01' + n, 'e' FROM generate_series(1, 10) n;
INSERT INTO public.events VALUES ('2019-01-01', 'old');
REFRESH MATERIALIZED VIEW public.totals;
SELECT lo_from_bytea(0, 'a large object');
"""

MORE = """
SET allow_system_table_mods = on;
UPDATE pg_attribute SET attcompression = 'x' WHERE attnum > 0 AND attrelid >= 16384
    AND attrelid NOT IN (SELECT oid FROM pg_class WHERE relkind IN ('i', 'I', 'S', 't', 'c'));
UPDATE pg_proc SET prorows = 7 WHERE oid >= 16384 AND NOT proretset AND prokind = 'f';
"""
"""Makes a catalog say more than pg_dump writes, as that of a later minor version or a fork may."""

ROWS = {
    "public.artists": 20,
    "public.purchases": 60,
    "public.cards": 200,
    "billing.Odd Name": 3,
    "billing.lines": 3,
    "public.events": 11,
    "public.empty_table": 0,
}


def fill_shop(target: Target, script: str = SHOP) -> None:
    """Run `script` in the empty database of `target`."""
    with target.connect() as connection:
        connection.execute(script.encode())


def pg_dump(target: Target, path: Path, *options: str) -> Path:
    """Dump `target` to `path` with its own pg_dump."""
    subprocess.run(
        [target.binaries.tool("pg_dump"), "--no-password", f"--file={path}", *options],
        env=target.tool_environment,
        check=True,
        capture_output=True,
    )
    return path


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "zst": zstandard.compress,
    "lz4": lz4.frame.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
}
FORMATS = {
    "plain.sql": (),
    "inserts.sql": ("--inserts",),
    "rows.sql": ("--column-inserts", "--rows-per-insert=7"),
    "clean.sql": ("--clean",),
    "create.sql": ("--create", "--clean", "--if-exists"),
    "custom.dump": ("--format=custom",),
    "directory": ("--format=directory",),
    "archive.tar": ("--format=tar",),
}


GIVEN = os.environ.get("DRILL_TEST_MAJOR")
"""Major version that a row of .github/workflows/tests.yml asks for."""
USUAL = int(GIVEN or 15)
"""Major version of most tests; where it is not available, the nearest newer one, unless GIVEN."""


def majors(*usual: int) -> list[int]:
    """Major versions of a test: `usual`, and the one that a row of tests.yml asks for."""
    return sorted({*usual, int(GIVEN or usual[0])})


def quiet(_text: str) -> None:
    """Say nothing."""


def require_major(major: int) -> None:
    """Skip the test, with the reason, where this machine cannot have a server of `major`."""
    said: list[str] = []
    if find_binaries(major, note=said.append).major != major:
        pytest.skip(said[-1])


class Shops:
    """Servers with the shop, one a major version, started when first asked for."""

    def __init__(self, folder: Path, needs: frozenset[str] = frozenset()) -> None:
        """Keep dumps in `folder`; the servers meet `needs`, see `Binaries.lacks`."""
        self.folder = folder
        self.needs = needs
        self.servers: dict[int, EmbeddedServer] = {}
        self.sources: dict[int, Target] = {}

    def source(self, major: int) -> Target:
        """The shop's database on a server of `major`."""
        if major not in self.sources:
            self.sources[major] = self.database(major, "shop")
            fill_shop(self.sources[major])
        return self.sources[major]

    def database(self, major: int, name: str, *, encoding: str = "UTF8") -> Target:
        """A new empty database in `encoding` on the server of `major`."""
        if major != USUAL:
            require_major(major)
        if major not in self.servers:
            build = find_binaries(major, needs=self.needs, note=quiet)
            assert not GIVEN or build.major == major, f"{build.name} is not PostgreSQL {major}"
            self.servers[major] = start_embedded(build, note=quiet, room=0)
        return self.servers[major].create_database(name, encoding=encoding)

    def throwaway(self, major: int) -> Target:
        """A new empty database on a server of its own, which a test may break."""
        server = start_embedded(find_binaries(major, note=quiet), note=quiet, room=0)
        self.servers[-len(self.servers) - 1] = server
        return server.create_database("throwaway")

    def dump(self, major: int, form: str) -> Path:
        """Dump of the shop in one of FORMATS, or `plain.sql` with the suffix of a compressor."""
        path = self.folder / str(major) / form
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            suffix = path.suffix.removeprefix(".")
            if suffix in COMPRESSORS:
                plain = self.dump(major, path.stem)
                path.write_bytes(COMPRESSORS[suffix](plain.read_bytes()))
            else:
                pg_dump(self.source(major), path, *FORMATS[form])
        return path

    def close(self) -> None:
        """Stop all servers."""
        for server in self.servers.values():
            server.stop()
