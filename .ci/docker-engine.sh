#!/bin/sh
# Starts a Docker engine when none answers, and returns when it does. Safe to run again.
# Needs root and an installed dockerd. The engine outlives this script; its log is
# $DOCKER_ENGINE_LOG (default /tmp/molecule-dockerd.log).
# DOCKER_ENGINE_DATA moves the engine's data away from its default folder.
# DOCKER_ENGINE_WAIT is the deadline in seconds (default 60).
set -eu

socket=/var/run/docker.sock
log=${DOCKER_ENGINE_LOG:-/tmp/molecule-dockerd.log}
wait_seconds=${DOCKER_ENGINE_WAIT:-60}

# Asks over the same address the platform uses; a command line client need not be installed.
answers() {
  if [ -n "${DOCKER_HOST:-}" ] && command -v docker >/dev/null 2>&1; then
    timeout 5 docker version >/dev/null 2>&1
    return
  fi
  [ -S "$socket" ] || return 1
  if command -v curl >/dev/null 2>&1; then
    curl -sf -m 5 --unix-socket "$socket" http://engine/_ping >/dev/null 2>&1
  else
    timeout 5 docker version >/dev/null 2>&1
  fi
}

if answers; then
  echo "docker engine: already running"
  exit 0
fi
if [ -n "${DOCKER_HOST:-}" ]; then
  echo "docker engine: the one DOCKER_HOST names does not answer; not starting another" >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "docker engine: none answers, and only root can start one" >&2
  exit 1
fi
if ! command -v dockerd >/dev/null 2>&1; then
  echo "docker engine: none answers and dockerd is not installed (apt-get install docker.io)" >&2
  exit 1
fi

start() {
  # A pid file of an engine that was killed would make the new one refuse to start.
  if [ -f /var/run/docker.pid ] && ! kill -0 "$(cat /var/run/docker.pid)" 2>/dev/null; then
    rm -f /var/run/docker.pid
  fi
  setsid dockerd --log-level=warn \
    ${DOCKER_ENGINE_DATA:+--data-root "$DOCKER_ENGINE_DATA"} "$@" \
    >>"$log" 2>&1 </dev/null &
  engine=$!
}

# Ends 0 when the engine answers, 1 when it exited or the deadline passed.
wait_until_it_answers() {
  waited=0
  while [ "$waited" -lt $((wait_seconds * 5)) ]; do
    answers && return 0
    kill -0 "$engine" 2>/dev/null || return 1
    sleep 0.2
    waited=$((waited + 1))
  done
  return 1
}

: >"$log"
# Three ways, from best to slowest: what the engine chooses; without the overlay driver, which
# nested file systems refuse.
for flags in "" "--storage-driver=fuse-overlayfs" "--storage-driver=vfs"; do
  # shellcheck disable=SC2086
  start $flags
  if wait_until_it_answers; then
    echo "docker engine: started${flags:+ with $flags}, log in $log"
    exit 0
  fi
  kill "$engine" 2>/dev/null || true
  wait "$engine" 2>/dev/null || true
done
echo "docker engine: did not start; the end of $log:" >&2
tail -n 20 "$log" >&2
exit 1
