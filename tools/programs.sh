#!/bin/sh
# Installs what some tests open or start besides, where it may: a PostgreSQL server and a browser. Where it may not, those
# tests skip and say so. Usage: programs.sh STAMP
set -eu
. "$(dirname "$0")/apt.sh"

missing=""
{ command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1 || missing="postgresql"
{ command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null 2>&1 ||
    missing="$missing chromium"
for package in $missing; do
    apt_try "$package" || say "$package could not be installed: the tests that need it are skipped."
done
touch "$1"
