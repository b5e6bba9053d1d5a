# Read by the other scripts here: installs Debian packages where that is allowed.

say() { printf '%s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }

# Returns 1 where they could not be installed, 2 where nobody may install anything here.
apt_try() {
    command -v apt-get >/dev/null 2>&1 || return 2
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || return 2
        as_root="sudo"
    fi
    say "Installing $* ..."
    ($as_root apt-get install -y -qq "$@" || { $as_root apt-get update -qq && $as_root apt-get install -y -qq "$@"; }) \
        >/dev/null 2>&1 || return 1
}

# As apt_try, or says the one line to type and ends.
apt_install() {
    status=0
    apt_try "$@" || status=$?
    [ "$status" -eq 0 ] && return
    command -v apt-get >/dev/null 2>&1 ||
        fail "Please install $* with your system's package manager, then run make again."
    line="sudo apt-get install -y $*"
    [ "$status" -eq 1 ] && fail "apt-get could not install $*; try: sudo apt-get update && $line"
    fail "Please type this line, then run make again: $line"
}
