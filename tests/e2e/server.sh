# Sourced by the end-to-end scripts: starts and ends one docketd on a free port. Expects DOCKETD, DOCKET and WORK.
# Every process it ends is one it started.
SERVER_PID=""

# start_server ARGUMENTS… : returns when the server is ready; ADDRESS is where.
start_server() {
  local log="$WORK/docketd.log"
  : >"$log"
  "$DOCKETD" --data "$WORK/data" --listen 127.0.0.1:0 "$@" >"$log" 2>"$WORK/docketd.err" &
  SERVER_PID=$!
  # The line is the server's word that it is ready; tail ends when it was read, or with the server.
  ADDRESS=$(timeout 60 tail -n +1 -f --pid="$SERVER_PID" "$log" | sed -n 's/^listening on //p;/^listening on /q')
  if [ -z "$ADDRESS" ]; then
    echo "docketd did not start:" >&2
    cat "$log" "$WORK/docketd.err" >&2
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
