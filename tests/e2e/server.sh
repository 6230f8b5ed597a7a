# Sourced by the end-to-end scripts: starts and ends one docketd on a free port. Expects DOCKETD, DOCKET and WORK.
# Every process it ends is one it started.
SERVER_PID=""

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
