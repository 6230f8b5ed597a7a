#!/bin/bash
# Imports six extracts of New York's service requests in three layouts while the server is killed once on the way, and
# checks which rows were rejected, what is late at the instants the files themselves name, and that importing again adds
# nothing.  Usage: nyc311_import.sh DOCKETD DOCKET   Exit 77: skipped, the data are not here.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/e2e/server.sh
data nyc311_samples
FILES=("$DATA"/nyc311_*.gz)
MAPPING=tools/import/mappings/nyc311.yaml
PACK=workflow/policy/packs/nyc311.yaml
KILL_AFTER=4000  # commits; all files make 15,138

commits() { "$DOCKET" -o json admin stats 2>/dev/null | field 'it["commits"]' 2>/dev/null || echo 0; }

# import_all FOLDER ARGUMENTS… : one file after another; the exit code of each must be 1 exactly when it has bad rows.
import_all() {
  local folder=$1 file name code bad
  shift
  mkdir "$folder"
  for file in "${FILES[@]}"; do
    name=$(basename "$file")
    # An import under way outlives its server; one that begins while there is none (3) is for whoever calls to repeat.
    for ((attempt = 1, code = 3; code == 3 && attempt <= 100; attempt++)); do
      code=0
      "$DOCKET" -o json import "$file" --mapping "$MAPPING" --report "$folder/$name.problems" "$@" \
        >"$folder/$name.json" 2>"$folder/$name.err" || code=$?
    done
    bad=$(field 'it["badRows"]' <"$folder/$name.json")
    [ "$code" = $((bad > 0 ? 1 : 0)) ] || fail "$name: exit code $code with $bad bad rows: $(cat "$folder/$name.err")"
  done
}
sum() { cat "$1"/*.json | python3 -c 'import json, sys; print(sum(json.loads(line)[sys.argv[1]] for line in sys.stdin))' "$2"; }
bad_rows() { cat "$1"/*.problems | grep '"bad":true' | sort; }

export DOCKET_AS=importer

echo "== dry run, no server"
DOCKET_SERVER=127.0.0.1:1 import_all "$WORK/dry" --dry-run --policy-pack "$PACK"

echo "== import, the server killed after $KILL_AFTER commits and started again"
start_server --policy-pack "$PACK"
import_all "$WORK/first" &
IMPORT=$!
while kill -0 "$IMPORT" 2>/dev/null && [ "$(commits)" -lt "$KILL_AFTER" ]; do :; done
stop_server KILL || true
LISTEN=$ADDRESS start_server
echo "killed, $(commits) commits were there"
wait "$IMPORT" || fail "the import did not survive the kill: $(cat "$WORK"/first/*.err)"
[ "$(sum "$WORK/first" cases)" = 5046 ] || fail "cases: $(sum "$WORK/first" cases)"
[ "$(sum "$WORK/first" badRows)" = 33 ] || fail "bad rows: $(sum "$WORK/first" badRows)"
[ "$(sum "$WORK/first" rowsImported)" = 5046 ] || fail "rows imported: $(sum "$WORK/first" rowsImported)"
bad_rows "$WORK/first" >"$WORK/bad_first"
bad_rows "$WORK/dry" >"$WORK/bad_dry"
cmp "$WORK/bad_first" "$WORK/bad_dry" || fail "the dry run told of other rows than the import"
[ "$("$DOCKET" -o jsonl case list --limit 0 | wc -l)" = 5046 ] || fail "the list of cases"

echo "== import again"
BEFORE=$(commits)
import_all "$WORK/second"
[ "$(sum "$WORK/second" commitsAdded)" = 0 ] || fail "the second import added commits"
[ "$(commits)" = "$BEFORE" ] || fail "the second import wrote"

echo "== a request that another file has again, with another status"
zcat "$DATA/nyc311_2022-05-01_924.csv.gz" | sed -n '1p;/^54049402,/s/In Progress/Pending/p' >"$WORK/again.csv"
[ "$(wc -l <"$WORK/again.csv")" = 2 ] || fail "the request 54049402 is not in the data"
"$DOCKET" -o json import "$WORK/again.csv" --mapping "$MAPPING" --report "$WORK/again.problems" >"$WORK/again.json"
[ "$(field 'it["commitsAdded"]' <"$WORK/again.json")" = 0 ] || fail "a request known from another file was written again"
grep -q 'in the log already with status IN_PROGRESS, the row says PENDING' "$WORK/again.problems" ||
  fail "nobody told that the request was known: $(cat "$WORK/again.problems")"

echo "== what is late, at the instants that the files name"
python3 tests/e2e/nyc311_overdue.py --docket "$DOCKET" --data "$DATA" --rejected "$WORK/bad_first"
stop_server TERM || fail "docketd ended with an error"
echo "all passed"
