#!/bin/sh
# Sets up the virtual environment and the system packages that grading needs; called by make, once.
# Usage: PYTHON=python3 setup.sh VENV
set -eu
venv=$1
python=${PYTHON:-python3}

. "$(dirname "$0")/apt.sh"

command -v "$python" >/dev/null 2>&1 || fail "Python is not here: sudo apt-get install python3 python3-venv"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "cnnlab needs Python 3.11 or newer; name one as in: make $(printf 'PYTHON=python3.11 demo')"

missing=""
command -v bwrap >/dev/null 2>&1 || missing="bubblewrap"
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
# shellcheck disable=SC2086
[ -z "$missing" ] || apt_install $missing

[ -x "$venv/bin/python" ] || { say "Making $venv ..."; "$python" -m venv "$venv"; }
say "Installing the Python packages (some minutes the first time) ..."
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[developer]" ||
    fail "The Python packages could not be installed; see the lines above, then run make again."

"$venv/bin/python" tools/relocatable.py
touch "$venv/.ready"
