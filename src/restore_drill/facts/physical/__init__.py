"""What is proved of a recovered server, for every database: files, pages, tables, indexes, rows."""
