-- Unlogged tables and sequences, storage settings, toasted and compressed values, statistics objects, options of columns.
CREATE UNLOGGED TABLE cache (k text PRIMARY KEY, v bytea);
INSERT INTO cache SELECT 'k' || n, decode(md5(n::text), 'hex') FROM generate_series(1, 50) n;
CREATE UNLOGGED TABLE counted (id integer GENERATED ALWAYS AS IDENTITY);
INSERT INTO counted SELECT FROM generate_series(1, 3);
CREATE TABLE tuned (id integer, doc text COMPRESSION pglz, raw text) WITH (fillfactor = 50, autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER TABLE tuned ALTER doc SET STORAGE EXTERNAL, ALTER raw SET STATISTICS 500, ALTER id SET (n_distinct = -0.5);
INSERT INTO tuned SELECT n, (SELECT string_agg(md5((n * i)::text), '') FROM generate_series(1, 300) i), repeat('x', 20000) FROM generate_series(1, 12) n;
ALTER TABLE tuned ADD COLUMN added text DEFAULT 'fast default' NOT NULL;
ALTER TABLE tuned DROP COLUMN raw;
CREATE STATISTICS tuned_stats (ndistinct, dependencies, mcv) ON id, added FROM tuned;
CREATE STATISTICS tuned_expr ON (id % 3), (length(doc)) FROM tuned;
ALTER STATISTICS tuned_stats SET STATISTICS 50;
CREATE TABLE not_null (a integer NOT NULL, b integer CONSTRAINT named NOT NULL);
INSERT INTO not_null VALUES (1, 2);
CREATE ACCESS METHOD other_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE in_other (a integer) USING other_heap;
INSERT INTO in_other VALUES (1), (2);
