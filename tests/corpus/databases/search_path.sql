-- Checks, defaults, indexes and triggers over functions in other schemas that bring their own search_path.
CREATE SCHEMA rules;
CREATE TABLE rules.limits (kind text PRIMARY KEY, most integer);
INSERT INTO rules.limits VALUES ('a', 10), ('b', 20);
CREATE FUNCTION rules.most(k text) RETURNS integer LANGUAGE sql STABLE SET search_path = rules AS 'SELECT most FROM limits WHERE kind = k';
CREATE FUNCTION rules.norm(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = rules, pg_temp AS $$BEGIN RETURN lower(btrim(t)); END$$;
CREATE TABLE orders (id serial PRIMARY KEY, kind text NOT NULL, n integer, name text DEFAULT rules.norm(' New '), CHECK (n > 0));
CREATE UNIQUE INDEX orders_norm ON orders (rules.norm(kind), id);
CREATE FUNCTION rules.check_order() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$BEGIN IF NEW.n > rules.most(NEW.kind) THEN RAISE EXCEPTION 'too many'; END IF; RETURN NEW; END$$;
CREATE TRIGGER check_order BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION rules.check_order();
INSERT INTO orders (kind, n) SELECT CASE WHEN g % 2 = 0 THEN 'a' ELSE 'b' END, 1 + g % 10 FROM generate_series(1, 20) g;
DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = rules, public', current_database()); END$$;
DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = ''10min''', current_database()); END$$;
