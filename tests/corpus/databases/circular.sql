-- Foreign keys in circles, to themselves, of many columns, MATCH FULL, deferrable, with every action, NULLs in all places.
CREATE TABLE departments (id serial PRIMARY KEY, head integer NOT NULL, parent integer REFERENCES departments);
CREATE TABLE people (id serial PRIMARY KEY, department integer NOT NULL, boss integer, CONSTRAINT boss FOREIGN KEY (boss) REFERENCES people ON DELETE SET NULL ON UPDATE CASCADE);
ALTER TABLE departments ADD CONSTRAINT head FOREIGN KEY (head) REFERENCES people DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE people ADD CONSTRAINT department FOREIGN KEY (department) REFERENCES departments DEFERRABLE INITIALLY IMMEDIATE;
CREATE TABLE places (country char(2), city text, district integer, UNIQUE (city, country, district));
CREATE TABLE full_refs (country char(2), city text, district integer, FOREIGN KEY (country, city, district) REFERENCES places (country, city, district) MATCH FULL);
CREATE TABLE simple_refs (a text, b char(2), c integer, FOREIGN KEY (a, b, c) REFERENCES places (city, country, district) ON DELETE SET NULL (c) ON UPDATE SET DEFAULT);
CREATE TABLE cross_type (n bigint REFERENCES departments (id), m numeric);
CREATE TABLE twice (a integer REFERENCES people, b integer REFERENCES people, CONSTRAINT again FOREIGN KEY (a) REFERENCES people NOT DEFERRABLE);
BEGIN;
INSERT INTO departments (head, parent) SELECT n, nullif(n - 1, 0) FROM generate_series(1, 5) n;
INSERT INTO people (department, boss) SELECT 1 + n % 5, CASE WHEN n > 1 THEN n / 2 END FROM generate_series(1, 30) n;
COMMIT;
INSERT INTO places SELECT CASE WHEN n % 2 = 0 THEN 'aa' END, 'city', n FROM generate_series(1, 10) n;
INSERT INTO full_refs VALUES ('aa', 'city', 2), (NULL, NULL, NULL);
INSERT INTO simple_refs VALUES ('city', 'aa', 4), ('lost', NULL, 99), (NULL, 'zz', 1);
INSERT INTO cross_type VALUES (1, 1), (NULL, 2);
INSERT INTO twice VALUES (1, 2), (NULL, 3);
