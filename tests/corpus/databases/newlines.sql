-- Names with newlines, and names that differ from others only where pg_dump's comments do not.
CREATE SCHEMA "new
line";
CREATE SCHEMA "new line";
CREATE TABLE public."a
b" ("c
d" integer CONSTRAINT "k
1" PRIMARY KEY, "tab	x" text CONSTRAINT "chk
" CHECK ("c
d" > 0));
CREATE TABLE public."a b" (x integer PRIMARY KEY);
CREATE TABLE "new
line"."; Type: TABLE; Schema: public; Owner: x
" (id serial PRIMARY KEY, r integer CONSTRAINT "to
a" REFERENCES public."a b");
CREATE TABLE "new line"."; Type: TABLE; Schema: public; Owner: x " (id integer);
CREATE TABLE "new
line"."empty
one" (id integer);
CREATE TABLE public."; Type: TABLE DATA; Schema: y" (a integer);
CREATE TABLE public."-- Data for Name: x
-- \connect z" (a integer);
CREATE SEQUENCE public."s
q";
CREATE TYPE public."e
n" AS ENUM ('a
b', 'c');
CREATE FUNCTION public."f
n"("p
q" public."e
n") RETURNS public."e
n" LANGUAGE sql AS $$SELECT "p
q"$$;
CREATE VIEW public."v
w" AS SELECT "c
d" FROM public."a
b";
CREATE MATERIALIZED VIEW public."m
v" AS SELECT "c
d" FROM public."a
b";
CREATE INDEX "i
x" ON public."a
b" ("tab	x");
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER "t
g" BEFORE INSERT ON public."a
b" FOR EACH ROW EXECUTE FUNCTION public.touch();
ALTER TABLE public."a
b" DISABLE TRIGGER "t
g";
CREATE POLICY "p
y" ON public."a b" USING (x > 0);
COMMENT ON COLUMN public."a
b"."c
d" IS 'one
two';
COMMENT ON TABLE "new
line"."empty
one" IS 'nothing';
CREATE STATISTICS public."st
s" ON "c
d", "tab	x" FROM public."a
b";
INSERT INTO public."a
b" SELECT n, 'x' FROM generate_series(1, 5) n;
INSERT INTO public."a b" SELECT generate_series(1, 3);
INSERT INTO "new
line"."; Type: TABLE; Schema: public; Owner: x
" (r) VALUES (1), (2);
INSERT INTO "new line"."; Type: TABLE; Schema: public; Owner: x " VALUES (9);
INSERT INTO public."; Type: TABLE DATA; Schema: y" VALUES (1), (2), (3), (4);
INSERT INTO public."-- Data for Name: x
-- \connect z" VALUES (1);
SELECT setval('public."s
q"', 5);
REFRESH MATERIALIZED VIEW public."m
v";
