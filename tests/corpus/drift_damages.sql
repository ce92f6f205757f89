-- case: half of a table's rows
DELETE FROM office.items WHERE invoice_id > 100
-- case: a fifth of a table's rows
DELETE FROM office.items WHERE invoice_id > 160
-- case: emptied table
TRUNCATE office.items
-- case: emptied partition
TRUNCATE office.ledger_2025
-- case: rows of an heir
DELETE FROM office.contracts WHERE id > 3
-- case: half a table with a moved head
UPDATE office.alembic_version SET version_num = 'd';
DELETE FROM office.items WHERE invoice_id > 100
-- case: dropped table
DROP TABLE office.items
-- case: dropped empty table
DROP TABLE office.cache
-- case: renamed table
ALTER TABLE office.jobs RENAME TO tasks
-- case: table in another schema
ALTER TABLE office.jobs SET SCHEMA public
-- case: swapped tables
ALTER TABLE office.jobs RENAME TO x;
ALTER TABLE office.settings RENAME TO jobs;
ALTER TABLE office.x RENAME TO settings
-- case: logged table unlogged
ALTER TABLE office.jobs SET UNLOGGED
-- case: dropped schema
DROP SCHEMA office CASCADE
-- case: dropped foreign key
ALTER TABLE office.invoices DROP CONSTRAINT invoices_customer_id_fkey
-- case: foreign key cascades
ALTER TABLE office.invoices DROP CONSTRAINT invoices_customer_id_fkey, ADD CONSTRAINT invoices_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES office.customers ON DELETE CASCADE
-- case: foreign key deferrable
ALTER TABLE office.invoices ALTER CONSTRAINT invoices_customer_id_fkey DEFERRABLE
-- case: dropped primary key
ALTER TABLE office.settings DROP CONSTRAINT settings_pkey
-- case: narrower primary key
ALTER TABLE office.items DROP CONSTRAINT items_pkey, ADD CONSTRAINT items_pkey PRIMARY KEY (invoice_id)
-- case: dropped unique
ALTER TABLE office.customers DROP CONSTRAINT customers_email_key
-- case: dropped check
ALTER TABLE office.invoices DROP CONSTRAINT issued_is_sane
-- case: weaker check
ALTER TABLE office.invoices DROP CONSTRAINT issued_is_sane, ADD CONSTRAINT issued_is_sane CHECK (issued > '1900-01-01')
-- case: check not valid
ALTER TABLE office.invoices DROP CONSTRAINT issued_is_sane, ADD CONSTRAINT issued_is_sane CHECK (issued > '2000-01-01') NOT VALID
-- case: dropped exclusion
ALTER TABLE office.invoices DROP CONSTRAINT one_a_day
-- case: domain without its check
ALTER DOMAIN office.amount DROP CONSTRAINT amount_check
-- case: dropped index
DROP INDEX office.invoices_state_idx
-- case: dropped unique index
DROP INDEX office.customers_lower_idx
-- case: index without its condition
DROP INDEX office.invoices_state_idx;
CREATE INDEX invoices_state_idx ON office.invoices (state)
-- case: index over another column
DROP INDEX office.invoices_state_idx;
CREATE INDEX invoices_state_idx ON office.invoices (issued) WHERE state <> 'paid'
-- case: index of a materialised view
DROP INDEX office.totals_customer_idx
-- case: dropped policy
DROP POLICY clerks_see_open ON office.invoices
-- case: wider policy
ALTER POLICY clerks_see_open ON office.invoices USING (true)
-- case: policy for all
ALTER POLICY clerks_see_open ON office.invoices TO PUBLIC
-- case: policy without check
ALTER POLICY clerks_add ON office.invoices WITH CHECK (true)
-- case: row security off
ALTER TABLE office.invoices DISABLE ROW LEVEL SECURITY
-- case: row security not forced
ALTER TABLE office.invoices NO FORCE ROW LEVEL SECURITY
-- case: revoked grant
REVOKE SELECT ON office.invoices FROM clerk
-- case: revoked part of a grant
REVOKE INSERT ON office.invoices FROM clerk
-- case: revoked column grant
REVOKE SELECT (name) ON office.customers FROM clerk
-- case: revoked schema usage
REVOKE USAGE ON SCHEMA office FROM clerk
-- case: function open to the public
GRANT EXECUTE ON FUNCTION office.check_total() TO PUBLIC
-- case: function closed to the public
REVOKE EXECUTE ON FUNCTION office.vat(numeric, numeric) FROM PUBLIC
-- case: dropped default privileges
ALTER DEFAULT PRIVILEGES IN SCHEMA office REVOKE SELECT ON TABLES FROM clerk
-- case: owner changed
ALTER TABLE office.settings OWNER TO clerk
-- case: dropped trigger
DROP TRIGGER total_is_sane ON office.invoices
-- case: disabled trigger
ALTER TABLE office.invoices DISABLE TRIGGER total_is_sane
-- case: trigger for replicas
ALTER TABLE office.invoices ENABLE REPLICA TRIGGER total_is_sane
-- case: trigger on insert only
DROP TRIGGER total_is_sane ON office.invoices;
CREATE TRIGGER total_is_sane BEFORE INSERT ON office.invoices FOR EACH ROW EXECUTE FUNCTION office.check_total()
-- case: dropped rule
DROP RULE keep_settings ON office.settings
-- case: disabled rule
ALTER TABLE office.settings DISABLE RULE keep_settings
-- case: dropped event trigger
DROP EVENT TRIGGER watch_ddl
-- case: disabled event trigger
ALTER EVENT TRIGGER watch_ddl DISABLE
-- case: emptied function
CREATE OR REPLACE FUNCTION office.check_total() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = office, pg_temp AS 'BEGIN RETURN NEW;
END'
-- case: changed function
CREATE OR REPLACE FUNCTION office.vat(total numeric, rate numeric DEFAULT 0.2) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT total * rate * 2'
-- case: changed SQL body
CREATE OR REPLACE FUNCTION office.late(i office.invoices) RETURNS boolean LANGUAGE sql STABLE BEGIN ATOMIC SELECT (i).state = 'open'::office.state;
END
-- case: dropped function
DROP FUNCTION office.vat(numeric, numeric)
-- case: dropped procedure
DROP PROCEDURE office.close_year(integer)
-- case: function without security definer
ALTER FUNCTION office.check_total() SECURITY INVOKER
-- case: function without search_path
ALTER FUNCTION office.check_total() RESET search_path
-- case: function no longer strict
ALTER FUNCTION office.vat(numeric, numeric) CALLED ON NULL INPUT
-- case: function volatile
ALTER FUNCTION office.vat(numeric, numeric) VOLATILE
-- case: default of an argument
CREATE OR REPLACE FUNCTION office.vat(total numeric, rate numeric DEFAULT 0.3) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT total * rate'
-- case: dropped aggregate
DROP AGGREGATE office.product(numeric)
-- case: dropped operator
DROP OPERATOR office.@@@ (integer, integer)
-- case: dropped view
DROP VIEW office.open_invoices
-- case: changed view
CREATE OR REPLACE VIEW office.open_invoices WITH (security_barrier) AS SELECT i.id, c.name, i.total FROM office.invoices i JOIN office.customers c ON c.id = i.customer_id
-- case: view without its barrier
ALTER VIEW office.open_invoices RESET (security_barrier)
-- case: dropped materialised view
DROP MATERIALIZED VIEW office.totals
-- case: unpopulated materialised view
REFRESH MATERIALIZED VIEW office.totals WITH NO DATA
-- case: emptied by a refresh
DROP MATERIALIZED VIEW office.totals;
CREATE MATERIALIZED VIEW office.totals AS SELECT customer_id, sum(total) AS total FROM office.invoices WHERE false GROUP BY customer_id;
CREATE UNIQUE INDEX totals_customer_idx ON office.totals (customer_id)
-- case: dropped extension
DROP INDEX office.customers_name_trgm;
DROP EXTENSION pg_trgm
-- case: dropped column
ALTER TABLE office.customers DROP COLUMN notes
-- case: renamed column
ALTER TABLE office.customers RENAME COLUMN notes TO remarks
-- case: type narrowed
ALTER TABLE office.customers ALTER email TYPE varchar(40)
-- case: type changed
ALTER TABLE office.items ALTER position TYPE text
-- case: dropped default
ALTER TABLE office.invoices ALTER issued DROP DEFAULT
-- case: changed default
ALTER TABLE office.invoices ALTER state SET DEFAULT 'paid'
-- case: dropped not null
ALTER TABLE office.customers ALTER name DROP NOT NULL
-- case: dropped identity
ALTER TABLE office.customers ALTER id DROP IDENTITY
-- case: identity by default
ALTER TABLE office.customers ALTER id SET GENERATED BY DEFAULT
-- case: generated column made plain
ALTER TABLE office.invoices ALTER gross DROP EXPRESSION
-- case: storage changed
ALTER TABLE office.items ALTER what SET STORAGE MAIN
-- case: dropped sequence
DROP SEQUENCE office.receipt_numbers
-- case: changed sequence
ALTER SEQUENCE office.receipt_numbers INCREMENT 1
-- case: sequence of a serial dropped
DROP SEQUENCE office.invoices_id_seq CASCADE
-- case: sequence no longer owned
ALTER SEQUENCE office.invoices_id_seq OWNED BY NONE
-- case: enum value lost
DROP VIEW office.open_invoices;
DROP FUNCTION office.late;
DROP POLICY clerks_see_open ON office.invoices;
DROP INDEX office.invoices_state_idx;
DROP STATISTICS office.invoices_stats;
ALTER TABLE office.invoices ALTER state DROP DEFAULT, ALTER state TYPE text;
DROP TYPE office.state;
CREATE TYPE office.state AS ENUM ('open', 'paid');
ALTER TABLE office.invoices ALTER state TYPE office.state USING state::office.state, ALTER state SET DEFAULT 'open'
-- case: enum value renamed
ALTER TYPE office.state RENAME VALUE 'late' TO 'overdue'
-- case: composite lost a field
ALTER TYPE office.address DROP ATTRIBUTE city CASCADE
-- case: dropped publication
DROP PUBLICATION feed
-- case: table out of a publication
ALTER PUBLICATION feed DROP TABLE office.customers
-- case: publication of inserts only
ALTER PUBLICATION feed SET (publish = 'insert')
-- case: dropped statistics object
DROP STATISTICS office.invoices_stats
-- case: detached partition
ALTER TABLE office.ledger DETACH PARTITION office.ledger_2025
-- case: dropped partition
DROP TABLE office.ledger_2025
-- case: no longer an heir
ALTER TABLE office.contracts NO INHERIT office.papers
-- case: replica identity
ALTER TABLE office.items REPLICA IDENTITY NOTHING
-- case: default replica identity lost its key
ALTER TABLE office.customers REPLICA IDENTITY NOTHING
-- case: dropped collation
DROP COLLATION office.plain
-- case: dropped text search
DROP TEXT SEARCH CONFIGURATION office.words
-- case: head went back
DELETE FROM office.alembic_version
-- case: large objects
SELECT lo_unlink(70001)
-- case: another name of the database
SELECT 1
