-- Statements that pg_dump does not write among rows: each is put into the midst of a dump.

-- case: an update
UPDATE public.a_first SET t = t || '!' WHERE id < 5;

-- case: a division by zero
SELECT 1/0;

-- case: no SQL
INSRT INTO public.e_fifth VALUES (1);

-- case: a transaction
BEGIN;
INSERT INTO public.e_fifth VALUES (7, 'in it');
COMMIT;

-- case: a transaction rolled back
BEGIN;
INSERT INTO public.e_fifth VALUES (7, 'x');
ROLLBACK;

-- case: a transaction that fails
BEGIN;
SELECT 1/0;
INSERT INTO public.e_fifth VALUES (7, 'x');
COMMIT;

-- case: a transaction without an end
BEGIN;

-- case: an end without a transaction
COMMIT;

-- case: a rollback without a transaction
ROLLBACK;

-- case: a savepoint
SAVEPOINT one;

-- case: comments before a transaction
/* -- */ BEGIN; -- so
SELECT 1;
/* x */ COMMIT;

-- case: a block that warns
DO $$ BEGIN RAISE WARNING 'told'; END $$;

-- case: a block that fails
DO $$ BEGIN INSERT INTO public.e_fifth VALUES (8); RAISE EXCEPTION 'no'; END $$;

-- case: another search_path
SET search_path = public;
INSERT INTO e_fifth VALUES (9, 'found');

-- case: an unknown setting
SET no_such_setting = 1;

-- case: strings of old
SET standard_conforming_strings = off;
INSERT INTO public.e_fifth VALUES (1, 'a\'b\n;');

