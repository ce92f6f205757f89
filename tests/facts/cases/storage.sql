-- Damage that only amcheck, or nobody, can see.

-- case: index in another order than its operator class
-- finds: test_storage_is_sound: index public.t_idx on public.t: item order invariant violated for index "t_idx"
CREATE FUNCTION order_of(int, int) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT btint4cmp($1, $2)';
CREATE OPERATOR CLASS own_ops FOR TYPE int USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 order_of(int, int);
CREATE TABLE t (n int);
INSERT INTO t SELECT generate_series(1, 50);
CREATE UNIQUE INDEX t_idx ON t (n own_ops);
-- damage:
CREATE OR REPLACE FUNCTION order_of(int, int) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT btint4cmp($2, $1)';

-- case: rows older than their table says
-- finds: test_storage_is_sound: table public.t: xmin
CREATE TABLE t (n int);
INSERT INTO t VALUES (1);
-- damage:
UPDATE pg_class SET relfrozenxid = (txid_current() % 4294967296)::text::xid WHERE relname = 't';

-- case: event trigger that forbids everything
CREATE TABLE t (id int PRIMARY KEY, long text);
INSERT INTO t SELECT n, string_agg(md5((n * m)::text), '') FROM generate_series(1, 3) n, generate_series(1, 400) m GROUP BY n;
CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'; END$$;
CREATE EVENT TRIGGER forbid ON ddl_command_start EXECUTE FUNCTION forbid();

-- case: access methods that amcheck does not read
-- major: 15
-- not checked: storage of 2 relations: public.t_gin, public.t_hash: amcheck of PostgreSQL 15 does not read gin, hash
CREATE TABLE t (a int, b int[]);
CREATE INDEX t_hash ON t USING hash (a);
CREATE INDEX t_gin ON t USING gin (b);

-- case: gin
-- major: 18
CREATE TABLE t (b int[]);
INSERT INTO t SELECT ARRAY[n, n + 1, 7] FROM generate_series(1, 2000) n;
CREATE INDEX t_gin ON t USING gin (b);

-- case: foreign tables are not touched
-- analyze: no
-- not checked: view public.far_view: its rows are on another server
-- not checked: sequence public.whole_n_seq: its rows are on another server
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE TABLE whole (n serial) PARTITION BY RANGE (n);
CREATE TABLE near PARTITION OF whole FOR VALUES FROM (0) TO (10);
CREATE FOREIGN TABLE far PARTITION OF whole FOR VALUES FROM (10) TO (20) SERVER files OPTIONS (filename '/nowhere');
CREATE VIEW far_view AS SELECT * FROM whole;
INSERT INTO near DEFAULT VALUES;
ANALYZE near;

-- case: long values without their TOAST
-- finds: test_storage_is_sound: table public.t: toast value
CREATE TABLE t (long text);
CREATE TABLE other (long text);
ALTER TABLE t ALTER long SET STORAGE EXTERNAL;
INSERT INTO t VALUES (repeat('x', 9000));
-- damage:
UPDATE pg_class c SET reltoastrelid = (SELECT reltoastrelid FROM pg_class WHERE relname = 'other') WHERE relname = 't';
