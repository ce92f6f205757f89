CREATE ROLE office NOLOGIN;
CREATE ROLE clerk NOLOGIN;
CREATE EXTENSION pg_trgm;
CREATE SCHEMA office AUTHORIZATION office;
CREATE TYPE office.state AS ENUM ('open', 'paid', 'late');
CREATE TYPE office.address AS (street text, city text);
CREATE DOMAIN office.amount AS numeric(12, 2) CHECK (VALUE >= 0);
CREATE TABLE office.alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO office.alembic_version VALUES ('a1b2c3');
CREATE TABLE office.customers (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name varchar(80) NOT NULL,
    email text NOT NULL UNIQUE,
    notes text DEFAULT 'none',
    home office.address
);
CREATE TABLE office.invoices (
    id serial PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES office.customers (id) ON DELETE RESTRICT,
    total office.amount NOT NULL,
    state office.state NOT NULL DEFAULT 'open',
    issued date NOT NULL DEFAULT current_date,
    gross numeric GENERATED ALWAYS AS (total * 1.2) STORED,
    CONSTRAINT issued_is_sane CHECK (issued > '2000-01-01'),
    CONSTRAINT one_a_day EXCLUDE USING btree (id WITH =)
);
CREATE INDEX invoices_state_idx ON office.invoices (state) WHERE state <> 'paid';
CREATE UNIQUE INDEX customers_lower_idx ON office.customers (lower(email));
CREATE INDEX customers_name_trgm ON office.customers USING gin (name gin_trgm_ops);
CREATE STATISTICS office.invoices_stats ON customer_id, state FROM office.invoices;
CREATE TABLE office.items (
    invoice_id integer REFERENCES office.invoices (id), position integer, what text,
    PRIMARY KEY (invoice_id, position)
);
CREATE TABLE office.ledger (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE office.ledger_2025 PARTITION OF office.ledger
    FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE office.ledger_2026 PARTITION OF office.ledger
    FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE office.papers (id integer, title text);
CREATE TABLE office.contracts (signed date) INHERITS (office.papers);
CREATE TABLE office.settings (key text PRIMARY KEY, value text);
CREATE TABLE office.jobs (id integer PRIMARY KEY, what text);
CREATE UNLOGGED TABLE office.cache (key text PRIMARY KEY, value text);
CREATE SEQUENCE office.receipt_numbers START 1000 INCREMENT 5;
CREATE VIEW office.open_invoices WITH (security_barrier) AS
    SELECT i.id, c.name, i.total FROM office.invoices i
    JOIN office.customers c ON c.id = i.customer_id WHERE i.state = 'open';
CREATE MATERIALIZED VIEW office.totals AS
    SELECT customer_id, sum(total) AS total FROM office.invoices GROUP BY customer_id;
CREATE UNIQUE INDEX totals_customer_idx ON office.totals (customer_id);
CREATE FUNCTION office.check_total() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = office, pg_temp AS $$
BEGIN
    IF NEW.total > 1000000 THEN
        RAISE EXCEPTION 'too much';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER total_is_sane BEFORE INSERT OR UPDATE ON office.invoices
    FOR EACH ROW EXECUTE FUNCTION office.check_total();
CREATE FUNCTION office.vat(total numeric, rate numeric DEFAULT 0.2) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT total * rate';
CREATE FUNCTION office.late(i office.invoices) RETURNS boolean LANGUAGE sql STABLE
    BEGIN ATOMIC SELECT (i).state = 'late'::office.state; END;
CREATE PROCEDURE office.close_year(y integer) LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
REVOKE EXECUTE ON FUNCTION office.check_total() FROM PUBLIC;
CREATE FUNCTION office.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE EVENT TRIGGER watch_ddl ON ddl_command_end EXECUTE FUNCTION office.watch();
CREATE RULE keep_settings AS ON DELETE TO office.settings DO INSTEAD NOTHING;
ALTER TABLE office.invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE office.invoices FORCE ROW LEVEL SECURITY;
CREATE POLICY clerks_see_open ON office.invoices FOR SELECT TO clerk USING (state = 'open');
CREATE POLICY clerks_add ON office.invoices FOR INSERT TO clerk WITH CHECK (total < 500);
GRANT USAGE ON SCHEMA office TO clerk;
GRANT SELECT, INSERT ON office.invoices TO clerk;
GRANT SELECT (name) ON office.customers TO clerk;
GRANT EXECUTE ON FUNCTION office.check_total() TO clerk;
ALTER DEFAULT PRIVILEGES IN SCHEMA office GRANT SELECT ON TABLES TO clerk;
ALTER TABLE office.settings OWNER TO office;
ALTER TABLE office.items REPLICA IDENTITY FULL;
ALTER TABLE office.items ALTER what SET STORAGE EXTERNAL;
ALTER TABLE office.jobs SET (autovacuum_enabled = off);
CREATE PUBLICATION feed FOR TABLE office.invoices, office.customers;
CREATE COLLATION office.plain (locale = 'C');
CREATE TEXT SEARCH CONFIGURATION office.words (COPY = simple);
CREATE AGGREGATE office.product(numeric) (SFUNC = numeric_mul, STYPE = numeric);
CREATE OPERATOR office.@@@ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
COMMENT ON TABLE office.invoices IS 'what we are owed';
INSERT INTO office.customers (name, email)
    SELECT 'customer ' || n, 'c' || n || '@example.org' FROM generate_series(1, 40) n;
INSERT INTO office.invoices (customer_id, total, state, issued)
    SELECT 1 + n % 40, n, 'open', '2026-01-01' FROM generate_series(1, 200) n;
INSERT INTO office.items SELECT n, 1, 'thing' FROM generate_series(1, 200) n;
INSERT INTO office.ledger SELECT DATE '2025-03-01' + n * 10, 'entry' FROM generate_series(1, 60) n;
INSERT INTO office.papers SELECT n, 'paper' FROM generate_series(1, 10) n;
INSERT INTO office.contracts SELECT n, 'contract', '2026-01-01' FROM generate_series(1, 30) n;
INSERT INTO office.settings SELECT 'key ' || n, 'value' FROM generate_series(1, 12) n;
INSERT INTO office.jobs SELECT n, 'job' FROM generate_series(1, 20) n;
INSERT INTO office.cache SELECT 'key ' || n, 'value' FROM generate_series(1, 5) n;
REFRESH MATERIALIZED VIEW office.totals;
SELECT lo_from_bytea(70001, 'one'), lo_from_bytea(70002, 'two');
