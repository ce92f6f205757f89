"""Which backup is drilled: series, age, links."""
