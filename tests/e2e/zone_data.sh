#!/bin/bash
# New time-zone data: the server notices at its start, plans the rollout, and moves the clocks once somebody approves.
# Usage: zone_data.sh DOCKETD DOCKET
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/e2e/server.sh

due() { "$DOCKET" -o json case clocks "$CASE" | field "[c['dueAt'] for c in it['clocks'] if c['metric'] == 'SUMMER'][0]"; }

# Europe/London as it would be without summer time.
mkdir "$WORK/zoneinfo"
echo 'Zone Europe/London 0:00 - GMT' >"$WORK/london"
PATH="$PATH:/usr/sbin:/sbin" zic -d "$WORK/zoneinfo" "$WORK/london"
cat >"$WORK/summer.yaml" <<'YAML'
sla: summer
obligation: CUSTOMER
order: 1
calendar: london
metrics:
  - metric: SUMMER
    start: {event: case_received}
    start_at: received_at
    stop: [{event: status_changed, where: {event.entered.category: RESOLVED}}]
    targets: [{target: 200cd@end}]
YAML
PACKS="--policy-pack workflow/policy/packs/directory-sample.yaml --policy-pack workflow/policy/packs/calendar-london.yaml
  --policy-pack workflow/policy/packs/ticket-basic.yaml --policy-pack $WORK/summer.yaml"
export DOCKET_AS=mei.tan

# shellcheck disable=SC2086
TZDIR="$WORK/zoneinfo" start_server $PACKS
CASE=$("$DOCKET" -o json case file --kind REQUEST --title 'Count the swifts' --queue intake | field "it['caseNo']")
before=$(due)
# shellcheck disable=SC2086
stop_server TERM && TZDIR="$WORK/zoneinfo" start_server $PACKS
"$DOCKET" -o json policy rollout list | field "it.get('rollouts', [])" | grep -qx '\[\]' || fail "a rollout though no data changed"
stop_server TERM

# With the real data the summer evening ends an hour earlier; nothing moves until somebody says so.
# shellcheck disable=SC2086
start_server $PACKS
planned=""
until [ -n "$planned" ]; do
  planned=$("$DOCKET" -o json policy rollout list |
    field "' '.join(r['plan']['rolloutId'] + ' ' + r['plan']['cause'] for r in it.get('rollouts', []))")
done
[ "$planned" = "calendar.london.2 TZDATA" ] || fail "planned: $planned"
[ "$(due)" = "$before" ] || fail "the due moved before anybody approved: $before to $(due)"
"$DOCKET" --as helen.marsh policy rollout approve calendar.london.2 >"$WORK/approved" || fail "$(cat "$WORK/approved")"
applied=""
until [ -n "$applied" ]; do
  applied=$("$DOCKET" -o json policy rollout list | field "it['rollouts'][0].get('applied', {}).get('clocks', '')")
done
[ "$applied" = 1 ] || fail "moved clocks: $applied"
after=$(due)
python3 - "$before" "$after" <<'PY' || fail "due $before, then $after"
import datetime, sys
before, after = (datetime.datetime.fromisoformat(text[:19]) for text in sys.argv[1:])
sys.exit(before - after != datetime.timedelta(hours=1))
PY
"$DOCKET" -o json case history "$CASE" | grep -q '"TZDATA"' || fail "the history does not tell why"
stop_server TERM
# shellcheck disable=SC2086
start_server $PACKS
[ "$("$DOCKET" -o json policy rollout list | field "len(it['rollouts'])")" = 1 ] || fail "planned again after another start"
[ "$(due)" = "$after" ] || fail "the due moved again"
stop_server TERM
echo "all passed"
