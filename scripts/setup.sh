#!/usr/bin/env bash
# Makes the virtual environment .venv and installs the distributions in it, editable.
#   setup.sh run|dev FOLDER...    dev adds what the checks and the tests need
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=$1
shift
log=.venv/setup.log

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "penstock needs Python 3.11 or newer, and none was found as python3: install one, or name it: make PYTHON=/path/to/python3" >&2
  return 1
}

if [ ! -x .venv/bin/python ]; then
  python=$(find_python)
  echo "Making the virtual environment .venv with $("$python" --version)"
  "$python" -m venv .venv || {
    echo "Python could not make a virtual environment: on Debian and Ubuntu, install python3-venv" >&2
    exit 1
  }
fi

install() {
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "$@" >>"$log" 2>&1 || {
    tail -n 15 "$log" >&2
    echo "Could not install: $* (the whole log is in $log). Is the package index reachable?" >&2
    exit 1
  }
}

: >"$log"
echo "Installing penstock and what it needs for: $purpose"
# The build backend comes first, so that editable installs need no environment of their own each.
install hatchling editables
editable=()
for folder in "$@"; do
  [ "$folder" = core ] && folder="core[cli]"
  editable+=(--editable "$folder")
done
install --no-build-isolation "${editable[@]}"
if [ "$purpose" = dev ]; then
  install --requirement requirements-dev.txt
fi
touch ".venv/$purpose.stamp"
