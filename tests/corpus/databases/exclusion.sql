-- Exclusion constraints on ranges and circles, deferrable ones, unique with NULLs and included columns, odd index kinds.
CREATE TABLE bookings (room integer, during tsrange, EXCLUDE USING gist (during WITH &&) WHERE (room = 1),
    CONSTRAINT late EXCLUDE USING gist (during WITH &&, (int4range(room, room, '[]')) WITH &&) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE circles (c circle, EXCLUDE USING gist (c WITH &&));
CREATE TABLE accounts (id integer, name text, extra text, CONSTRAINT named UNIQUE (name) INCLUDE (extra) DEFERRABLE,
    CONSTRAINT key PRIMARY KEY (id) INCLUDE (name) WITH (fillfactor = 70));
CREATE UNIQUE INDEX accounts_low ON accounts (lower(name) text_pattern_ops DESC NULLS LAST) WHERE id > 0;
CREATE INDEX accounts_hash ON accounts USING hash (extra);
CREATE INDEX accounts_brin ON accounts USING brin (id) WITH (pages_per_range = 4);
CREATE INDEX accounts_gin ON accounts USING gin (to_tsvector('simple', coalesce(extra, '')));
CREATE INDEX circles_spgist ON bookings USING spgist (during);
ALTER TABLE accounts CLUSTER ON named;
ALTER TABLE accounts REPLICA IDENTITY USING INDEX key;
INSERT INTO bookings SELECT n % 3, tsrange(timestamp '2026-01-01' + n * interval '1 day', timestamp '2026-01-02' + n * interval '1 day') FROM generate_series(1, 30) n;
INSERT INTO circles SELECT circle(point(n * 10, 0), 2) FROM generate_series(1, 9) n;
INSERT INTO accounts SELECT n, 'name ' || n, CASE WHEN n % 4 = 0 THEN 'more' END FROM generate_series(1, 25) n;
CREATE TABLE no_rows_twice (a integer, b integer, UNIQUE NULLS NOT DISTINCT (a, b));
INSERT INTO no_rows_twice VALUES (NULL, 1), (NULL, NULL), (1, NULL);
