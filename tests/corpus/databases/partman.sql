-- pg_partman: a managed parent with a template table, and its maintenance done once.
-- needs: pg_partman
CREATE SCHEMA partman;
CREATE EXTENSION pg_partman SCHEMA partman;
CREATE TABLE measurements (id bigint NOT NULL, at timestamptz NOT NULL, value double precision) PARTITION BY RANGE (at);
CREATE TABLE measurements_template (LIKE measurements);
ALTER TABLE measurements_template ADD PRIMARY KEY (id);
CREATE INDEX measurements_value ON measurements (value);
SELECT partman.create_parent('public.measurements', 'at', 'native', 'daily', p_template_table := 'public.measurements_template', p_premake := 3, p_start_partition := (now() - interval '5 days')::text);
INSERT INTO measurements SELECT n, now() - n % 4 * interval '1 day', n FROM generate_series(1, 200) n;
SELECT partman.run_maintenance();
