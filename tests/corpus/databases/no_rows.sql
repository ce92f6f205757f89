-- Nearly nothing: one table with one row, no key, beside empty tables and an empty schema.
CREATE SCHEMA empty_schema;
CREATE TABLE empty_one (id serial PRIMARY KEY, t text NOT NULL);
CREATE TABLE empty_two (id integer REFERENCES empty_one);
CREATE TABLE no_columns ();
CREATE TABLE the_one (a integer);
INSERT INTO the_one VALUES (NULL);
