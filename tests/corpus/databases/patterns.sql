-- what large schemas have: NOT VALID, shared sequences, recursive views, unqualified names
CREATE SEQUENCE public.ids;
CREATE TABLE public.hosts (id bigint DEFAULT nextval('public.ids') PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.items (
    id bigserial PRIMARY KEY, host bigint, price numeric, "shard no" bigint
);
ALTER TABLE public.items ALTER id SET DEFAULT nextval('public.ids');
CREATE SEQUENCE public.shards;
ALTER TABLE public.items ALTER "shard no" SET DEFAULT nextval('public.shards') * 1000;
INSERT INTO public.hosts (name) SELECT 'host ' || n FROM generate_series(1, 20) n;
INSERT INTO public.items (host, price) SELECT 1 + n % 20, n FROM generate_series(1, 200) n;
ALTER TABLE public.items ADD CONSTRAINT items_host_fk FOREIGN KEY (host)
    REFERENCES public.hosts (id) NOT VALID;
ALTER TABLE public.items ADD CONSTRAINT price_is_positive CHECK (price > 0) NOT VALID;
CREATE FUNCTION public.items_of(bigint) RETURNS bigint LANGUAGE sql STABLE
    AS 'SELECT count(*) FROM items WHERE host = $1';
CREATE VIEW public.host_items AS SELECT id, public.items_of(id) AS items FROM public.hosts;
CREATE FUNCTION public.helper(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
CREATE FUNCTION public.slug(text) RETURNS text LANGUAGE plpgsql IMMUTABLE
    AS 'BEGIN RETURN helper($1); END';
CREATE TABLE public.named (n int PRIMARY KEY, name text);
CREATE STATISTICS public.named_slug ON (public.slug(name)) FROM public.named;
INSERT INTO public.named SELECT n, 'Name ' || n FROM generate_series(1, 50) n;
CREATE OPERATOR public.=== (
    LEFTARG = boolean, RIGHTARG = boolean, FUNCTION = booleq, NEGATOR = OPERATOR(public.!==)
);
DROP OPERATOR public.===(boolean, boolean);
CREATE RECURSIVE VIEW public.counted (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 9;
