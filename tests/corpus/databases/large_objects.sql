-- Large objects: empty, binary, of several pages, with comment, grants and a row that names them.
DO $$BEGIN IF to_regrole('corpus_reader') IS NULL THEN CREATE ROLE corpus_reader NOLOGIN; END IF; END$$;
CREATE TABLE files (name text PRIMARY KEY, content oid, raw bytea);
INSERT INTO files SELECT 'file ' || n, lo_from_bytea(0, decode(repeat(lpad(to_hex(n * 7), 2, '0'), n * 900), 'hex')), decode(repeat('00ff5c27', n), 'hex') FROM generate_series(1, 8) n;
INSERT INTO files VALUES ('empty', lo_create(0), ''), ('none', NULL, NULL);
SELECT lo_create(424242);
COMMENT ON LARGE OBJECT 424242 IS 'holds; nothing';
GRANT SELECT ON LARGE OBJECT 424242 TO corpus_reader;
