-- Rows that repeat a key, or exclude one another: the index was not kept up while they came.

-- case: primary key
-- finds: test_constraints_hold[public.t]: unique t_pkey: 2 rows violate it
-- finds: test_storage_is_sound: lacks matching index tuple within index "t_pkey"
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1), (2);
-- damage:
UPDATE pg_index SET indisready = false WHERE indexrelid = 't_pkey'::regclass;
INSERT INTO t VALUES (2), (2);
UPDATE pg_index SET indisready = true WHERE indexrelid = 't_pkey'::regclass;

-- case: several columns
-- finds: test_constraints_hold[public.t]: unique t_a_b_key: 1 row violates it
-- finds: test_storage_is_sound: lacks matching index tuple
CREATE TABLE t (a int, b text, UNIQUE (a, b));
INSERT INTO t VALUES (1, 'x'), (1, NULL);
-- damage:
UPDATE pg_index SET indisready = false WHERE indexrelid = 't_a_b_key'::regclass;
INSERT INTO t VALUES (1, 'x'), (1, NULL);
UPDATE pg_index SET indisready = true WHERE indexrelid = 't_a_b_key'::regclass;

-- case: nulls not distinct
-- finds: test_constraints_hold[public.t]: unique t_a_key: 1 row violates it
-- finds: test_storage_is_sound: lacks matching index tuple
CREATE TABLE t (a int UNIQUE NULLS NOT DISTINCT);
INSERT INTO t VALUES (1), (NULL);
-- damage:
UPDATE pg_index SET indisready = false WHERE indexrelid = 't_a_key'::regclass;
INSERT INTO t VALUES (NULL);
UPDATE pg_index SET indisready = true WHERE indexrelid = 't_a_key'::regclass;

-- case: expression, partial
-- finds: test_constraints_hold[public.t]: unique t_idx: 1 row violates it
-- finds: test_storage_is_sound: lacks matching index tuple
CREATE TABLE t (a text, gone bool);
CREATE UNIQUE INDEX t_idx ON t (lower(a)) WHERE NOT gone;
INSERT INTO t VALUES ('x', false), ('X', true);
-- damage:
UPDATE pg_index SET indisready = false WHERE indexrelid = 't_idx'::regclass;
INSERT INTO t VALUES ('X', false), ('x', true);
UPDATE pg_index SET indisready = true WHERE indexrelid = 't_idx'::regclass;

-- case: in a partition
-- finds: test_constraints_hold[public.t]: unique t_pkey: 1 row violates it
-- finds: test_storage_is_sound: lacks matching index tuple
CREATE TABLE whole (n int PRIMARY KEY) PARTITION BY RANGE (n);
CREATE TABLE t PARTITION OF whole DEFAULT;
INSERT INTO t VALUES (1);
-- damage:
UPDATE pg_index SET indisready = false WHERE indexrelid = 't_pkey'::regclass;
INSERT INTO t VALUES (1);
UPDATE pg_index SET indisready = true WHERE indexrelid = 't_pkey'::regclass;

-- case: constraint whose index no longer says that it is unique
-- finds: test_constraints_hold[public.t]: unique t_pkey: 1 row violates it
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);
-- damage:
UPDATE pg_index SET indisunique = false WHERE indexrelid = 't_pkey'::regclass;
INSERT INTO t VALUES (1);

-- case: operator class with the usual equality
CREATE TABLE t (a text, b bpchar, UNIQUE (a));
CREATE UNIQUE INDEX t_idx ON t (a text_pattern_ops, b bpchar_pattern_ops);

-- case: operator class with an equality of its own
-- not checked: unique index t_idx of public.t: its operator class has its own equality operator
CREATE TYPE pair AS (a numeric, b int);
CREATE TABLE t (p pair);
CREATE UNIQUE INDEX t_idx ON t (p record_image_ops);
INSERT INTO t VALUES ('(1.0,1)'), ('(1.00,1)');

