-- Row security forced and plain, policies of every kind, grants on columns, default privileges, foreign owners.
DO $$BEGIN
    IF to_regrole('corpus_owner') IS NULL THEN CREATE ROLE corpus_owner NOLOGIN; END IF;
    IF to_regrole('corpus_reader') IS NULL THEN CREATE ROLE corpus_reader NOLOGIN; END IF;
    IF to_regrole('"Corpus ""Odd"" Role"') IS NULL THEN CREATE ROLE "Corpus ""Odd"" Role" NOLOGIN; END IF;
END$$;
CREATE SCHEMA vault AUTHORIZATION corpus_owner;
CREATE TABLE vault.notes (id integer PRIMARY KEY, owner name DEFAULT current_user, body text, secret text);
INSERT INTO vault.notes SELECT n, CASE WHEN n % 2 = 0 THEN 'corpus_reader' ELSE 'nobody' END, 'body', 'secret' FROM generate_series(1, 40) n;
ALTER TABLE vault.notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON vault.notes USING (owner = current_user) WITH CHECK (body <> ';');
CREATE POLICY a_few ON vault.notes AS RESTRICTIVE FOR SELECT TO corpus_reader, "Corpus ""Odd"" Role" USING (id > (SELECT 0));
CREATE POLICY "add; only" ON vault.notes FOR INSERT TO PUBLIC WITH CHECK (true);
ALTER TABLE vault.notes OWNER TO corpus_owner;
GRANT USAGE ON SCHEMA vault TO corpus_reader;
GRANT SELECT (id, body), UPDATE (body) ON vault.notes TO corpus_reader WITH GRANT OPTION;
GRANT SELECT ON vault.notes TO corpus_reader;
GRANT ALL ON vault.notes TO "Corpus ""Odd"" Role";
CREATE TABLE forced (a integer);
ALTER TABLE forced ENABLE ROW LEVEL SECURITY;
INSERT INTO forced VALUES (1), (2);
CREATE FUNCTION secret() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
REVOKE ALL ON FUNCTION secret() FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA vault GRANT SELECT ON TABLES TO corpus_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE corpus_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE "Corpus ""Odd"" Role" IN SCHEMA public GRANT USAGE ON SEQUENCES TO PUBLIC;
