-- What the catalog alone tells.

-- case: trigger disabled
-- finds: test_triggers_are_enabled: trigger stamp on public.t is disabled
CREATE TABLE t (n int);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER stamp BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION stamp();
-- damage:
ALTER TABLE t DISABLE TRIGGER stamp;

-- case: trigger only for replicas
-- finds: test_triggers_are_enabled: trigger stamp on public.t fires only on a replica
CREATE TABLE t (n int);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER stamp BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION stamp();
-- damage:
ALTER TABLE t ENABLE REPLICA TRIGGER stamp;

-- case: triggers of a foreign key disabled, as a cut data-only dump leaves them
-- finds: test_triggers_are_enabled: a trigger of constraint child_parent_id_fkey on public.child is disabled
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (parent_id int REFERENCES parent);
-- damage:
ALTER TABLE child DISABLE TRIGGER ALL;

-- case: trigger of a partition disabled
-- finds: test_triggers_are_enabled: 1 trigger or rule disabled: trigger stamp on public.part is disabled
CREATE TABLE whole (n int) PARTITION BY RANGE (n);
CREATE TABLE part PARTITION OF whole DEFAULT;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER stamp BEFORE INSERT ON whole FOR EACH ROW EXECUTE FUNCTION stamp();
-- damage:
ALTER TABLE part DISABLE TRIGGER stamp;

-- case: rule disabled
-- finds: test_triggers_are_enabled: rule keep on public.t is disabled
CREATE TABLE t (n int);
CREATE RULE keep AS ON DELETE TO t DO INSTEAD NOTHING;
-- damage:
ALTER TABLE t DISABLE RULE keep;

-- case: event trigger disabled
-- finds: test_triggers_are_enabled: event trigger watch is disabled
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch ON ddl_command_start EXECUTE FUNCTION watch();
-- damage:
ALTER EVENT TRIGGER watch DISABLE;

-- case: all of it disabled in the source
-- backup: known
CREATE TABLE whole (n int) PARTITION BY RANGE (n);
CREATE TABLE part PARTITION OF whole DEFAULT;
CREATE TABLE "o d" (n int);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER "S t" BEFORE INSERT ON whole FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TRIGGER other BEFORE INSERT ON whole FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE RULE keep AS ON DELETE TO "o d" DO INSTEAD NOTHING;
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch ON ddl_command_start EXECUTE FUNCTION watch();
ALTER TABLE whole DISABLE TRIGGER "S t";
ALTER TABLE part ENABLE REPLICA TRIGGER other;
ALTER TABLE "o d" DISABLE RULE keep;
ALTER EVENT TRIGGER watch DISABLE;

-- case: index not valid
-- finds: test_indexes_are_valid: 1 index not valid: public.t_idx on t
CREATE TABLE t (n int);
CREATE INDEX t_idx ON t (n);
-- damage:
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_idx'::regclass;

-- case: index of a partitioned table without one on each partition
-- finds: test_indexes_are_valid: public.whole_idx on whole (no index on public.part_2)
CREATE TABLE whole (n int) PARTITION BY RANGE (n);
CREATE TABLE part_1 PARTITION OF whole FOR VALUES FROM (0) TO (10);
CREATE TABLE part_2 PARTITION OF whole DEFAULT;
-- damage:
CREATE INDEX whole_idx ON ONLY whole (n);
CREATE INDEX part_idx ON part_1 (n);
ALTER INDEX whole_idx ATTACH PARTITION part_idx;

-- case: partition not attached
-- backup: known
-- finds: test_partitions_are_attached: table public.part
-- finds: test_every_object_came_back: TABLE ATTACH public.part
CREATE TABLE whole (n int PRIMARY KEY) PARTITION BY RANGE (n);
CREATE TABLE part PARTITION OF whole DEFAULT;
-- damage:
ALTER TABLE whole DETACH PARTITION part;

-- case: partition half detached
-- finds: test_partitions_are_attached: public.part is half detached from public.whole
CREATE TABLE whole (n int) PARTITION BY RANGE (n);
CREATE TABLE part PARTITION OF whole DEFAULT;
-- damage:
UPDATE pg_inherits SET inhdetachpending = true;

-- case: materialised view not populated
-- backup: known
-- finds: test_materialised_views_are_populated: public.m
CREATE MATERIALIZED VIEW m AS SELECT 1 AS n;
-- damage:
REFRESH MATERIALIZED VIEW m WITH NO DATA;

-- case: materialised view not populated in the source
-- backup: known
-- note: materialised view public.m was not populated in the source
CREATE MATERIALIZED VIEW m AS SELECT 1 AS n WITH NO DATA;

-- case: no statistics
-- analyze: no
-- finds: test_tables_have_statistics: 1 table without statistics: public.t
CREATE TABLE t (n int);
CREATE TABLE t_empty (n int);
INSERT INTO t VALUES (1);

-- case: large object lost
-- backup: known
-- finds: test_large_objects_came_back: 1 large object restored, the backup has 2
SELECT lo_from_bytea(0, 'one'), lo_from_bytea(0, 'two');
-- damage:
SELECT lo_unlink(min(oid)) FROM pg_largeobject_metadata;

-- case: large object that a row names is lost
-- finds: test_large_objects_came_back: public.t.picture: 1 value without a large object
-- note: public.t.other: 2 values without a large object (harmless if they refer to something else)
CREATE EXTENSION lo;
CREATE TABLE t (picture lo, other oid);
INSERT INTO t VALUES (lo_from_bytea(0, 'one'), 1), (NULL, 1259);
-- damage:
SELECT lo_unlink(picture) FROM t;

-- case: policies, row security, grants, default privileges, publication and statistics lost
-- backup: known
-- finds: test_every_object_came_back: POLICY public.t own
-- finds: test_every_object_came_back: ROW SECURITY public.t
-- finds: test_every_object_came_back: DEFAULT ACL public.DEFAULT PRIVILEGES FOR TABLES
-- finds: test_every_object_came_back: ACL public.TABLE t
-- finds: test_every_object_came_back: COMMENT public.TABLE t
-- finds: test_every_object_came_back: PUBLICATION feed
-- finds: test_every_object_came_back: STATISTICS public.t_stats
CREATE TABLE t (n int, m int);
CREATE POLICY own ON t USING (n > 0);
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON t TO pg_monitor;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pg_monitor;
COMMENT ON TABLE t IS 'something';
CREATE PUBLICATION feed FOR TABLE t;
CREATE STATISTICS t_stats ON n, m FROM t;
-- damage:
DROP POLICY own ON t;
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
REVOKE SELECT ON t FROM pg_monitor;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM pg_monitor;
COMMENT ON TABLE t IS NULL;
DROP PUBLICATION feed;
DROP STATISTICS t_stats;
