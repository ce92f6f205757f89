-- Five hundred tables with keys, indexes, comments and references, in ten schemas.
DO $$BEGIN FOR s IN 0..9 LOOP EXECUTE format('CREATE SCHEMA app_%s', s); END LOOP;
FOR n IN 1..500 LOOP
    EXECUTE format('CREATE TABLE app_%s.records_%s (id bigserial PRIMARY KEY, owner bigint %s, code text NOT NULL UNIQUE, made_at timestamptz NOT NULL DEFAULT now(), amount numeric(10, 2) CHECK (amount >= 0))',
        n % 10, n, CASE WHEN n > 1 THEN format('REFERENCES app_%s.records_%s', (n - 1) % 10, n - 1) END);
    EXECUTE format('CREATE INDEX ON app_%s.records_%s (owner)', n % 10, n);
    EXECUTE format('CREATE INDEX ON app_%s.records_%s (lower(code)) WHERE amount > 1', n % 10, n);
    EXECUTE format('COMMENT ON TABLE app_%s.records_%s IS ''number %s''', n % 10, n, n);
    EXECUTE format('INSERT INTO app_%s.records_%s (owner, code, amount) SELECT g, ''c'' || g, g FROM generate_series(1, 3) g', n % 10, n);
END LOOP; END$$;