-- case: strings of old, back again
SET standard_conforming_strings = off;
INSERT INTO public.e_fifth VALUES (1, 'a\\');
SET standard_conforming_strings = on;
INSERT INTO public.e_fifth VALUES (1, 'a\');

-- case: another format of dates
SET datestyle = 'German';
SET intervalstyle = 'iso_8601';

-- case: a role
SET ROLE pg_monitor;

-- case: a role and back
SET ROLE pg_monitor;
INSERT INTO public.e_fifth VALUES (3);
RESET ROLE;

-- case: read only
SET default_transaction_read_only = on;

-- case: triggers off
SET session_replication_role = replica;
INSERT INTO public.e_fifth VALUES (99, 'x');

-- case: a trigger that warns
CREATE TRIGGER early BEFORE INSERT ON public.e_fifth FOR EACH ROW WHEN (NEW.a = 2) EXECUTE FUNCTION public.warn();

-- case: a rule
CREATE RULE twice AS ON INSERT TO public.e_fifth DO ALSO INSERT INTO public.d_fourth (t) VALUES ('ruled');

-- case: a rule instead
CREATE RULE never AS ON INSERT TO public.e_fifth WHERE new.a = 2 DO INSTEAD NOTHING;

-- case: row security
ALTER TABLE public.e_fifth ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- case: another column
ALTER TABLE public.e_fifth ADD COLUMN more integer DEFAULT 5;

-- case: a lost column
ALTER TABLE public.e_fifth DROP COLUMN t;

-- case: another type
ALTER TABLE public.e_fifth ALTER a TYPE text;

-- case: a new key
ALTER TABLE public.e_fifth ADD COLUMN id serial PRIMARY KEY;

-- case: a key that fails
CREATE UNIQUE INDEX e_once ON public.e_fifth (a);

-- case: emptied
TRUNCATE public.a_first;

-- case: dropped
DROP TABLE public.e_fifth;

-- case: renamed
ALTER TABLE public.e_fifth RENAME TO e_renamed;

-- case: rows of a query
INSERT INTO public.e_fifth SELECT 5, count(*)::text FROM public.a_first;

-- case: rows of functions
INSERT INTO public.e_fifth VALUES ((SELECT count(*) FROM public.e_fifth), lower('X')), (length('abc'), 'a' || 'b');

-- case: defaults
INSERT INTO public.d_fourth DEFAULT VALUES;
INSERT INTO public.d_fourth (t) VALUES (DEFAULT);

-- case: rows that come back
INSERT INTO public.e_fifth VALUES (6, 'r') RETURNING a;

-- case: rows renewed
INSERT INTO public.a_first VALUES (1, 'anew', 1) ON CONFLICT (id) DO UPDATE SET t = 'renewed';

-- case: rows passed over
INSERT INTO public.a_first VALUES (1, 'anew', 1), (900, 'new', 1) ON CONFLICT DO NOTHING;

-- case: an identity given
INSERT INTO public.d_fourth (id, t) VALUES (5, 'x');

-- case: an identity overridden
INSERT INTO public.d_fourth (id, t) OVERRIDING SYSTEM VALUE VALUES (5, 'x');
INSERT INTO public.d_fourth (id, t) OVERRIDING USER VALUE VALUES (5, 'y');

-- case: a generated value
INSERT INTO public.d_fourth (t, up) VALUES ('x', 'y');

-- case: columns turned round
INSERT INTO public.e_fifth (t, a) VALUES ('x', 4), (E'\'', 5), ($$a'$$, 6), (U&'\0041', 7);

-- case: too many values
INSERT INTO public.e_fifth VALUES (1, 'x', 3);

-- case: too few values
INSERT INTO public.e_fifth VALUES (1);

-- case: rows of different lengths
INSERT INTO public.e_fifth VALUES (1, 'x'), (2);

-- case: types that do not fit
INSERT INTO public.e_fifth VALUES ('1', 2), (3.7, 4.5), (true, 'x');

-- case: texts for numbers
INSERT INTO public.e_fifth VALUES (' 7 ', 'x'), ('8', NULL);

-- case: numbers of all kinds
INSERT INTO public.e_fifth VALUES (1e2, 'x'), (-0, 'y'), (+5, 'z'), (2.5, 'w'), (0x1F, 'v'), (1_000, 'u');

-- case: mixed types in a column
INSERT INTO public.e_fifth VALUES (1, 'x'), ('2', 'y'), (3.5, NULL), (NULL, 'n');

-- case: casts
INSERT INTO public.e_fifth VALUES (1::smallint, 'x'::varchar(1)), (int4 '2', text 'y'), (CAST('3' AS integer), 'z');

-- case: a comment within
INSERT INTO public.e_fifth VALUES (1, 'x' -- one;
), (2, /* two; */ 'y');

-- case: strings continued
INSERT INTO public.e_fifth VALUES (1, 'x'
'y'), (2, E'\x41'
'\n');

-- case: too long
INSERT INTO public.b_second VALUES (901, 1, '123456789', NULL), (902, 1, '12345678   ', NULL);

-- case: names in capitals
insert into PUBLIC.E_FIFTH values (1, 'x');
INSERT INTO public."E_FIFTH" VALUES (1, 'x');

-- case: two on a line
INSERT INTO public.e_fifth VALUES (1, 'x'); INSERT INTO public.e_fifth VALUES (2, 'y');SELECT 1/0; INSERT INTO public.e_fifth VALUES (3, 'z');

-- case: a table of the session
CREATE TEMP TABLE e_fifth (a integer, t text);
INSERT INTO e_fifth VALUES (1, 'temp');

-- case: a lock
LOCK TABLE public.e_fifth;

-- case: a limit of time
SET statement_timeout = '1ms';
SELECT pg_sleep(1);
SET statement_timeout = 0;

-- case: a sequence
SELECT pg_catalog.setval('public.d_fourth_id_seq', 1, false);
INSERT INTO public.d_fourth (t) VALUES ('next');

-- case: a function redefined
CREATE OR REPLACE FUNCTION pg_catalog.lower(text) RETURNS text LANGUAGE sql AS 'SELECT $1';

-- case: a prepared statement
PREPARE p AS INSERT INTO public.e_fifth VALUES (1, 'p');
EXECUTE p;
DEALLOCATE p;

-- case: a name of a transaction
START TRANSACTION;
INSERT INTO public.e_fifth VALUES (1, 'x');
END;

-- case: strings of old, shortened
SET standard_conforming_strings = of;
INSERT INTO public.e_fifth VALUES (1, 'a\'b;\\');
SET standard_conforming_strings TO DEFAULT;
INSERT INTO public.e_fifth VALUES (1, 'a\');

-- case: strings of old, by a query
SELECT pg_catalog.set_config('standard_conforming_strings', 'no', false);
INSERT INTO public.e_fifth VALUES (1, 'a\'b;\\');
RESET ALL;
INSERT INTO public.e_fifth VALUES (1, 'a\');

-- case: no strings of old
SET LOCAL standard_conforming_strings = off;
SET standard_conforming_strings = offf;
SELECT set_config('standard_conforming_strings', 'off', true);
INSERT INTO public.e_fifth VALUES (1, 'a\');

-- case: numbers of one sequence for two tables
ALTER TABLE public.b_second ADD COLUMN no integer DEFAULT nextval('public.d_fourth_id_seq');
ALTER TABLE public.e_fifth ADD COLUMN no integer DEFAULT nextval('public.d_fourth_id_seq');

-- case: numbers of one sequence, and a row that fails
ALTER TABLE public.e_fifth ADD COLUMN no integer DEFAULT nextval('public.d_fourth_id_seq');
INSERT INTO public.e_fifth VALUES (1, 'x'), (2, 'y');
INSERT INTO public.e_fifth VALUES (3, 'x', default), ('no', 'y', default);
INSERT INTO public.e_fifth VALUES (4, 'z');

-- case: a COPY of fewer columns
COPY public.d_fourth (t) FROM stdin;
one
two
\.

-- case: an identity overridden by the user
INSERT INTO public.d_fourth OVERRIDING USER VALUE VALUES (5, 'x', DEFAULT), (6, 'y', default);
