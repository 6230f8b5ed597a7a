#!/bin/bash
# Imports the receipt of 1,434 permit applications, one row per task done, checks every figure that is known of their
# deadlines, what is late at some of them, and that importing again adds nothing.
# Usage: permits_import.sh DOCKETD DOCKET   Exit 77: skipped, the data are not here.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/e2e/server.sh
data receipt_wabo/receipt.csv.gz

export DOCKET_AS=importer
PACK=workflow/policy/packs/permits-wabo.yaml
start_server --policy-pack "$PACK"
import=("$DOCKET" -o json import "$DATA" --mapping tools/import/mappings/permits-wabo.yaml --report "$WORK/problems")

echo "== dry run"
"${import[@]}" --dry-run --policy-pack "$PACK" >"$WORK/dry.json" 2>"$WORK/err" || fail "bad rows: $(cat "$WORK/err")"
[ "$(field 'it["cases"]' <"$WORK/dry.json")" = 1434 ] || fail "cases of the dry run"

echo "== import"
"${import[@]}" >"$WORK/first.json" 2>"$WORK/err" || fail "the import told of bad rows: $(cat "$WORK/err")"
cat "$WORK/first.json"
[ "$(field 'it["rows"]' <"$WORK/first.json")" = 8577 ] || fail "rows"
# One commit per row, one for the beginning and one for the end of each history, one for each closing.
[ "$(field 'it["commitsAdded"]' <"$WORK/first.json")" = $((8577 + 2 * 1434 + 1329)) ] || fail "commits added"

echo "== figures"
python3 tests/e2e/permits_totals.py --docket "$DOCKET" --source "$DATA"

echo "== import again"
"${import[@]}" >"$WORK/second.json" 2>"$WORK/err" || fail "the second import told of bad rows: $(cat "$WORK/err")"
[ "$(field 'it["commitsAdded"]' <"$WORK/second.json")" = 0 ] || fail "the second import added commits"
stop_server TERM || fail "docketd ended with an error"
echo "all passed"
