-- Values of all types that INSERT writes otherwise than COPY, at their limits: numbers bare and quoted, bits, arrays, composites, domains.
CREATE TYPE level AS ENUM ('low', 'it''s; high', E'new\nline', '');
CREATE DOMAIN short AS varchar(5) CHECK (VALUE <> 'never');
CREATE DOMAIN whole AS integer CHECK (VALUE >= -5) DEFAULT 3;
CREATE DOMAIN rate AS numeric(8, 3) CHECK (VALUE <= 1000 OR VALUE = 'NaN');
CREATE TYPE pair AS (a integer, b text, c numeric[]);
CREATE DOMAIN paired AS pair CHECK ((VALUE).a IS DISTINCT FROM 13);
CREATE TABLE numbers (i2 int2, i4 int4, i8 int8, n numeric, n2 numeric(12, 4), r real, d double precision, o oid, m money, w whole, ra rate, b boolean);
INSERT INTO numbers VALUES (-32768, -2147483648, -9223372036854775808, 'NaN', 'NaN', 'NaN', 'NaN', 4294967295, '-92233720368547758.08', -5, 'NaN', true),
    (32767, 2147483647, 9223372036854775807, 1e131071, 99999999.9999, 3.4028235e38, 1.7976931348623157e308, 0, '92233720368547758.07', NULL, 1000, false),
    (0, 0, 0, 1e-16383, -0.0001, 1e-45, 5e-324, 1, '0', 0, 0.0005, NULL), (-1, -1, -1, '-0.000', 0, 0, 0, 2, '-0.01', 1, -999.999, true),
    (NULL, NULL, NULL, 1.10, 1, '-Infinity', 'Infinity', NULL, NULL, 2, 1.5, NULL), (1, 2, 3, 100000000000000000000000000000000000000000.5, 2, 0.1, 0.1, 3, '1.5', 3, 2, false),
    (1, 2, 3, 0, 2, 1.1754944e-38, 2.2250738585072014e-308, 3, '1', 3, 2, false), (1, 2, 3, 1e3, 2, 16777217, 9007199254740993, 3, '1', 3, 2, false);
CREATE TABLE bits (b bit(7), v bit varying(9), n bit varying, h bytea, e bytea, c char(6), vc varchar(4), s short, "char" "char", na name, l level);
INSERT INTO bits VALUES (B'1010101', B'', B'0', '\x', '\x00', 'a  ', 'b   ', 'c    ', 'x', repeat('n', 63), 'it''s; high'),
    (B'0000000', B'111111111', repeat('10', 500)::bit varying, '\x5c5c27220a0d09', decode('deadbeef', 'hex'), '', '', '', '', '', E'new\nline'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ''), (B'1111111', B'1', B'1', '\x6162', '\x61', E'\n', E'\t', E'''', '\200', ' ', 'low');
CREATE TABLE times (t timestamp(3), tz timestamptz(0), da date, i interval, im interval minute to second(2), iy interval year to month, ti time(2), tt timetz);
INSERT INTO times VALUES ('2026-02-28 23:59:59.9994', '1883-11-18 12:03:57Z', '0001-01-01 BC', '-1 year 2 mons -3 days 04:05:06.789', '00:59:02.345', '3 years 4 mons', '24:00', '23:59:59+15:59'), ('infinity', '-infinity', 'infinity', '0', '-0.01', '-1 mon', '00:00', '00:00-15:59'), ('4713-01-01 BC', '294276-12-31 23:59:59Z', '5874897-12-31', '178000000 years', NULL, NULL, NULL, NULL);
CREATE TABLE nested (p pair, pd paired, pa pair[], l level[], w whole[], ra rate[], i int4range, m int8multirange, t text[], te text[], b bytea[], n numeric[], mo money[], iv interval[], bo boolean[], js json, jb jsonb, x2 jsonb[]);
INSERT INTO nested VALUES (ROW(1, E'q"\\,()\n''', '{NaN,1.10,Infinity}'), ROW(NULL, '', '{}'), ARRAY[ROW(2, '{"a,b"}', NULL), NULL]::pair[], ARRAY['', 'it''s; high', E'new\nline', NULL]::level[], '{-5,NULL,7}', '{NaN,0.000}', '[1,)', '{[1,2],[5,9)}',
    ARRAY['', 'NULL', NULL, '{}', '"', '\', E'\n', ',', ' x '], '[0:1][5:6]={{a,b},{c,d}}', ARRAY['\x', '\x5c00']::bytea[], '{-0.0,1e300}', ARRAY['-1.50', '2']::money[], ARRAY['1 day', '-1 mon']::interval[], '{t,f,NULL}', '{"a": "\\\"; );\u0000"}', '{"a": "it''s", "b": [1.10, null]}', ARRAY['"\\n"', 'null']::jsonb[]),
    (NULL, NULL, '{}', '{}', '{}', '{}', 'empty', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', ' [1 , 2] ', '[]', '{}');
CREATE TABLE geometry (p point, l line, s lseg, b box, pa path, po polygon, c circle, u uuid, ip inet, ci cidr, ma macaddr, ts tsvector, tq tsquery, ln pg_lsn, re regclass, rt regtype, jp jsonpath, xi xid, ti tid);
INSERT INTO geometry VALUES ('(NaN,-0)', '{1e300,-2,3}', '[(0,0),(1e-300,1)]', '(1,1),(0,0)', '((0,0),(1,1))', '((0,0),(1,1),(2,0))', '<(0,0),Infinity>', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '::ffff:1.2.3.4/96', '::/0', 'ff:ff:ff:ff:ff:ff', $$'it''s':1A,2B 'a b;':3$$, $$!'it''s' & ('a' | 'b':*)$$, 'FFFFFFFF/FFFFFFFF', 'pg_class', 'numeric', '$."a b" ? (@ like_regex "\\d;")', '4294967295', '(4294967295,65535)');
INSERT INTO geometry (u) SELECT lpad(to_hex(n), 32, '0')::uuid FROM generate_series(1, 230) n;
CREATE TABLE defaults (a integer DEFAULT 1, b text DEFAULT 'd', c timestamptz DEFAULT '2000-01-01Z', d numeric DEFAULT random(), e text DEFAULT current_user);
INSERT INTO defaults VALUES (NULL, NULL, NULL, NULL, NULL), (2, '', 'epoch', 0.5, 'nobody');
