-- Values that pg_dump's INSERTs do not carry: the sign of a zero, which is written as a bare number.
CREATE TABLE zeros (id integer PRIMARY KEY, r real, d double precision, rs real[], p point);
INSERT INTO zeros SELECT n, '-0', '-0', '{-0}', '(-0,0)' FROM generate_series(1, 120) n;
CREATE TABLE domains (id integer);
CREATE DOMAIN minus AS real CHECK (VALUE < 1);
CREATE TABLE of_domain (m minus, d double precision);
INSERT INTO of_domain SELECT '-0', '-0' FROM generate_series(1, 101);
