-- Eight hundred partitions of two levels, in schemas of their own, with keys and indexes.
CREATE TABLE events (day date NOT NULL, tenant int NOT NULL, id bigint NOT NULL, what text, PRIMARY KEY (day, tenant, id)) PARTITION BY RANGE (day);
CREATE INDEX events_what ON events (tenant, what);
DO $$DECLARE s text; d date; BEGIN FOR m IN 0..39 LOOP
    s := format('events_%s', m); d := DATE '2023-01-01' + 30 * m;
    EXECUTE format('CREATE SCHEMA %I', s);
    EXECUTE format('CREATE TABLE %I.month PARTITION OF public.events FOR VALUES FROM (%L) TO (%L) PARTITION BY LIST (tenant)', s, d, d + 30);
    FOR t IN 0..18 LOOP
        EXECUTE format('CREATE TABLE %I.tenant_%s PARTITION OF %I.month FOR VALUES IN (%s)', s, t, s, t);
    END LOOP;
END LOOP; END$$;
INSERT INTO events SELECT DATE '2023-01-01' + n % 1200, n % 19, n, 'event ' || n FROM generate_series(1, 4000) n;
