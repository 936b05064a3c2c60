# Starts, watches and stops the processes of a cluster. Needs settings.sh.

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# When a process began; nothing when there is none. A zombie is none: its parent may be slow.
began() { awk '$3 != "Z" {print $22}' "/proc/$1/stat" 2>/dev/null; }

# alive NAME: whether it runs, and is not another process that got its number.
alive() {
  local pid start
  read -r pid start 2>/dev/null <"$run/$1.pid" && [ -n "$start" ] && [ "$(began "$pid")" = "$start" ]
}

# start NAME COMMAND…: in the background, logged to a file of its name.
start() {
  local name=$1
  shift
  # The lock is not theirs.
  setsid "$@" >>"$run/$name.log" 2>&1 </dev/null 9>&- &
  echo "$! $(began $!)" >"$run/$name.pid"
}

# stop NAME SECONDS: asks it to end, and ends it after some seconds.
stop() {
  local pid tenths=$(($2 * 10))
  alive "$1" || return 0
  read -r pid _ <"$run/$1.pid"
  kill -TERM "$pid" 2>/dev/null
  while alive "$1" && ((tenths-- > 0)); do sleep 0.1; done
  ! alive "$1" || kill -KILL "$pid"
}

# wait_for SECONDS NAME COMMAND…: until a command says that a process is ready.
wait_for() {
  local fifths=$(($1 * 5)) name=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((fifths-- > 0)) || fail "$name is not ready: $(tail -n 3 "$run/$name.log" 2>/dev/null)"
    sleep 0.2
  done
}
