-- Rows that break a condition of their table, though the catalog calls it valid.

-- case: check
-- finds: test_constraints_hold[public.t]: check n_check: 1 row violates it
CREATE TABLE t (n int);
INSERT INTO t VALUES (1), (-2), (NULL);
-- damage:
ALTER TABLE t ADD CONSTRAINT n_check CHECK (n > 0) NOT VALID;
UPDATE pg_constraint SET convalidated = true WHERE NOT convalidated;

-- case: check that is not valid
-- finds: test_constraints_hold[public.t]: check n_check: 2 rows violate it
CREATE TABLE t (n int, o int CHECK (o > 0));
INSERT INTO t VALUES (1, 1), (-2, 2), (-3, 3);
-- damage:
ALTER TABLE t ADD CONSTRAINT n_check CHECK (n > 0) NOT VALID;

-- case: check, inherited
-- finds: test_constraints_hold[public.t]: check n_check: 1 row violates it
CREATE TABLE ancestor (n int);
CREATE TABLE t () INHERITS (ancestor);
INSERT INTO t VALUES (-1);
-- damage:
ALTER TABLE ancestor ADD CONSTRAINT n_check CHECK (n > 0) NOT VALID;
UPDATE pg_constraint SET convalidated = true WHERE NOT convalidated;

-- case: check of the parent alone
CREATE TABLE ancestor (n int, CONSTRAINT n_check CHECK (n > 0) NO INHERIT);
CREATE TABLE t () INHERITS (ancestor);
INSERT INTO ancestor VALUES (1);
INSERT INTO t VALUES (-1);

