-- Two thousand large objects with owners, comments and grants, some empty, some of several pages.
DO $$BEGIN
    IF to_regrole('corpus_owner') IS NULL THEN CREATE ROLE corpus_owner NOLOGIN; END IF;
    IF to_regrole('corpus_reader') IS NULL THEN CREATE ROLE corpus_reader NOLOGIN; END IF;
FOR n IN 1..2000 LOOP
    PERFORM lo_from_bytea(50000 + n * 3, CASE WHEN n % 50 = 0 THEN '' WHEN n % 99 = 0 THEN decode(repeat(md5(n::text), 700), 'hex') ELSE decode(md5(n::text) || '5c270a', 'hex') END);
    IF n % 9 = 0 THEN EXECUTE format('COMMENT ON LARGE OBJECT %s IS %L', 50000 + n * 3, E'it''s; \\ number\n' || n); END IF;
    IF n % 7 = 0 THEN EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO corpus_reader', 50000 + n * 3); END IF;
    IF n % 11 = 0 THEN EXECUTE format('ALTER LARGE OBJECT %s OWNER TO corpus_owner', 50000 + n * 3); END IF;
    IF n % 13 = 0 THEN EXECUTE format('REVOKE ALL ON LARGE OBJECT %s FROM %I', 50000 + n * 3, current_user); END IF;
END LOOP; END$$;
SELECT lo_put(50003, 100000, 'behind a hole');
CREATE TABLE files (id integer PRIMARY KEY, content oid NOT NULL);
INSERT INTO files SELECT n, 50000 + n * 3 FROM generate_series(1, 2000) n;
