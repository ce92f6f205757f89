"""Facts that one criterion or two ask for: each module holds queries, readers and checks."""
