#!/bin/sh
# What tests need of the official images' entrypoints: POSTGRES_USER, POSTGRES_PASSWORD and
# POSTGRES_DB at the first start, options after the image's name, no server as root.
set -eu

data="${PGDATA:-/var/lib/postgresql/data}"
user="${POSTGRES_USER:-postgres}"
database="${POSTGRES_DB:-$user}"

as() {
    account="$1"
    shift
    setpriv --reuid="$account" --regid="$account" --init-groups "$@"
}

initialise() {
    if [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo "POSTGRES_PASSWORD is not set; the server is not initialised" >&2
        exit 1
    fi
    install --directory --owner=postgres --group=postgres --mode=0700 "$data"
    printf '%s\n' "$POSTGRES_PASSWORD" > /run/password
    chown postgres /run/password
    as postgres initdb --pgdata="$data" --username="$user" --pwfile=/run/password \
        --encoding=UTF8 --auth-local=trust --auth-host=scram-sha-256 --no-sync
    rm /run/password
    echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
    if [ "$database" != postgres ]; then
        printf 'CREATE DATABASE "%s"\n' "$database" |
            as postgres postgres --single -D "$data" postgres > /dev/null
    fi
}

case "${1:-postgres}" in
    -*) set -- postgres "$@" ;;
esac
case "${1:-postgres}" in
    postgres)
        [ -s "$data/PG_VERSION" ] || initialise
        install --directory --owner=postgres --group=postgres --mode=2775 /run/postgresql
        shift
        exec setpriv --reuid=postgres --regid=postgres --init-groups \
            postgres -D "$data" -c listen_addresses='*' "$@"
        ;;
    redis-server)
        shift
        cd /tmp
        exec setpriv --reuid=redis --regid=redis --init-groups \
            redis-server --protected-mode no --dir /tmp "$@"
        ;;
    *) exec "$@" ;;
esac
