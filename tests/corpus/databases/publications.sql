-- Publications of all, of some tables with columns and rows, of schemas; a subscription that never connects.
CREATE SCHEMA pub;
CREATE TABLE pub.a (id integer PRIMARY KEY, t text, n integer);
CREATE TABLE pub.b (id integer, t text);
ALTER TABLE pub.b REPLICA IDENTITY FULL;
INSERT INTO pub.a SELECT n, 't', n FROM generate_series(1, 10) n;
INSERT INTO pub.b VALUES (1, 'x');
CREATE PUBLICATION "some; of it" FOR TABLE pub.a (id, n) WHERE (n > 3) WITH (publish = 'insert');
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA pub;
CREATE PUBLICATION of_all FOR ALL TABLES WITH (publish_via_partition_root);
CREATE PUBLICATION of_none;
CREATE SUBSCRIPTION never CONNECTION 'host=/nonexistent dbname=none' PUBLICATION x WITH (connect = false, slot_name = NONE);
