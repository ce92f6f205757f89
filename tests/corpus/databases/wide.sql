-- Tables of 300 columns, of values of 100 kB, of 5000 rows, and an index of 32 columns.
DO $$BEGIN EXECUTE 'CREATE TABLE wide (' || (SELECT string_agg(format('c%s %s', n, (ARRAY['integer', 'text', 'boolean', 'numeric'])[1 + n % 4]), ', ') FROM generate_series(1, 300) n) || ')'; END$$;
DO $$BEGIN EXECUTE 'INSERT INTO wide SELECT ' || (SELECT string_agg((ARRAY['g', '''t''', 'true', 'g * 1.5'])[1 + n % 4], ', ') FROM generate_series(1, 300) n) || ' FROM generate_series(1, 10) g'; END$$;
DO $$BEGIN EXECUTE 'CREATE UNIQUE INDEX wide_all ON wide (' || (SELECT string_agg('c' || n * 4, ', ') FROM generate_series(1, 32) n) || ')'; END$$;
CREATE TABLE heavy (id integer PRIMARY KEY, t text, b bytea);
INSERT INTO heavy SELECT n, repeat(md5(n::text) || E'\t\\', 3000), decode(repeat(md5(n::text), 3000), 'hex') FROM generate_series(1, 6) n;
CREATE TABLE long (id serial PRIMARY KEY, t text);
INSERT INTO long (t) SELECT 'row ' || n FROM generate_series(1, 5000) n;
