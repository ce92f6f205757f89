-- Two hundred small tables, each with a key, a serial and a reference to the one before.
DO $$BEGIN FOR n IN 1..200 LOOP
    EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, before integer %s, t text)', n, CASE WHEN n > 1 THEN format('REFERENCES t%s', n - 1) END);
    EXECUTE format('INSERT INTO t%s (before, t) SELECT g, ''x'' FROM generate_series(1, 3) g', n);
END LOOP; END$$;
