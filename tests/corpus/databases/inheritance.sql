-- Inheritance of one and of two parents, with rows in each, merged columns and local checks.
CREATE TABLE places (name text NOT NULL, people integer DEFAULT 0, CHECK (people >= 0));
CREATE TABLE owned (owner text, name text NOT NULL);
CREATE TABLE cities (mayor text DEFAULT 'nobody') INHERITS (places);
CREATE TABLE capitals (of_state char(2), people integer DEFAULT 7) INHERITS (cities, owned);
CREATE TABLE orphaned (LIKE cities INCLUDING ALL);
ALTER TABLE orphaned INHERIT places;
ALTER TABLE places ADD CONSTRAINT only_here CHECK (name <> 'nowhere') NO INHERIT;
CREATE UNIQUE INDEX capitals_name ON capitals (name);
INSERT INTO places VALUES ('field', 1), ('farm', 2);
INSERT INTO cities VALUES ('nowhere', 3, 'x'), ('town', 4, DEFAULT);
INSERT INTO capitals (name, of_state, owner) VALUES ('seat', 'ab', 'crown');
INSERT INTO orphaned VALUES ('adopted', 5);
