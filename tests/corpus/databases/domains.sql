-- Domains with checks over domains, arrays of them, composites, enums in odd order, ranges of our own.
CREATE DOMAIN positive AS numeric(12, 2) DEFAULT 1 CHECK (VALUE > 0);
CREATE DOMAIN price AS positive CONSTRAINT cheap CHECK (VALUE < 1e6) NOT NULL;
CREATE DOMAIN prices AS price[] CHECK (array_length(VALUE, 1) < 10);
CREATE DOMAIN code AS text COLLATE "C" CHECK (VALUE ~ '^[A-Z]{2}\d+$');
CREATE TYPE mood AS ENUM ('sad', 'ok');
ALTER TYPE mood ADD VALUE 'it''s; complicated' BEFORE 'ok';
COMMIT;
CREATE TYPE point3 AS (x double precision, y double precision, label text COLLATE "C");
CREATE TYPE line3 AS (a point3, b point3, moods mood[]);
CREATE TYPE floatspan AS RANGE (subtype = float8, subtype_diff = float8mi, multirange_type_name = floatspans);
CREATE DOMAIN wide AS line3 CHECK (VALUE IS NULL OR (VALUE).moods IS NOT NULL);
CREATE TABLE goods (id code PRIMARY KEY, price price, history prices, mood mood DEFAULT 'ok', line line3, spot wide,
    span floatspan, spans floatspans, days datemultirange, nums int4range[], grid integer[][] DEFAULT '{{1,2},{3,4}}');
INSERT INTO goods VALUES ('AB1', 2.5, '{1,2,3}', 'it''s; complicated', ROW(ROW(1, 2, 'a,b"c'), NULL, '{sad,ok}'),
    ROW(ROW(0, 0, ''), ROW('NaN', '-Infinity', NULL), '{}'), '[1.5,2.5)', '{[1,2),[5,6]}', '{[2026-01-01,2026-02-01),[2027-01-01,)}',
    '{"[1,5)",empty,"(,)"}', '[0:1][2:3]={{1,2},{3,NULL}}'), ('CD22', 1, NULL, NULL, NULL, NULL, 'empty', '{}', '{}', '{}', '{}');
CREATE TABLE of_type OF point3 (PRIMARY KEY (x), label DEFAULT 'unnamed');
INSERT INTO of_type VALUES (1, 2, NULL), (3, 4, 'named');
