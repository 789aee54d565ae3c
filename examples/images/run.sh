#!/usr/bin/env bash
# Shows three image workers that do one job at a time behind two proxies: jobs that come
# 20 at once, first through Fairlead, then handed to the workers in turn. Starts and ends
# everything by itself, on free ports.
#
#   FAIRLEAD=/path/to/fairlead WORKER=/path/to/worker ./run.sh    else builds them
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
jobs=60 at_once=20

say() { printf '\n== %s\n' "$*"; }
die() { printf 'run.sh: %s\n' "$*" >&2; exit 1; }
command -v curl >/dev/null || die "no curl; install it"

# --- a place, and its removal -------------------------------------------------
work=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-images.XXXXXX")
pids=()
cleanup() { # what was started last ends first, so agents and proxies can still drain
  local i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$work"
mkdir out log

build() { (cd "$here" && go build -o "$work/$1" "$2"); }
[ -n "${FAIRLEAD:-}" ] || { say "building fairlead"; build fairlead github.com/fairlead/fairlead/cmd/fairlead; FAIRLEAD=$work/fairlead; }
[ -n "${WORKER:-}" ] || { say "building the worker"; build worker ./worker; WORKER=$work/worker; }
convert=$("$WORKER" -check) || die "no ImageMagick; install it (Debian: apt-get install imagemagick)"

# Sets the variable to a port that nobody listens at, each call to another.
port=$((20000 + RANDOM % 9000))
free_port() {
  port=$((port + 1))
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
  printf -v "$1" %s "$port"
}
free_port wire; free_port admin; free_port proxy1; free_port proxy2
free_port worker1; free_port worker2; free_port worker3
controller=127.0.0.1:$wire

start() { # a name for its log, and a command
  local name=$1
  shift
  "$@" >"log/$name" 2>&1 &
  pids+=($!)
}
answers() { # a URL; waits at most 20 s
  local _
  for _ in $(seq 200); do
    curl -fs -o /dev/null "$1" && return
    sleep 0.1
  done
  tail -n 5 log/*
  die "$1 does not answer"
}

say "starting a controller, two proxies, three workers of one slot, an agent beside each"
sed -e "s/127.0.0.1:7400/$controller/" -e "s/127.0.0.1:7480/127.0.0.1:$admin/" \
  -e "s/127.0.0.1:8080/127.0.0.1:$proxy1/" "$here/fairlead.yaml" >fairlead.yaml
start controller "$FAIRLEAD" controller -c fairlead.yaml
answers "http://127.0.0.1:$admin/readyz"
start proxy1 "$FAIRLEAD" proxy --controller "$controller" --name proxy-1
start proxy2 "$FAIRLEAD" proxy --controller "$controller" --name proxy-2 --listen "web=127.0.0.1:$proxy2"
for n in 1 2 3; do
  at=worker$n
  start "worker$n" "$WORKER" -listen "127.0.0.1:${!at}" -slots 1 -convert "$convert"
  answers "http://127.0.0.1:${!at}/healthz"
  start "agent$n" "$FAIRLEAD" agent --controller "$controller" --pool images --address "127.0.0.1:${!at}" --slots 1
done
answers "http://127.0.0.1:$proxy1/healthz"
answers "http://127.0.0.1:$proxy2/healthz"
for _ in $(seq 200); do
  [ "$("$FAIRLEAD" backends --controller "$controller" | grep -cw up)" = 3 ] && break
  sleep 0.1
done
"$FAIRLEAD" backends --controller "$controller"

say "a photo of 800 by 600, and its thumbnail by curl"
"$convert" -size 800x600 plasma:tomato-steelblue photo.jpg
curl -fsS --data-binary @photo.jpg -o thumbnail.png "http://127.0.0.1:$proxy1/thumbnail?width=320"
"$convert" thumbnail.png -format '%m %wx%h\n' info:-

# Sends the jobs, to the URLs in turn, and prints how many of each status and how long
# it took.
send() {
  local i urls=("$@") from=$EPOCHREALTIME
  for i in $(seq "$jobs"); do
    printf '%s %s\n' "$i" "${urls[i % $#]}"
  done | xargs -P "$at_once" -L 1 sh -c \
    'curl -s --data-binary @photo.jpg -o "out/$0.png" -w "%{http_code}\n" "$1/blur?radius=3"' >out/codes || true
  sort out/codes | uniq -c | awk '{ printf "  %d answers of status %s\n", $1, $2 }'
  awk -v a="$from" -v b="$EPOCHREALTIME" 'BEGIN { printf "  %.1f s\n", b - a }'
}
stats() {
  local n at
  for n in 1 2 3; do at=worker$n; printf '  worker %s: ' "$n"; curl -fsS "http://127.0.0.1:${!at}/stats"; done
}

say "$jobs jobs, $at_once at once, through both proxies"
send "http://127.0.0.1:$proxy1" "http://127.0.0.1:$proxy2"
cp out/codes fairlead-codes
stats | tee fairlead-stats
say "the same, handed to the workers in turn"
send "http://127.0.0.1:$worker1" "http://127.0.0.1:$worker2" "http://127.0.0.1:$worker3"
stats

[ "$(grep -cx 200 fairlead-codes)" = "$jobs" ] || die "not all jobs were done through Fairlead"
[ "$(grep -c '"most_in_flight":1,' fairlead-stats)" = 3 ] || die "a worker had more than one job at once"
