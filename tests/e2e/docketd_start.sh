#!/bin/bash
# How docketd starts, and how it does not: a file of flags, a lost high-water file, a disk below its reserve.
# Usage: docketd_start.sh DOCKETD DOCKET
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/e2e/server.sh

# refuses TEXT ARGUMENTS… : docketd ends with 1 and says TEXT.
refuses() {
  local text="$1" code=0
  shift
  timeout 60 "$DOCKETD" --data "$WORK/data" --metrics off --listen 127.0.0.1:0 "$@" >"$WORK/out" 2>"$WORK/docketd.err" ||
    code=$?
  [ "$code" = 1 ] || fail "docketd $*: ended with $code, want 1"
  grep -q -- "$text" "$WORK/docketd.err" || fail "docketd $*: does not say \"$text\""
}

echo 'bogus = 1' >"$WORK/bogus.conf"
refuses bogus --config "$WORK/bogus.conf"
head -c 4096 /dev/urandom >"$WORK/noise.conf"
refuses "" --config "$WORK/noise.conf"
[ ! -e "$WORK/data" ] || fail "a wrong file of flags made a data folder"

echo 'policy-pack = "workflow/policy/packs/calendar-london.yaml"' >"$WORK/good.conf"
start_server --config "$WORK/good.conf"
export DOCKET_AS=mei.tan
"$DOCKET" -o json policy list | grep -q '"london"' || fail "the pack named in the file of flags is not published"

# What was published while it ran is not taken back by the flags it is started with again.
sed 's/17:00/16:00/' workflow/policy/packs/calendar-london.yaml >"$WORK/newer.yaml"
"$DOCKET" policy publish "$WORK/newer.yaml" >/dev/null || fail "publishing a newer calendar"
stop_server TERM
start_server --config "$WORK/good.conf"
"$DOCKET" -o json policy list | python3 -c '
import json, sys
for item in json.load(sys.stdin)["policies"]:
    print(item["pin"]["id"], item["pin"]["version"])' >"$WORK/versions"
grep -qx "london 2" "$WORK/versions" || fail "the newer calendar is not in force: $(cat "$WORK/versions")"
stop_server TERM

rm "$WORK/data/high-water"
refuses --accept-missing-high-water
start_server --accept-missing-high-water
stop_server TERM
start_server  # the mark is there again
stop_server TERM

# A reserve the disk does not reach: no commands, but reads, and a pack that cannot be published stops nothing.
free_kib=$(df --output=avail -k "$WORK" | tail -1)
start_server --disk-reserve "$((free_kib * 2))KiB" --policy-pack workflow/policy/packs/calendar-always.yaml
"$DOCKET" -o json admin stats | grep -q '"diskReserveReached": *true' || fail "stats do not tell the reserve"
"$DOCKET" policy list >/dev/null || fail "reading below the reserve"
if "$DOCKET" policy publish workflow/policy/packs/calendar-always.yaml 2>"$WORK/refusal"; then
  fail "a command below the reserve was accepted"
fi
grep -q "MiB free" "$WORK/refusal" || fail "the refusal has no figures: $(cat "$WORK/refusal")"
stop_server TERM
echo "docketd starts and refuses to as it should"
