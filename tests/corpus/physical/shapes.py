"""Tables, indexes and settings that are healthy, and look damaged to who reads files alone."""

SHAPES = """
CREATE TABLE few (v int, w text, n int) WITH (fillfactor = 60);
INSERT INTO few SELECT CASE WHEN n % 3 = 0 THEN NULL ELSE n % 7 END, 'w' || n % 5, n
    FROM generate_series(1, 20000) n;
CREATE INDEX few_v ON few (v);
CREATE INDEX few_w ON few (w) WITH (deduplicate_items = off);
CREATE INDEX few_both ON few (v DESC NULLS LAST, w) INCLUDE (n);
CREATE INDEX few_part ON few (lower(w)) WHERE n < 5000;
CREATE INDEX few_brin ON few USING brin (n);
CREATE TABLE gone (id int PRIMARY KEY, t text) WITH (autovacuum_enabled = off);
INSERT INTO gone SELECT n, repeat('t', n % 60) FROM generate_series(1, 20000) n;
DELETE FROM gone WHERE id BETWEEN 4000 AND 15000;
VACUUM gone;
DELETE FROM gone WHERE id < 500;
SELECT count(*) FROM gone WHERE id < 600;
VACUUM (INDEX_CLEANUP off) gone;
CREATE TABLE cut_back (id int PRIMARY KEY, t text);
INSERT INTO cut_back SELECT n, repeat('t', 100) FROM generate_series(1, 9000) n;
VACUUM cut_back;
DELETE FROM cut_back WHERE id > 1000;
VACUUM cut_back;
CREATE TABLE hot (id int PRIMARY KEY, n int) WITH (fillfactor = 50);
INSERT INTO hot SELECT n, 0 FROM generate_series(1, 3000) n;
UPDATE hot SET n = n + 1;
UPDATE hot SET n = n + 1;
VACUUM hot;
UPDATE hot SET id = id + 100000 WHERE id % 5 = 0;
CREATE TABLE parted (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
CREATE TABLE parted_2 PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT n, date '2026-01-01' + n % 365 FROM generate_series(1, 4000) n;
CREATE TABLE wide (id int PRIMARY KEY, body text, tags text[]);
INSERT INTO wide SELECT n, repeat(md5(n::text), 500), ARRAY[n::text]
    FROM generate_series(1, 300) n;
UPDATE wide SET body = body || 'x' WHERE id % 3 = 0;
DELETE FROM wide WHERE id % 4 = 0;
ALTER TABLE wide DROP COLUMN tags;
ALTER TABLE wide ADD COLUMN late int NOT NULL DEFAULT 7;
CREATE TABLE boxes (at point, r int4range, EXCLUDE USING gist (r WITH &&));
INSERT INTO boxes SELECT point(n, n), int4range(n * 10, n * 10 + 5) FROM generate_series(1, 500) n;
CREATE INDEX boxes_sp ON boxes USING spgist (at);
CREATE UNLOGGED TABLE scratch (id serial PRIMARY KEY, words text[]);
CREATE INDEX scratch_gin ON scratch USING gin (words);
INSERT INTO scratch (words) SELECT ARRAY['a', n::text] FROM generate_series(1, 500) n;
CREATE MATERIALIZED VIEW later AS SELECT * FROM few WITH NO DATA;
CREATE TABLE back (id int PRIMARY KEY);
BEGIN;
INSERT INTO back SELECT n FROM generate_series(1, 3000) n;
ROLLBACK;
INSERT INTO back SELECT n FROM generate_series(1, 30) n;
CREATE TABLE twice (n int);
INSERT INTO twice VALUES (1), (1);
CREATE TABLE emptied (id int PRIMARY KEY);
INSERT INTO emptied SELECT n FROM generate_series(1, 5000) n;
TRUNCATE emptied;
CREATE TABLE rewritten (id int PRIMARY KEY, t text);
INSERT INTO rewritten SELECT n, 't' FROM generate_series(1, 5000) n;
DELETE FROM rewritten WHERE id % 2 = 0;
VACUUM (FULL, FREEZE) rewritten;
CLUSTER rewritten USING rewritten_pkey;
ALTER TABLE rewritten SET TABLESPACE ts1;
CREATE SCHEMA "Große Namen";
CREATE TABLE "Große Namen"."a.b c" (id int PRIMARY KEY);
INSERT INTO "Große Namen"."a.b c" SELECT n FROM generate_series(1, 400) n;
CREATE DATABASE closed WITH ALLOW_CONNECTIONS false;
CREATE DATABASE "my-db" TABLESPACE ts1;
ALTER DATABASE shop SET search_path = nowhere;
ALTER DATABASE shop SET default_transaction_read_only = on;
ALTER ROLE postgres SET statement_timeout = '5s';
ANALYZE
"""
"""Statements end with a semicolon and an end of line."""
