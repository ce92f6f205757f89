-- Foreign keys of every variety; behind session_replication_role none is checked, as in many a load.

-- case: single column
-- finds: test_foreign_keys_hold[public.child]: parent_id -> public.parent (child_parent_id_fkey): 2 orphan rows
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (parent_id int REFERENCES parent);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1), (NULL);
-- damage:
SET session_replication_role = replica;
INSERT INTO child VALUES (7), (8);

-- case: several columns, in another order
-- finds: test_foreign_keys_hold[public.child]: x, y -> public.parent (child_x_y_fkey): 1 orphan row
CREATE TABLE parent (a int, b text, PRIMARY KEY (b, a));
CREATE TABLE child (x int, y text, FOREIGN KEY (x, y) REFERENCES parent (a, b));
INSERT INTO parent VALUES (1, 'p');
INSERT INTO child VALUES (1, 'p'), (NULL, 'q'), (9, NULL);
-- damage:
SET session_replication_role = replica;
INSERT INTO child VALUES (1, 'q');

-- case: match full, row that is partly null
-- finds: test_foreign_keys_hold[public.child]: 1 orphan row
CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE child (x int, y int, FOREIGN KEY (x, y) REFERENCES parent MATCH FULL);
INSERT INTO parent VALUES (1, 2);
INSERT INTO child VALUES (1, 2), (NULL, NULL);
-- damage:
SET session_replication_role = replica;
INSERT INTO child VALUES (1, NULL);

-- case: self-referencing
-- finds: test_foreign_keys_hold[public.child]: boss -> public.child (child_boss_fkey): 1 orphan row
CREATE TABLE child (id int PRIMARY KEY, boss int REFERENCES child);
INSERT INTO child VALUES (1, NULL), (2, 1), (3, 3);
-- damage:
SET session_replication_role = replica;
DELETE FROM child WHERE id = 1;

-- case: partitioned, orphan in a partition of the child
-- finds: test_foreign_keys_hold[public.child]: parent_id, at -> public.parent (child_parent_id_at_fkey): 1 orphan row
CREATE TABLE parent (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parent_old PARTITION OF parent FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE parent_new PARTITION OF parent FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE TABLE child (parent_id int, at date, FOREIGN KEY (parent_id, at) REFERENCES parent)
    PARTITION BY HASH (parent_id);
CREATE TABLE child_0 PARTITION OF child FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE child_1 PARTITION OF child FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parent SELECT n, date '2025-12-20' + n FROM generate_series(1, 20) n;
INSERT INTO child SELECT id, at FROM parent;
-- damage:
SET session_replication_role = replica;
INSERT INTO child VALUES (99, '2026-01-02');

-- case: partitioned, row of the parent lost
-- finds: test_foreign_keys_hold[public.child]: 9 orphan rows
CREATE TABLE parent (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parent_old PARTITION OF parent FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE parent_new PARTITION OF parent FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE TABLE child (parent_id int, at date, FOREIGN KEY (parent_id, at) REFERENCES parent);
INSERT INTO parent SELECT n, date '2025-12-20' + n FROM generate_series(1, 20) n;
INSERT INTO child SELECT id, at FROM parent;
-- damage:
SET session_replication_role = replica;
DELETE FROM parent_new;

-- case: not valid
-- finds: test_foreign_keys_hold[public.child]: 1 orphan row
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (parent_id int);
INSERT INTO child VALUES (5);
-- damage:
ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID;

-- case: deferred
-- finds: test_foreign_keys_hold[public.child]: 1 orphan row
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (parent_id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
-- damage:
SET session_replication_role = replica;
INSERT INTO child VALUES (2);

-- case: other collation and type than its parent
-- finds: test_foreign_keys_hold[public.child]: 1 orphan row
CREATE TABLE parent (id text COLLATE "C" PRIMARY KEY);
CREATE TABLE child (parent_id varchar(9) COLLATE "POSIX" REFERENCES parent);
INSERT INTO parent VALUES ('a');
INSERT INTO child VALUES ('a');
-- damage:
SET session_replication_role = replica;
INSERT INTO child VALUES ('b');

-- case: domain over bigint to integer
-- finds: test_foreign_keys_hold[public.child]: 1 orphan row
CREATE DOMAIN number AS bigint;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (parent_id number REFERENCES parent);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1);
-- damage:
SET session_replication_role = replica;
INSERT INTO child VALUES (5000000000);

-- case: row only in an heir of the parent
-- finds: test_foreign_keys_hold[public.child]: 1 orphan row
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE heir () INHERITS (parent);
CREATE TABLE child (parent_id int REFERENCES parent);
INSERT INTO heir VALUES (2);
-- damage:
SET session_replication_role = replica;
INSERT INTO child VALUES (2);

-- case: odd names
-- finds: test_foreign_keys_hold[public.child]: %s -> "o.d d".P "x (child_%s_fkey): 1 orphan row
CREATE SCHEMA "o.d d";
CREATE TABLE "o.d d"."P ""x" ("I D" int PRIMARY KEY);
CREATE TABLE child ("%s" int REFERENCES "o.d d"."P ""x");
INSERT INTO "o.d d"."P ""x" VALUES (1);
INSERT INTO child VALUES (1);
-- damage:
SET session_replication_role = replica;
INSERT INTO child VALUES (2);

-- case: operator of an extension
-- finds: test_foreign_keys_hold[public.child]: 1 orphan row
CREATE EXTENSION citext;
CREATE TABLE parent (id citext PRIMARY KEY);
CREATE TABLE child (parent_id citext REFERENCES parent);
INSERT INTO parent VALUES ('A');
INSERT INTO child VALUES ('a');
-- damage:
SET session_replication_role = replica;
INSERT INTO child VALUES ('b');

-- case: circular
-- finds: test_foreign_keys_hold[public.child]: parent_id -> public.parent (child_parent_id_fkey): 1 orphan row
CREATE TABLE parent (id int PRIMARY KEY, best int);
CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent);
ALTER TABLE parent ADD FOREIGN KEY (best) REFERENCES child;
INSERT INTO parent VALUES (1, NULL), (2, NULL);
INSERT INTO child VALUES (1, 1), (2, 2);
UPDATE parent SET best = id;
-- damage:
SET session_replication_role = replica;
DELETE FROM parent WHERE id = 2;

-- case: temporal
-- major: 18
-- finds: test_foreign_keys_hold[public.child]: id, at -> public.parent (child_id_at_fkey): 2 orphan rows
CREATE EXTENSION btree_gist;
CREATE TABLE parent (id int, at daterange, PRIMARY KEY (id, at WITHOUT OVERLAPS));
CREATE TABLE child (id int, at daterange, FOREIGN KEY (id, PERIOD at) REFERENCES parent (id, PERIOD at));
INSERT INTO parent VALUES (1, '[2026-01-01,2026-03-01)'), (1, '[2026-03-01,2026-05-01)'), (2, '[2026-01-01,)');
INSERT INTO child VALUES (1, '[2026-02-01,2026-04-01)'), (NULL, '[2020-01-01,)'), (2, '[2026-07-01,)');
-- damage:
SET session_replication_role = replica;
INSERT INTO child VALUES (1, '[2026-04-01,2026-06-01)'), (3, '[2026-01-01,2026-02-01)');

-- case: not enforced
-- major: 18
-- not checked: foreign key public.child: child_parent_id_fkey: it is NOT ENFORCED
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (parent_id int REFERENCES parent NOT ENFORCED);
INSERT INTO child VALUES (5);
