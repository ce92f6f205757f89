-- Full-text search: own dictionary, configuration, parser mapping, a generated tsvector column, GIN and GiST.
CREATE TEXT SEARCH DICTIONARY plain_words (TEMPLATE = pg_catalog.simple, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION ours (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION ours ALTER MAPPING FOR asciiword WITH plain_words, english_stem;
CREATE TEXT SEARCH TEMPLATE again (LEXIZE = dsimple_lexize, INIT = dsimple_init);
CREATE TEXT SEARCH PARSER again (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TABLE documents (id serial PRIMARY KEY, title text, body text,
    words tsvector GENERATED ALWAYS AS (setweight(to_tsvector('public.ours', coalesce(title, '')), 'A') || to_tsvector('public.ours', coalesce(body, ''))) STORED);
CREATE INDEX documents_words ON documents USING gin (words) WITH (fastupdate = off);
CREATE INDEX documents_gist ON documents USING gist (words);
CREATE INDEX documents_title ON documents USING gin (to_tsvector('public.ours', title));
INSERT INTO documents (title, body) SELECT 'Running ' || n, repeat('the quick brown foxes jumped over ' || n || ' ', 40) FROM generate_series(1, 40) n;
