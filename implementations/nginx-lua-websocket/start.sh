#!/bin/sh
# nginx reads no environment: HOST, PORT and the timeouts go into a configuration file of this run.
set -e
folder=$(cd "$(dirname "$0")" && pwd)
run=$(mktemp -d)
directives=
[ -z "$CONNECTION_TIMEOUT" ] || directives="lua_socket_read_timeout ${CONNECTION_TIMEOUT}s;"
[ -z "$HANDSHAKE_TIMEOUT" ] || directives="$directives client_header_timeout ${HANDSHAKE_TIMEOUT}s;"
sed -e "s|@HOST@|${HOST:-127.0.0.1}|" -e "s|@PORT@|${PORT:-9001}|" -e "s|@FOLDER@|$folder|" \
  -e "s|@DIRECTIVES@|$directives|" "$folder/nginx.conf.in" > "$run/nginx.conf"
trap 'kill -TERM $!; wait $!; rm -rf "$run"' TERM
/usr/sbin/nginx -e stderr -p "$run" -c "$run/nginx.conf" &
wait $!