-- case: materialised view
-- finds: test_unlisted_tables_hold: public.m: unique m_idx: 1 row violates it
-- finds: test_storage_is_sound: lacks matching index tuple
CREATE TABLE t (n int);
INSERT INTO t VALUES (1);
CREATE MATERIALIZED VIEW m AS SELECT n FROM t;
CREATE UNIQUE INDEX m_idx ON m (n);
-- damage:
INSERT INTO t VALUES (1);
UPDATE pg_index SET indisready = false WHERE indexrelid = 'm_idx'::regclass;
UPDATE pg_class SET relkind = 'r' WHERE relname = 'm';
INSERT INTO m VALUES (1);
UPDATE pg_class SET relkind = 'm' WHERE relname = 'm';
UPDATE pg_index SET indisready = true WHERE indexrelid = 'm_idx'::regclass;

-- case: exclusion
-- finds: test_constraints_hold[public.t]: exclusion t_room_during_excl: 1 row violates it
CREATE EXTENSION btree_gist;
CREATE TABLE t (room text, during int4range, EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (room <> 'hall'));
INSERT INTO t VALUES ('a', '[1,5)'), ('a', '[5,9)'), ('b', '[1,9)'), (NULL, '[1,9)'), ('c', NULL), ('hall', '[1,5)'), ('hall', '[2,6)');
-- damage:
UPDATE pg_index SET indisready = false WHERE indexrelid = 't_room_during_excl'::regclass;
INSERT INTO t VALUES ('a', '[8,10)'), ('b', '[20,30)');
UPDATE pg_index SET indisready = true WHERE indexrelid = 't_room_during_excl'::regclass;

-- case: without overlaps
-- major: 18
-- finds: test_constraints_hold[public.t]: exclusion t_pkey: 1 row violates it
CREATE EXTENSION btree_gist;
CREATE TABLE t (id int, at daterange, PRIMARY KEY (id, at WITHOUT OVERLAPS));
INSERT INTO t VALUES (1, '[2026-01-01,2026-02-01)'), (1, '[2026-02-01,2026-03-01)'), (2, '[2026-01-01,2026-02-01)');
-- damage:
UPDATE pg_index SET indisready = false WHERE indexrelid = 't_pkey'::regclass;
INSERT INTO t VALUES (1, '[2026-02-10,2026-02-20)');
UPDATE pg_index SET indisready = true WHERE indexrelid = 't_pkey'::regclass;

-- case: index whose function is lost
-- finds: test_constraints_hold[public.t]: unique t_idx: cannot be checked: cache lookup failed for function
-- finds: test_storage_is_sound: cache lookup failed for function
-- finds: test_tables_have_statistics: public.t
-- analyze: no
CREATE FUNCTION half(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 / 2; END';
CREATE TABLE t (n int, m int UNIQUE);
INSERT INTO t VALUES (1, 1), (8, 2);
CREATE UNIQUE INDEX t_idx ON t (half(n));
DELETE FROM pg_depend WHERE refobjid = 'half'::regproc;
DROP FUNCTION half;

-- case: equal numbers written otherwise, and a type without hashes
-- finds: test_constraints_hold[public.t]: unique t_n_b_key: 1 row violates it
-- finds: test_constraints_hold[public.u]: unique u_b_m_key: 2 rows violate it
-- finds: test_storage_is_sound: lacks matching index tuple
CREATE TABLE t (n numeric, b int, UNIQUE (n, b));
CREATE TABLE u (b bit(3), m int, UNIQUE (b, m));
INSERT INTO t VALUES (1.0, 1);
INSERT INTO u VALUES ('101', 1), ('100', 1);
-- damage:
UPDATE pg_index SET indisready = false WHERE indrelid IN ('t'::regclass, 'u'::regclass);
INSERT INTO t VALUES (1.00, 1), (2, 1);
INSERT INTO u VALUES ('101', 1), ('101', 1);
UPDATE pg_index SET indisready = true WHERE indrelid IN ('t'::regclass, 'u'::regclass);
