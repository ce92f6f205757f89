-- Names, texts, defaults and code with umlauts in a LATIN1 database, whose dump is in LATIN1.
-- encoding: LATIN1
CREATE SCHEMA "Lager für Öl";
CREATE TYPE "Lager für Öl"."güte" AS ENUM ('schön', 'häßlich');
CREATE TABLE public."größe" ("schlüssel" integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "maß" text NOT NULL CHECK ("maß" <> 'ü'), "güte" "Lager für Öl"."güte" DEFAULT 'schön');
CREATE SEQUENCE "Lager für Öl"."zähler" START 7;
CREATE TABLE "Lager für Öl"."fässer" (id integer DEFAULT nextval('"Lager für Öl"."zähler"') PRIMARY KEY, "größe" integer REFERENCES public."größe", inhalt text DEFAULT 'Öl; ¬');
CREATE TABLE public."leer_ä" ("ö" integer);
CREATE TABLE public."maße" ("jahr" integer) PARTITION BY LIST ("jahr");
CREATE TABLE public."maße_früher" PARTITION OF public."maße" DEFAULT;
CREATE INDEX "übersicht" ON "Lager für Öl"."fässer" (inhalt) WHERE inhalt <> 'ß';
CREATE VIEW public."überblick" AS SELECT "maß" AS "ä" FROM public."größe";
CREATE MATERIALIZED VIEW public."übersetzt" AS SELECT count(*) AS "zähler" FROM public."größe";
CREATE FUNCTION public."prüfe"() RETURNS trigger LANGUAGE plpgsql AS $fuß$BEGIN NEW.inhalt := 'geprüft'; RETURN NEW; END$fuß$;
CREATE TRIGGER "prüfung" BEFORE UPDATE ON "Lager für Öl"."fässer" FOR EACH ROW EXECUTE FUNCTION public."prüfe"();
CREATE TRIGGER "abschlußprüfung" BEFORE UPDATE ON "Lager für Öl"."fässer" FOR EACH ROW EXECUTE FUNCTION public."prüfe"();
ALTER TABLE "Lager für Öl"."fässer" DISABLE TRIGGER "prüfung";
COMMENT ON TABLE public."größe" IS E'Maße \\ in mm\nund µm';
INSERT INTO public."größe" ("maß") SELECT E'weiß \t\\ ' || n FROM generate_series(1, 20) n;
INSERT INTO "Lager für Öl"."fässer" ("größe") SELECT n FROM generate_series(1, 20) n;
INSERT INTO public."maße" VALUES (1999), (NULL);
