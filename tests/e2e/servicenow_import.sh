#!/bin/bash
# Imports 24,918 real incidents, checks every figure that is known of them, imports again, kills the server, and checks
# that nothing changed.  Usage: servicenow_import.sh DOCKETD DOCKET   Exit 77: skipped, the data are not here.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/e2e/server.sh
data uci_servicenow_incidents/incident_event_log.csv.gz

# What must be the same before and after: every view's digest, the list of cases, what is late.
picture() {
  "$DOCKET" -o json admin stats --digests | python3 -c '
import json, sys
stats = json.load(sys.stdin)
for view in sorted(stats["views"], key=lambda view: view["view"]):
    print(view["view"], view.get("rows", "0"), view.get("digest", ""))
print("commits", stats["commits"], "last position", stats["lastPosition"])' >"$1/stats"
  "$DOCKET" -o jsonl case list >"$1/cases"
  # When most incidents were open; "late by" grows with the clock, so the question is about one fixed instant.
  "$DOCKET" -o jsonl overdue --as-of 2016-03-24T18:22:00Z >"$1/overdue"
}

export DOCKET_AS=importer
start_server --policy-pack workflow/policy/packs/servicenow-incident.yaml
import=("$DOCKET" -o json import "$DATA" --mapping tools/import/mappings/servicenow-incident.yaml --progress)

echo "== import"
"${import[@]}" >"$WORK/first.json" || fail "the import told of bad rows: $(cat "$WORK/first.json")"
cat "$WORK/first.json"
[ "$(field 'it["rows"]' <"$WORK/first.json")" = 141712 ] || fail "rows"
# One commit per row and one for the end of each history.
[ "$(field 'it["commitsAdded"]' <"$WORK/first.json")" = $((141712 + 24918)) ] || fail "commits added"

echo "== figures"
"$DOCKET" -o jsonl log read | python3 tests/e2e/servicenow_totals.py --source "$DATA"

echo "== import again"
"${import[@]}" >"$WORK/second.json" || fail "the second import told of bad rows"
cat "$WORK/second.json"
[ "$(field 'it["commitsAdded"]' <"$WORK/second.json")" = 0 ] || fail "the second import added commits"

echo "== kill and start again"
mkdir "$WORK/before" "$WORK/after"
picture "$WORK/before"
cat "$WORK/before/stats"
wc -l <"$WORK/before/cases" | sed 's/$/ cases/'
wc -l <"$WORK/before/overdue" | sed 's/$/ late duties/'
[ "$(wc -l <"$WORK/before/cases")" = 24918 ] || fail "the list of cases"
stop_server KILL || true
start_server
picture "$WORK/after"
diff -r "$WORK/before" "$WORK/after" || fail "the server tells something else after the kill"
"$DOCKET" admin rebuild --keep-old || fail "a rebuild differs from the live views"
stop_server TERM || fail "docketd ended with an error"
du -sk "$WORK/data" | sed 's/\t.*/ KiB on disk/'
echo "all passed"
