-- Values that are hard to write down: NaN, infinity, BC, empty, backslashes, tabs, line ends, the end-of-data mark.
CREATE TABLE texts (id integer PRIMARY KEY, t text, v varchar(20), c char(5));
INSERT INTO texts VALUES (1, '\.', '\N', ''), (2, E'\\.\n\\.', E'a\tb', 'x'), (3, E'\r\n', E'\r', E' \n'), (4, NULL, '', NULL),
    (5, E'\b\f\v\x01\x7f', 'NULL', 'null'), (6, repeat('long ', 20000), 'v', 'c'), (7, E'COPY public.texts FROM stdin;\n1\t2\n\\.\n', '--', '/*'),
    (8, 'it''s; $$ -- $a$ /* ', E'\\''', '"'), (9, E'\n-- PostgreSQL database dump complete\n', ';', ''''), (10, E'\\! echo', '\connect', '\q');
CREATE TABLE odd (n numeric, r real, d double precision, t timestamp, tz timestamptz, da date, i interval, b boolean, ti time, tt timetz, m money, o oid, ch "char");
INSERT INTO odd VALUES ('NaN', 'NaN', '-Infinity', 'infinity', '-infinity', 'infinity', '-178000000 years', true, '24:00', '00:00+15:59', '-92233720368547758.08', 4294967295, 'x'),
    ('Infinity', '1e-37', '1.7976931348623157e308', '4713-01-01 BC', '0044-03-15 BC 12:00Z', '4713-01-01 BC', '1 mon -1 day 00:00:00.000001', false, '00:00', '23:59:59.999999-15:59', '0.01', 0, ''),
    (1e-300, 3.4028235e38, 5e-324, '294276-12-31 23:59:59.999999', '1883-11-18 12:03:57Z', '5874897-12-31', '0', NULL, NULL, NULL, NULL, NULL, NULL), (repeat('9', 1000)::numeric, 0.1, 0.1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE many (b bit(5), vb bit varying, by bytea, u uuid, i inet, ci cidr, ma macaddr, m8 macaddr8, p point, l line, ls lseg, bx box, pa path, po polygon, ci2 circle, j json, jb jsonb, jp jsonpath, ts tsvector, tq tsquery, ln pg_lsn, sn pg_snapshot, rc regclass, rt regtype, na name, i2 int2vector);
INSERT INTO many VALUES (B'10101', B'', '\x00ff5c0a', '00000000-0000-0000-0000-000000000000', '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '(NaN,1e300)', '{1,2,3}', '[(0,0),(1,1)]', '(1,1),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '<(0,0),1>',
    '{"a" : 1,  "a":2, "b\u0041":"\\n"}', '{"a": [1.0, 1.00, "\"", null, {}]}', '$.a[*] ? (@ > 1)', $$'it''s':1A 'b\\c':2,3$$, $$'a' & !'b' <-> 'c':*A$$, '0/16B3748', '10:20:10,14,15', 'pg_class', 'integer[]', 'n', '1 2 3');
INSERT INTO many (b) VALUES (NULL);
CREATE TABLE arrays (t text[], n numeric[], j jsonb[], b bytea[], s text[]);
INSERT INTO arrays VALUES (ARRAY['a,b', '{}', '"', '\', NULL, 'NULL', '', E'\n'], '{NaN,1.0,1.00}', ARRAY['{"a":"}"}']::jsonb[], ARRAY['\x5c22']::bytea[], '{{a,b},{c,d}}');
CREATE TABLE no_columns ();
INSERT INTO no_columns SELECT FROM generate_series(1, 5);
CREATE TABLE one_null (a integer);
INSERT INTO one_null SELECT NULL FROM generate_series(1, 4);
CREATE TABLE one_empty (a text);
INSERT INTO one_empty VALUES (''), ('\N'), (NULL);
CREATE TABLE xmls (x xml);
DO $do$BEGIN INSERT INTO xmls VALUES ('<a b="c">]]&gt;<!-- x; --></a>'), (NULL); EXCEPTION WHEN feature_not_supported THEN INSERT INTO xmls VALUES (NULL); END$do$;
