#!/usr/bin/env bash
# Shows that many clients share few PostgreSQL connections through Fairlead, and what
# happens to the same clients without it. Makes a PostgreSQL of its own in a temporary
# directory, on free ports, and removes all of it at the end.
#
#   FAIRLEAD=/path/to/fairlead ./run.sh    uses that program, else builds one
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
clients=40 transactions=10 # each client's transactions, a connection for each
jobs=20 job_transactions=500 # each job keeps one connection for all of them
seconds=5 # of the speed measurement

say() { printf '\n== %s\n' "$*"; }
die() { printf 'run.sh: %s\n' "$*" >&2; exit 1; }

# --- programs -----------------------------------------------------------------
pg=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
[ -n "$pg" ] || pg=$(pg_config --bindir 2>/dev/null || true)
[ -x "$pg/initdb" ] || die "no initdb found; install PostgreSQL's server (Debian: apt-get install postgresql)"
for program in pgbench psql; do
  [ -x "$pg/$program" ] || die "no $program in $pg; install PostgreSQL's client and contrib packages"
done

# PostgreSQL refuses to run as root.
as=()
if [ "$(id -u)" = 0 ]; then
  id postgres >/dev/null 2>&1 || die "run as root, but there is no user postgres to run PostgreSQL as"
  as=(runuser -u postgres --)
fi

