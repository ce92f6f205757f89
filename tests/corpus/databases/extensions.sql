-- Extensions, some in a schema of their own, with columns, indexes and defaults that need them.
CREATE SCHEMA ext;
CREATE SCHEMA "Ext Two";
CREATE EXTENSION hstore SCHEMA ext;
CREATE EXTENSION citext;
CREATE EXTENSION pg_trgm SCHEMA "Ext Two";
CREATE EXTENSION btree_gist SCHEMA ext;
CREATE EXTENSION ltree;
CREATE EXTENSION cube;
CREATE TABLE words (id serial PRIMARY KEY, word public.citext UNIQUE, attributes ext.hstore, path public.ltree, at public.cube);
CREATE INDEX words_trgm ON words USING gin ((word::text) "Ext Two".gin_trgm_ops);
CREATE INDEX words_path ON words USING gist (path);
CREATE INDEX words_attributes ON words USING gist (attributes ext.gist_hstore_ops (siglen = 32));
CREATE TABLE rooms (room integer, during int4range, EXCLUDE USING gist (room WITH =, during WITH &&));
INSERT INTO words (word, attributes, path, at) SELECT 'Word' || n, ext.hstore('k"=>', n::text), ('a.b' || n)::public.ltree, public.cube(ARRAY[n, 1]) FROM generate_series(1, 30) n;
INSERT INTO rooms SELECT n, int4range(n, n + 5) FROM generate_series(1, 10) n;
COMMENT ON EXTENSION hstore IS 'ours';
CREATE DOMAIN email AS public.citext CHECK (VALUE ~ '@');
CREATE TABLE mails (m email PRIMARY KEY);
INSERT INTO mails VALUES ('A@b'), ('c@D');
DO $$BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'uuid-ossp') THEN CREATE EXTENSION "uuid-ossp" SCHEMA ext; END IF;
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pgcrypto') THEN CREATE EXTENSION pgcrypto; END IF;
END$$;
