-- Japanese names and texts; in SJIS the second byte of some characters is a backslash.
CREATE SCHEMA "ソース";
CREATE TABLE "ソース"."表" ("キー" integer PRIMARY KEY, "名前" text DEFAULT '表\表' CHECK ("名前" <> 'ソ\'));
CREATE SEQUENCE "ソース"."番号";
CREATE TABLE public."能力" ("値" integer REFERENCES "ソース"."表");
CREATE FUNCTION public."計算"(a text DEFAULT '表') RETURNS text LANGUAGE sql AS $f$SELECT E'ソ\'表' || a$f$;
CREATE FUNCTION public."構え"() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN '表\' <> 'ソ' THEN '能' END; END;
COMMENT ON TABLE "ソース"."表" IS 'ソ表\能';
INSERT INTO "ソース"."表" SELECT n, '表\ソ' || n FROM generate_series(1, 9) n;
INSERT INTO public."能力" SELECT n FROM generate_series(1, 9) n;
