-- A foreign data wrapper without a handler, servers, user mappings and foreign tables that cannot be read.
DO $$BEGIN IF to_regrole('corpus_reader') IS NULL THEN CREATE ROLE corpus_reader NOLOGIN; END IF; END$$;
CREATE FOREIGN DATA WRAPPER dummy OPTIONS (debug 'true');
CREATE SERVER far TYPE 'x' VERSION '1;2' FOREIGN DATA WRAPPER dummy OPTIONS (host 'it''s', "Odd Key" '1');
CREATE USER MAPPING FOR corpus_reader SERVER far OPTIONS ("user" 'u', password 'not a secret');
CREATE USER MAPPING FOR PUBLIC SERVER far;
CREATE FOREIGN TABLE away (id integer OPTIONS (column_name 'x') NOT NULL, t text, CHECK (id > 0)) SERVER far OPTIONS (table_name 'y;');
GRANT USAGE ON FOREIGN SERVER far TO corpus_reader;
CREATE TABLE parts (id integer, t text) PARTITION BY LIST (id);
CREATE TABLE parts_here PARTITION OF parts FOR VALUES IN (1);
CREATE VIEW over_away AS SELECT 1 AS a FROM away;
CREATE TABLE here (id integer PRIMARY KEY);
INSERT INTO here SELECT generate_series(1, 4);
INSERT INTO parts VALUES (1, 'x');
