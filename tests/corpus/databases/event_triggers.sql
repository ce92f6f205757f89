-- Event triggers that watch, refuse while disabled, and wait for a replica.
CREATE TABLE ddl (at timestamptz DEFAULT clock_timestamp(), tag text);
CREATE TABLE kept (a integer);
INSERT INTO kept VALUES (1), (2);
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.ddl (tag) VALUES (TG_TAG); END$$;
CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no DDL here'; END$$;
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE') EXECUTE FUNCTION watch();
CREATE EVENT TRIGGER forbid ON ddl_command_start EXECUTE FUNCTION forbid();
ALTER EVENT TRIGGER forbid DISABLE;
CREATE EVENT TRIGGER "On Replica" ON sql_drop EXECUTE FUNCTION forbid();
ALTER EVENT TRIGGER "On Replica" ENABLE REPLICA;
CREATE TABLE watched (a integer);
COMMENT ON EVENT TRIGGER watch IS 'watches';
