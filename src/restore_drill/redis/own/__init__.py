"""The user's own Redis, by REDIS_URL: a server, a cluster's shards, what Sentinels watch."""
