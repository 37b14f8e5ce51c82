# Sourced by ./cloudchamber and ./check with $root set; gives them installed().
# The environment is made once and again only when the pins, the project file or the folder change.

installed() { # installed NAME HOW_LONG: requirements/NAME.txt and this project are in .venv
    venv=$root/.venv
    stamp=$venv/.installed-$1
    state="$root $(cksum <"$root/requirements/$1.txt") $(cksum <"$root/pyproject.toml")"
    read -r stamped 2>/dev/null <"$stamp" && [ "$stamped" = "$state" ] && return

    python=$(suitable_python) || exit 2
    echo "cloudchamber: setting up .venv with requirements/$1.txt, once; $2." >&2
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear "$venv" || {
        echo "cloudchamber: $python cannot make a virtual environment; install its venv module" \
            "(on Debian and Ubuntu the package python3-venv) and try again." >&2
        exit 2
    }
    {
        "$venv/bin/python" -m pip install -qq --disable-pip-version-check \
            --require-hashes -r "$root/requirements/$1.txt" &&
            "$venv/bin/python" -m pip install -qq --disable-pip-version-check \
                --no-deps --no-build-isolation --editable "$root"
    } >&2 || {
        echo "cloudchamber: setting up failed, see above; nothing is lost, run the same again." >&2
        exit 2
    }
    echo "$state" >"$stamp"
}

suitable_python() {
    for name in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null &&
            command -v "$name" && return
    done
    echo "cloudchamber needs Python 3.11 or newer and found $(python3 --version 2>/dev/null ||
        echo none); install it, or name it: PYTHON=/path/to/python3 $0" >&2
    return 1
}
