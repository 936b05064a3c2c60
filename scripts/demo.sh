#!/usr/bin/env bash
# The time-averager, start to end. Each line that begins with $ can be typed by hand.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
PENSTOCK_STATE_DIR=$(mktemp -d)
export PENSTOCK_STATE_DIR

run() {
  printf '\n$ %s\n' "$1"
  timeout 30 bash -o pipefail -c "$1"
}

printf '$ penstock run examples/time-averager/app.yaml &\n'
penstock run examples/time-averager/app.yaml &
runtime=$!
trap 'kill -INT "$runtime" 2>/dev/null || true; wait "$runtime"; rm -rf "$PENSTOCK_STATE_DIR"' EXIT

until grep -qs '"ready": *true' "$PENSTOCK_STATE_DIR/run.json"; do
  kill -0 "$runtime" || exit 1
  sleep 0.1
done

run 'seq 10 10 100 | tee /dev/stderr | penstock publish numbers --lines'
run 'penstock subscribe averages --from-beginning --count 1'
run 'seq 1 3 | tee /dev/stderr | penstock publish numbers --lines'
averages=$(run 'penstock subscribe averages --from-beginning --count 2')
printf '%s\n\n' "$averages"

[[ $averages == *'"payload":"55.0"'*'"payload":"2.0"'* ]] || {
  echo 'The averages should have been 55.0 and 2.0.' >&2
  exit 1
}
echo 'The averages of 10 to 100 and of 1 to 3 are 55.0 and 2.0, as they should be.'