# --- a place, and its removal -------------------------------------------------
work=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-postgres.XXXXXX")
fairlead_pid=
cleanup() {
  if [ -n "$fairlead_pid" ]; then
    kill "$fairlead_pid" 2>/dev/null || true
    wait "$fairlead_pid" 2>/dev/null || true
  fi
  if [ -f "$work/data/postmaster.pid" ]; then
    "${as[@]}" "$pg/pg_ctl" -D "$work/data" -m immediate -s stop || true
  fi
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$work"
mkdir out && chmod 755 .
[ "${#as[@]}" = 0 ] || chown postgres .

if [ -z "${FAIRLEAD:-}" ]; then
  say "building fairlead"
  (cd "$here" && go build -o "$work/fairlead" github.com/fairlead/fairlead/cmd/fairlead)
  FAIRLEAD=$work/fairlead
fi

# Sets the variable to a port that nobody listens at, each call to another.
port=$((20000 + RANDOM % 9000))
free_port() {
  port=$((port + 1))
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
  printf -v "$1" %s "$port"
}
free_port db_port; free_port via_port; free_port wire_port; free_port admin_port

# --- PostgreSQL, with 10 connections --------------------------------------------
say "starting PostgreSQL with max_connections = 10"
"${as[@]}" "$pg/initdb" -D "$work/data" -U postgres --auth=trust --no-sync >/dev/null
"${as[@]}" tee -a "$work/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
port = $db_port
unix_socket_directories = ''
max_connections = 10
fsync = off                  # thrown away afterwards
log_connections = on
log_disconnections = on
log_line_prefix = '%p %u '
CONF
"${as[@]}" "$pg/pg_ctl" -D "$work/data" -l "$work/data/log" -w -s start
admin=(-h 127.0.0.1 -p "$db_port" -U postgres)
"$pg/psql" "${admin[@]}" -q -c 'create role bench login' -c 'create database bench owner bench' postgres
"$pg/pgbench" "${admin[@]}" -U bench -i -q -s 1 bench >out/init 2>&1 || { cat out/init; die "pgbench -i failed"; }

# --- Fairlead -------------------------------------------------------------------
say "starting Fairlead with 6 slots in front of it"
sed -e "s/127.0.0.1:5432/127.0.0.1:$db_port/" -e "s/127.0.0.1:6432/127.0.0.1:$via_port/" \
  -e "s/127.0.0.1:7400/127.0.0.1:$wire_port/" -e "s/127.0.0.1:7480/127.0.0.1:$admin_port/" \
  "$here/fairlead.yaml" >fairlead.yaml
"$FAIRLEAD" up -c fairlead.yaml >out/fairlead 2>&1 &
fairlead_pid=$!
for _ in $(seq 200); do # at most 20 s
  kill -0 "$fairlead_pid" 2>/dev/null || { cat out/fairlead; die "fairlead ended"; }
  "$pg/psql" -h 127.0.0.1 -p "$via_port" -U bench -Atc 'select 1' bench >/dev/null 2>&1 && break
  sleep 0.1
done
"$pg/psql" -h 127.0.0.1 -p "$via_port" -U bench -Atc 'select 1' bench >/dev/null || { cat out/fairlead; die "no way to PostgreSQL through Fairlead"; }

# --- measuring --------------------------------------------------------------------
# The most connections of the role bench that PostgreSQL's log shows open at once, from
# a line of the log on.
most_open() {
  tail -n "+$1" "$work/data/log" | awk '
    / bench LOG:  connection authorized:/ { open[$1] = 1; n++; if (n > most) most = n }
    / bench (LOG:  disconnection:|FATAL:)/ && open[$1] { delete open[$1]; n-- }
    END { print most + 0 }'
}
log_lines() { wc -l <"$work/data/log"; }

# $1 clients, a connection for each transaction. Prints: done, failed clients, most open.
# pgbench connects in a blocking way, so each client needs a thread of its own (-j).
by_transaction() {
  local from; from=$(($(log_lines) + 1))
  "$pg/pgbench" -h 127.0.0.1 -p "$1" -U bench -n -S -C -c "$clients" -j "$clients" -t "$transactions" bench >out/run 2>&1 || true
  local finished failed
  finished=$(sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' out/run)
  failed=$(grep -c 'FATAL' out/run || true)
  echo "${finished:-0} $failed $(most_open "$from")"
}

# Jobs that start at once, each with one connection that it keeps. Prints the same.
by_job() {
  local from pids=() finished=0 failed=0 i n
  from=$(($(log_lines) + 1))
  for i in $(seq "$jobs"); do
    "$pg/pgbench" -h 127.0.0.1 -p "$1" -U bench -n -S -c 1 -t "$job_transactions" bench >"out/job$i" 2>&1 &
    pids+=($!)
  done
  for i in $(seq "$jobs"); do
    wait "${pids[i - 1]}" || failed=$((failed + 1))
    n=$(sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' "out/job$i")
    finished=$((finished + ${n:-0}))
  done
  echo "$finished $failed $(most_open "$from")"
}

# Transactions a second over 6 connections that stay.
speed() {
  "$pg/pgbench" -h 127.0.0.1 -p "$1" -U bench -n -S -c 6 -j 2 -T "$seconds" bench 2>/dev/null | sed -n 's/^tps = \([0-9]*\).*/\1/p'
}

say "$clients clients, a new connection for each of $transactions transactions, through Fairlead"
read -r via_done via_failed via_most < <(by_transaction "$via_port")
grep -E '^(number of|latency|tps)' out/run || cat out/run
say "the same, straight to PostgreSQL"
read -r raw_done raw_failed raw_most < <(by_transaction "$db_port")
grep FATAL out/run | sed 's/.*FATAL/FATAL/' | sort | uniq -c || true
say "$jobs jobs that each keep a connection for $job_transactions transactions, both ways"
read -r via_job_done via_job_failed via_job_most < <(by_job "$via_port")
read -r raw_job_done raw_job_failed raw_job_most < <(by_job "$db_port")
say "6 connections that stay, for $seconds s, both ways"
via_speed=$(speed "$via_port")
raw_speed=$(speed "$db_port")

say "comparison"
row() { printf '%-46s %14s %14s\n' "$@"; }
row "" "through Fairlead" direct
row "$clients clients, connection per transaction" "" ""
row "  transactions done, of $((clients * transactions))" "$via_done" "$raw_done"
row "  clients that PostgreSQL turned away" "$via_failed" "$raw_failed"
row "  most connections at once, by its log" "$via_most" "$raw_most"
row "$jobs jobs, one connection each" "" ""
row "  transactions done, of $((jobs * job_transactions))" "$via_job_done" "$raw_job_done"
row "  jobs that failed" "$via_job_failed" "$raw_job_failed"
row "  most connections at once, by its log" "$via_job_most" "$raw_job_most"
row "6 connections that stay: transactions/s" "$via_speed" "$raw_speed"

[ "$via_done" = $((clients * transactions)) ] && [ "$via_failed" = 0 ] && [ "$via_job_failed" = 0 ] ||
  die "not all transactions were done through Fairlead"
[ "$via_most" -le 6 ] && [ "$via_job_most" -le 6 ] || die "PostgreSQL saw more connections than slots"
