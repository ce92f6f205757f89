-- Views and functions whose text names what is gone.

-- case: view over a function that is lost
-- backup: known
-- finds: test_views_resolve: public.v: cache lookup failed for function
-- finds: test_every_object_came_back: cannot be dumped again
CREATE FUNCTION twice(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 2 * $1; END';
CREATE TABLE t (n int);
CREATE VIEW v WITH (security_barrier) AS SELECT twice(n) FROM t;
-- damage:
DELETE FROM pg_depend WHERE refobjid = 'twice'::regproc;
DROP FUNCTION twice;

-- case: view over a table that is lost
-- finds: test_views_resolve: could not open relation with OID
CREATE TABLE t (n int);
CREATE VIEW v AS SELECT n FROM t;
CREATE VIEW "V 2" AS SELECT n FROM v;
-- damage:
DELETE FROM pg_depend WHERE refobjid = 't'::regclass AND classid = 'pg_rewrite'::regclass;
DROP TABLE t;

-- case: materialised view that can no longer be refreshed
-- major: 15
-- finds: test_views_resolve: public.m: relation "limits" does not exist
CREATE TABLE limits (top int);
CREATE FUNCTION top() RETURNS int LANGUAGE sql STABLE AS 'SELECT top FROM limits';
CREATE MATERIALIZED VIEW m AS SELECT top();
ALTER FUNCTION top() SET search_path = public;
-- damage:
ALTER FUNCTION top() RESET search_path;

-- case: view that needs a setting of the application
-- not checked: view public.v: it could not be planned: unrecognized configuration parameter "app.tenant"
CREATE TABLE t (n int);
INSERT INTO t SELECT generate_series(1, 100);
CREATE VIEW v AS SELECT n FROM t WHERE n < current_setting('app.tenant')::int;

-- case: sql function over a table that is lost
-- finds: test_functions_resolve: public.total(): relation "t" does not exist
CREATE TABLE t (n int);
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT sum(n) FROM t';
-- damage:
DROP TABLE t;

-- case: sql procedure, overloaded
-- finds: test_functions_resolve: 1 function would fail when called: billing.fill(IN b text)
CREATE SCHEMA billing;
CREATE TABLE billing.t (n int, gone text);
CREATE PROCEDURE billing.fill(a int) LANGUAGE sql AS 'INSERT INTO billing.t (n) VALUES (a)';
CREATE PROCEDURE billing.fill(b text) LANGUAGE sql AS 'INSERT INTO billing.t (gone) VALUES (b)';
-- damage:
ALTER TABLE billing.t DROP gone;

-- case: plpgsql trigger function that declares a lost type
-- finds: test_functions_resolve: public.stamp(): type "mood" does not exist
-- not checked: names inside the statements of plpgsql bodies: plpgsql looks them up when a statement runs
CREATE TYPE mood AS ENUM ('calm');
CREATE TABLE t (n int);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'DECLARE m mood; BEGIN RETURN NEW; END';
CREATE TRIGGER stamp BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION stamp();
-- damage:
DROP TYPE mood;

-- case: plpgsql function that is no plpgsql
-- finds: test_functions_resolve: public.broken(): syntax error at or near
SET check_function_bodies = off;
CREATE FUNCTION broken() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETRN 1; END';

-- case: functions with a search path of their own, or of the application
-- note: 1 function would work only with a search_path that the application sets, not with the default one: billing.total()
CREATE SCHEMA billing;
CREATE SCHEMA "Odd, one";
CREATE TABLE billing.lines (n int);
CREATE TABLE "Odd, one".parts (n int);
SET check_function_bodies = off;
CREATE FUNCTION billing.total() RETURNS bigint LANGUAGE sql AS 'SELECT sum(n) FROM lines';
CREATE FUNCTION parts() RETURNS bigint LANGUAGE sql SET search_path = billing, "Odd, one" SET work_mem = '8MB' AS 'SELECT count(*) FROM parts, lines';
CREATE FUNCTION named() RETURNS bigint LANGUAGE sql SET search_path = '' AS 'SELECT count(*) FROM billing.lines';

-- case: function whose own search path lacks a schema
-- finds: test_functions_resolve: public.total(): relation "lines" does not exist
CREATE SCHEMA billing;
CREATE TABLE billing.lines (n int);
SET check_function_bodies = off;
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql SET search_path = public AS 'SELECT sum(n) FROM lines';

-- case: function in a language whose bodies are not resolved
-- not checked: bodies of 1 function in internal: public.plus(integer, integer): only sql and plpgsql bodies are resolved
CREATE FUNCTION plus(int, int) RETURNS int LANGUAGE internal IMMUTABLE AS 'int4pl';
CREATE FUNCTION any_way(VARIADIC anyarray) RETURNS int LANGUAGE sql AS 'SELECT cardinality($1)';
CREATE AGGREGATE summed (int) (SFUNC = plus, STYPE = int);
CREATE FUNCTION listed(OUT a int, OUT b text) RETURNS SETOF record LANGUAGE sql BEGIN ATOMIC SELECT 1, 'x'; END;

-- case: view over a function with unqualified names
-- backup: known
CREATE TABLE visits (page int);
INSERT INTO visits SELECT generate_series(1, 9);
CREATE FUNCTION visits_of(int) RETURNS bigint LANGUAGE sql STABLE
    AS 'SELECT count(*) FROM visits WHERE page = $1';
CREATE VIEW page_stats AS SELECT p, visits_of(p) FROM generate_series(1, 3) p;
CREATE VIEW constant AS SELECT visits_of(3);
CREATE MATERIALIZED VIEW never AS SELECT visits_of(3) WITH NO DATA;

-- case: view over a function that needs the application's search_path
-- backup: known
-- note: 1 view would work only with a search_path that the application sets, not with the default one: public.v
CREATE SCHEMA app;
CREATE TABLE app.limits (top int);
SET check_function_bodies = off;
CREATE FUNCTION app.top() RETURNS int LANGUAGE sql STABLE AS 'SELECT top FROM limits';
CREATE VIEW v AS SELECT app.top();

-- case: view over a function whose table is gone
-- finds: test_views_resolve: public.v: relation "limits" does not exist
-- finds: test_functions_resolve: relation "limits" does not exist
CREATE TABLE limits (top int);
CREATE FUNCTION top() RETURNS int LANGUAGE sql STABLE AS 'SELECT top FROM limits';
CREATE VIEW v AS SELECT top();
-- damage:
DROP TABLE limits;

-- case: views that read themselves, as some schemas have them
-- not checked: view public.a: it could not be planned: infinite recursion
CREATE VIEW a AS SELECT 1 AS n;
CREATE OR REPLACE VIEW a AS SELECT n FROM a;
