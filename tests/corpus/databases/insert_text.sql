-- Text that looks like SQL, COPY data or quotes of every kind, in rows that begin and end where batches do.
CREATE TABLE traps (id integer PRIMARY KEY, t text NOT NULL, "select; from" text DEFAULT E'a''b\\');
INSERT INTO traps VALUES (1, E');\nINSERT INTO public.traps VALUES (999, ''x'', NULL);', E'\n'), (2, E'\\.\n\\.\n', '\.'), (3, E'a\n);\n\n\n--\n-- Name: x; Type: TABLE; Schema: y; Owner: z\n--\n', ''),
    (4, $q$ $$ $a$ $q$ || '$q$', E'\\'''), (5, E'\'', E'\\'), (6, '(((', ')))'), (7, E'\n-- PostgreSQL database dump complete\n--\n', '/* '), (8, ' */', E'E''\\'''), (9, E'),\n\t(9, ''', 'NULL'),
    (10, E'COPY public.traps (id, t) FROM stdin;\n1\tx\n\\.\n', E'\r\n'), (11, E'\\connect postgres\n\\! true', E'\t'), (12, repeat(E'''', 999), repeat(E'\\', 999)), (13, repeat(E'long\n', 30000), 'x'), (14, E'\u2028\u0085', E'\x01\x7f\x0b\x0c'),
    (15, '', E''');\nBEGIN;\nDROP TABLE public.traps;\nCOMMIT;\n('), (16, 'é ß 日本 😀', 'U&''\0041'''), (17, ';', E';\n;'), (18, E'SET standard_conforming_strings = off;\n', '''::text'), (19, E'\n', E'--\n'), (20, 'x', NULL);
INSERT INTO traps SELECT n, CASE n % 7 WHEN 0 THEN E'it''s\n; \\' WHEN 1 THEN repeat(n || ''', (', n) WHEN 2 THEN E'\\N' ELSE 'plain ' || n END, NULLIF(n % 3, 0)::text FROM generate_series(21, 320) n;
CREATE TABLE hundred (id integer, t text);
INSERT INTO hundred SELECT n, E'x\n' || n FROM generate_series(1, 100) n;
CREATE TABLE hundred_and_one (id integer, t text);
INSERT INTO hundred_and_one SELECT n, NULL FROM generate_series(1, 101) n;
CREATE TABLE ones (t text);
INSERT INTO ones SELECT E'\n' || n FROM generate_series(1, 30) n;
INSERT INTO ones VALUES (''), (NULL), ('\.'), (E'\\.'), ('NULL'), (E'\\N');
CREATE TABLE "VALUES (" ("a)" integer, "b;
c" text, "d""'" text);
INSERT INTO "VALUES (" VALUES (1, ');', ''''), (2, NULL, E'\\');
CREATE TABLE "odd.table" ("$1" text, "E'" text, "--" text);
INSERT INTO "odd.table" VALUES ('$1', 'E''', '--'), ('%s', '%%', '{}');
CREATE TABLE no_columns ();
INSERT INTO no_columns SELECT FROM generate_series(1, 7);
CREATE TABLE none_kept (a integer, b text);
ALTER TABLE none_kept DROP COLUMN a, DROP COLUMN b;
INSERT INTO none_kept DEFAULT VALUES;
CREATE TABLE dropped (a integer, gone text, b text);
INSERT INTO dropped VALUES (1, 'x', E'y\nz'), (2, NULL, NULL);
ALTER TABLE dropped DROP COLUMN gone;
CREATE TABLE large_rows (id integer PRIMARY KEY, t text, b bytea);
INSERT INTO large_rows SELECT n, repeat(n || E''';\n\\.', 9000), decode(repeat(lpad(to_hex(n), 2, '0') || '5c270a', 20000), 'hex') FROM generate_series(1, 9) n;
