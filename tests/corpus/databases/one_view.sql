-- No table at all, but a view and a function.
-- red by its nature: test_database_has_rows
CREATE FUNCTION answer() RETURNS integer LANGUAGE sql RETURN 42;
CREATE VIEW lone AS SELECT n, public.answer() AS answer FROM generate_series(1, 10) n;
