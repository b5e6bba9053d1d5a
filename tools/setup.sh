#!/bin/sh
# Sets up the virtual environment and the system packages that grading needs; called by make, once.
# Usage: PYTHON=python3 setup.sh VENV
set -eu
venv=$1
python=${PYTHON:-python3}

say() { printf '%s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }

command -v "$python" >/dev/null 2>&1 || fail "Python is not here: sudo apt-get install python3 python3-venv"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "cnnlab needs Python 3.11 or newer; name one as in: make $(printf 'PYTHON=python3.11 demo')"

# Installs Debian packages where that is allowed, else says the one line to type.
apt_install() {
    line="sudo apt-get install -y $*"
    if ! command -v apt-get >/dev/null 2>&1; then
        fail "Please install $* with your system's package manager, then run make again."
    elif [ "$(id -u)" -eq 0 ]; then
        say "Installing $* ..."
        (apt-get install -y -qq "$@" || { apt-get update -qq && apt-get install -y -qq "$@"; }) >/dev/null 2>&1 ||
            fail "apt-get could not install $*; try: apt-get update && apt-get install -y $*"
    elif sudo -n true 2>/dev/null; then
        say "Installing $* ..."
        (sudo apt-get install -y -qq "$@" || { sudo apt-get update -qq && sudo apt-get install -y -qq "$@"; }) >/dev/null 2>&1 ||
            fail "apt-get could not install $*; try: $line"
    else
        fail "Please type this line, then run make again: $line"
    fi
}

missing=""
command -v bwrap >/dev/null 2>&1 || missing="bubblewrap"
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
# shellcheck disable=SC2086
[ -z "$missing" ] || apt_install $missing

[ -x "$venv/bin/python" ] || { say "Making $venv ..."; "$python" -m venv "$venv"; }
say "Installing the Python packages (some minutes the first time) ..."
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[developer]" ||
    fail "The Python packages could not be installed; see the lines above, then run make again."

cat >"$venv/bin/autograder" <<END
#!$PWD/$venv/bin/python
import sys
from autograder.cli import main
sys.exit(main())
END
chmod +x "$venv/bin/autograder"
touch "$venv/.ready"
