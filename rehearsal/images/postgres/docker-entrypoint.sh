#!/bin/bash
# What the official image's entrypoint does, as far as the emulator and docker compose use it: a first start makes the
# cluster, the user, the database, and runs /docker-entrypoint-initdb.d; then the server takes over as user postgres.
set -Eeuo pipefail

if [ "${1:0:1}" = "-" ]; then
    set -- postgres "$@"
fi
if [ "$1" != "postgres" ]; then
    exec "$@"
fi

if [ "$(id -u)" = "0" ]; then
    mkdir -p "$PGDATA" /var/run/postgresql
    chown -R postgres:postgres "$PGDATA" /var/run/postgresql
    chmod 0700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

file_env() { # NAME: takes the value from the file NAME_FILE when that is set
    local file_name="${1}_FILE"
    if [ -n "${!file_name:-}" ]; then
        export "$1"="$(<"${!file_name}")"
    fi
}
file_env POSTGRES_PASSWORD
file_env POSTGRES_USER
file_env POSTGRES_DB
: "${POSTGRES_USER:=postgres}"
: "${POSTGRES_DB:=$POSTGRES_USER}"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != "trust" ]; then
        echo "docker-entrypoint.sh: POSTGRES_PASSWORD is not set; set it for the first start" >&2
        exit 1
    fi
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-unused}") \
        --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >/dev/null
    # As in the official image: whoever is inside the container is trusted, whoever comes from outside is not.
    sed -i -E 's#^(host +all +all +(127\.0\.0\.1/32|::1/128) +)scram-sha-256#\1trust#' "$PGDATA/pg_hba.conf"
    echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$PGDATA/pg_hba.conf"

    pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p 5432" -w start >/dev/null
    if [ "$POSTGRES_DB" != "postgres" ]; then
        psql -v ON_ERROR_STOP=1 --no-password -U "$POSTGRES_USER" -d postgres --set db="$POSTGRES_DB" \
            <<< 'CREATE DATABASE :"db";' >/dev/null
    fi
    for script in /docker-entrypoint-initdb.d/*; do
        case "$script" in
            *.sql) psql -v ON_ERROR_STOP=1 --no-password -U "$POSTGRES_USER" -d "$POSTGRES_DB" -f "$script" ;;
            *.sh) bash "$script" ;;
        esac
    done
    pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
fi
unset POSTGRES_PASSWORD

exec "$@" -c listen_addresses='*'