-- case: check whose function changed
-- finds: test_constraints_hold[public.t]: check t_n_check: 1 row violates it
CREATE FUNCTION fine(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE TABLE t (n int CHECK (fine(n)), m int CHECK (m > 0));
INSERT INTO t VALUES (1, 1), (2, 2);
-- damage:
CREATE OR REPLACE FUNCTION fine(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 1';

-- case: check whose function is lost
-- finds: test_constraints_hold[public.t]: check t_n_check: cannot be checked: cache lookup failed for function
CREATE FUNCTION fine(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
CREATE TABLE t (n int CHECK (fine(n)), m int CHECK (m > 0));
INSERT INTO t VALUES (1, 1);
-- damage:
DELETE FROM pg_depend WHERE refobjid = 'fine'::regproc;
DROP FUNCTION fine;

-- case: check whose function needs the search path
CREATE TABLE limits (top int);
INSERT INTO limits VALUES (5);
CREATE FUNCTION fine(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN $1 <= (SELECT top FROM limits); END';
CREATE TABLE t (n int CHECK (fine(n)));
INSERT INTO t VALUES (5);

-- case: check of a whole row
-- finds: test_constraints_hold[public.t]: check whole: 1 row violates it
CREATE TABLE t (a int, b int);
CREATE FUNCTION ordered(t) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.a <= $1.b';
INSERT INTO t VALUES (1, 2), (3, 2);
-- damage:
ALTER TABLE t ADD CONSTRAINT whole CHECK (ordered(t.*)) NOT VALID;
UPDATE pg_constraint SET convalidated = true WHERE NOT convalidated;

-- case: domain over a domain
-- finds: test_constraints_hold[public.t]: domain low of column n: 1 row violates it
CREATE DOMAIN small AS numeric(9, 2);
CREATE DOMAIN tiny AS small CHECK (VALUE <> 13);
CREATE TABLE t (n tiny);
INSERT INTO t VALUES (1), (500), (NULL);
-- damage:
ALTER DOMAIN small ADD CONSTRAINT low CHECK (VALUE < 100 AND 'VALUE' <> "left"('x', 1)) NOT VALID;
UPDATE pg_constraint SET convalidated = true WHERE NOT convalidated;

-- case: domain that is not valid
-- finds: test_constraints_hold[public.t]: domain low of column n: 1 row violates it
-- finds: test_constraints_are_validated: public.small: low
CREATE DOMAIN small AS int;
CREATE TABLE t (n small);
INSERT INTO t VALUES (500);
-- damage:
ALTER DOMAIN small ADD CONSTRAINT low CHECK (VALUE < 100) NOT VALID;

-- case: domain that is not null
-- finds: test_constraints_hold[public.t]: domain given (not null) of column n: 1 row violates it
CREATE DOMAIN given AS int;
CREATE TABLE t (n given);
INSERT INTO t VALUES (NULL), (1);
-- damage:
UPDATE pg_type SET typnotnull = true WHERE typname = 'given';

-- case: domain inside an array
-- not checked: column public.t.list: the domains inside its arrays or composites
CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE TABLE t (list small[], single small);
INSERT INTO t VALUES ('{1,2}', 3);

-- case: not null
-- finds: test_constraints_hold[public.t]: not null N: 2 rows violate it
CREATE TABLE t ("N" int, m int NOT NULL);
INSERT INTO t VALUES (NULL, 1), (NULL, 2), (1, 3);
-- damage:
UPDATE pg_attribute SET attnotnull = true WHERE attname = 'N';

-- case: partition bound
-- finds: test_constraints_hold[public.t]: partition bound: 1 row violates it
CREATE TABLE whole (n int) PARTITION BY RANGE (n);
CREATE TABLE t (n int NOT NULL);
INSERT INTO t VALUES (1), (50);
-- damage:
ALTER TABLE t ADD CONSTRAINT bound CHECK (n >= 0 AND n < 10) NOT VALID;
UPDATE pg_constraint SET convalidated = true WHERE NOT convalidated;
ALTER TABLE whole ATTACH PARTITION t FOR VALUES FROM (0) TO (10);
ALTER TABLE t DROP CONSTRAINT bound;

-- case: not null that is not valid
-- major: 18
-- finds: test_constraints_hold[public.t]: not null n: 1 row violates it
-- finds: test_constraints_are_validated: public.t: given
CREATE TABLE t (n int);
INSERT INTO t VALUES (NULL);
-- damage:
ALTER TABLE t ADD CONSTRAINT given NOT NULL n NOT VALID;

-- case: check over a virtual column
-- major: 18
-- finds: test_constraints_hold[public.t]: check t_v_check: 1 row violates it
CREATE FUNCTION top() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 100';
CREATE TABLE t (n int, v int GENERATED ALWAYS AS (n * 2) VIRTUAL CHECK (v < top()));
INSERT INTO t (n) VALUES (1), (40);
-- damage:
CREATE OR REPLACE FUNCTION top() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 50';

-- case: check that is not enforced
-- major: 18
-- not checked: check public.t: t_n_check: it is NOT ENFORCED
CREATE TABLE t (n int CHECK (n > 0) NOT ENFORCED);
INSERT INTO t VALUES (-1);

-- case: not valid, and the backup validates it
-- finds: test_constraints_are_validated: 1 constraint not validated: public.t: n_check
-- backup: known
CREATE TABLE t (n int CONSTRAINT n_check CHECK (n > 0));
INSERT INTO t VALUES (1), (2);
-- damage:
UPDATE pg_constraint SET convalidated = false WHERE conname = 'n_check';

-- case: not valid in the source, and every row holds
-- backup: known
-- note: 4 constraints NOT VALID, as in the source, but every row meets them: public.O dd: O dd_n_check, public.heir: own
-- not checked: constraint public.small: low: it is NOT VALID in the source too
CREATE TABLE p (id int PRIMARY KEY);
CREATE DOMAIN small AS int;
CREATE TABLE t (n int, p int, s small);
CREATE TABLE heir () INHERITS (t);
CREATE TABLE "O dd" (n int) PARTITION BY RANGE (n);
CREATE TABLE part PARTITION OF "O dd" DEFAULT;
INSERT INTO p VALUES (1);
INSERT INTO t VALUES (1, 1, 1), (2, NULL, 2);
INSERT INTO heir VALUES (3, 9, 3);
INSERT INTO part VALUES (7);
ALTER TABLE t ADD FOREIGN KEY (p) REFERENCES p NOT VALID;
ALTER TABLE t ADD CONSTRAINT "n's; NOT VALID;" CHECK (n > 0) NOT VALID;
ALTER TABLE heir ADD CONSTRAINT own CHECK (n < 9) NOT VALID;
ALTER TABLE "O dd" ADD CHECK (n > 5) NOT VALID;
ALTER DOMAIN small ADD CONSTRAINT low CHECK (VALUE < 100) NOT VALID;
ALTER TABLE t ADD CONSTRAINT proved CHECK (n < 100) NOT VALID;
ALTER TABLE t VALIDATE CONSTRAINT proved;

-- case: not valid in the source, and rows violate it
-- backup: known
-- finds: test_constraints_hold[public.t]: check small: 1 row violates it
CREATE TABLE t (n int);
INSERT INTO t VALUES (1), (9);
ALTER TABLE t ADD CONSTRAINT small CHECK (n < 5) NOT VALID;
