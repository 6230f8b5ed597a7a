# Sourced by the end-to-end scripts with their arguments, DOCKETD and DOCKET, at the root of the sources: starts and ends
# one docketd on a free port. Every process it ends is one it started. WORK is a folder for the script's own files.
DOCKETD=$(realpath "$1")
DOCKET=$(realpath "$2")
WORK=$(mktemp -d)
SERVER_PID=""

# data PATH : sets DATA to that part of the real logs, which are no part of the project; without them the test is skipped.
data() {
  DATA="${DOCKET_SHARED:-../shared}/data/$1"
  [ -e "$DATA" ] && return 0
  echo "skipped: $DATA is not here (set DOCKET_SHARED)"
  exit 77
}

fail() {
  echo "FAIL  $*" >&2
  [ ! -e "$WORK/docketd.err" ] || cat "$WORK/docketd.err" >&2
  exit 1
}

# field EXPRESSION : of the JSON on standard input, by a Python expression over `it`.
field() { python3 -c "import json, sys; it = json.load(sys.stdin); print($1)"; }

# start_server ARGUMENTS… : returns when the server is ready; ADDRESS is where: a free port, unless LISTEN says another.
start_server() {
  local line=""
  rm -f "$WORK/ready"
  mkfifo "$WORK/ready"
  "$DOCKETD" --data "$WORK/data" --listen "${LISTEN:-127.0.0.1:0}" --metrics off "$@" >"$WORK/ready" 2>"$WORK/docketd.err" &
  SERVER_PID=$!
  # The one line the server prints, or the end of the server.
  read -r -t 60 line <"$WORK/ready" || true
  ADDRESS=${line#listening on }
  if [ -z "$ADDRESS" ] || [ "$ADDRESS" = "$line" ]; then
    echo "docketd did not start:" >&2
    cat "$WORK/docketd.err" >&2
    exit 1
  fi
  export DOCKET_SERVER="$ADDRESS"
}

# stop_server SIGNAL : ends it and waits for its end.
stop_server() {
  [ -n "$SERVER_PID" ] || return 0
  kill "-$1" "$SERVER_PID" 2>/dev/null || true
  wait "$SERVER_PID" 2>/dev/null
  local code=$?
  SERVER_PID=""
  return $code
}

clean_up() {
  stop_server KILL
  rm -rf "$WORK"
}
trap clean_up EXIT
