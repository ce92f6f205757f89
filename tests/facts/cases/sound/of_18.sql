-- What PostgreSQL 18 adds, all of it sound.
CREATE EXTENSION btree_gist;
CREATE TABLE rooms (id int, during daterange, price int NOT NULL,
    doubled int GENERATED ALWAYS AS (price * 2) VIRTUAL CHECK (doubled > 0),
    PRIMARY KEY (id, during WITHOUT OVERLAPS));
CREATE TABLE stays (room int, during daterange, guest text,
    FOREIGN KEY (room, PERIOD during) REFERENCES rooms (id, PERIOD during),
    CONSTRAINT guest_is_named CHECK (guest <> '') NOT ENFORCED,
    UNIQUE NULLS NOT DISTINCT (guest));
CREATE TABLE guests (name text PRIMARY KEY);
ALTER TABLE stays ADD FOREIGN KEY (guest) REFERENCES guests NOT ENFORCED;
CREATE TABLE words (all_of text[]);
INSERT INTO words SELECT ARRAY['w' || n, 'w' || n % 7] FROM generate_series(1, 3000) n;
CREATE INDEX words_idx ON words USING gin (all_of);
INSERT INTO rooms VALUES (1, '[2026-01-01,2026-02-01)', 5), (1, '[2026-02-01,)', 6), (2, '[2026-01-01,)', 7);
INSERT INTO stays VALUES (1, '[2026-01-10,2026-02-10)', 'nobody'), (2, '[2026-05-01,2026-05-02)', NULL);
