-- case: nothing
SELECT 1
-- case: rows added
INSERT INTO office.customers (name, email) SELECT 'new', 'n' || n FROM generate_series(1, 500) n
-- case: daily churn
DELETE FROM office.jobs WHERE id <= 10;
INSERT INTO office.jobs SELECT n, 'job' FROM generate_series(21, 29) n
-- case: a few rows deleted
DELETE FROM office.items WHERE invoice_id > 190
-- case: every row updated
UPDATE office.customers SET notes = 'seen'
-- case: cache table of another size within tolerance
INSERT INTO office.cache SELECT 'new ' || n FROM generate_series(1, 90) n
-- case: new table
CREATE TABLE office.projects (id integer PRIMARY KEY, name text NOT NULL)
-- case: new column
ALTER TABLE office.customers ADD COLUMN phone text
-- case: new column with default
ALTER TABLE office.customers ADD COLUMN active boolean NOT NULL DEFAULT true
-- case: new index
CREATE INDEX ON office.customers (name)
-- case: new check
ALTER TABLE office.items ADD CHECK (position > 0)
-- case: new foreign key
ALTER TABLE office.jobs ADD COLUMN customer_id integer REFERENCES office.customers
-- case: new view
CREATE VIEW office.all_customers AS SELECT * FROM office.customers
-- case: new function
CREATE FUNCTION office.one() RETURNS integer LANGUAGE sql AS 'SELECT 1'
-- case: new trigger
CREATE TRIGGER second BEFORE INSERT ON office.invoices FOR EACH ROW EXECUTE FUNCTION office.check_total()
-- case: new grant
GRANT SELECT ON office.customers TO clerk
-- case: new policy
CREATE POLICY all_for_office ON office.invoices TO office USING (true)
-- case: new extension
CREATE EXTENSION pgcrypto
-- case: new schema
CREATE SCHEMA archive;
CREATE TABLE archive.old (id integer)
-- case: new sequence
CREATE SEQUENCE office.more
-- case: new publication
CREATE PUBLICATION second FOR TABLE office.items
-- case: next partition
CREATE TABLE office.ledger_2027 PARTITION OF office.ledger FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')
-- case: partitions rotate
CREATE TABLE office.ledger_2027 PARTITION OF office.ledger FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
INSERT INTO office.ledger SELECT at + 700, what FROM office.ledger WHERE at < '2026-01-01';
DROP TABLE office.ledger_2025
-- case: refreshed view
REFRESH MATERIALIZED VIEW office.totals
-- case: comment changed
COMMENT ON TABLE office.invoices IS 'other words'
-- case: reindexed and vacuumed
REINDEX SCHEMA office
-- case: rewritten in the same words
CREATE OR REPLACE VIEW office.open_invoices WITH (security_barrier) AS SELECT i.id, c.name, i.total FROM office.invoices i JOIN office.customers c ON (c.id = i.customer_id) WHERE (i.state = 'open')
-- case: sequence moved on
SELECT nextval('office.receipt_numbers') FROM generate_series(1, 90)
-- case: migration drops a column
UPDATE office.alembic_version SET version_num = 'd4e5f6';
ALTER TABLE office.customers DROP COLUMN notes
-- case: migration drops a table
UPDATE office.alembic_version SET version_num = 'd4e5f6';
DROP TABLE office.items
-- case: migration changes a function
UPDATE office.alembic_version SET version_num = 'd4e5f6';
CREATE OR REPLACE FUNCTION office.vat(total numeric, rate numeric DEFAULT 0.2) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT 0'
-- case: migration renames a table
UPDATE office.alembic_version SET version_num = 'd4e5f6';
ALTER TABLE office.jobs RENAME TO tasks
-- case: migration replaces an index
UPDATE office.alembic_version SET version_num = 'd4e5f6';
DROP INDEX office.invoices_state_idx;
CREATE INDEX invoices_state_idx ON office.invoices (state, issued)
-- case: migration narrows a type
UPDATE office.alembic_version SET version_num = 'd4e5f6';
ALTER TABLE office.customers ALTER email TYPE varchar(40)
-- case: migration changes a grant
UPDATE office.alembic_version SET version_num = 'd4e5f6';
REVOKE INSERT ON office.invoices FROM clerk
-- case: migration adds an enum value
UPDATE office.alembic_version SET version_num = 'd4e5f6';
ALTER TYPE office.state ADD VALUE 'lost'
