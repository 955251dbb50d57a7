/**
 * The shell scripts that a Redis server and a Sentinel start by in a pod. A pod forgets what Sentinel had written into
 * its configuration, and a server that starts by what it was first told is a second primary after a failover: so each
 * asks the Sentinels who leads, every time.
 */
import type { RedisTls } from "./redis.ts";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface RedisStart {
  /** Under which the Sentinels know the primary. */
  readonly masterName: string;
  /** All of them, this region's too. */
  readonly sentinels: readonly Endpoint[];
  /** How many must answer before a server takes a part. */
  readonly quorum: number;
  readonly tls: RedisTls;
  /** Holds the Sentinels' password. */
  readonly sentinelPasswordFile: string;
}

/** Seconds that one Sentinel may take to answer: twice what a connection over an ocean takes with TLS, and then some. */
const answerWithin = 5;

/**
 * `look` asks every Sentinel and keeps the word of the one that has seen the newest failover. The address is what
 * clients are told: while a failover ends, `SENTINEL MASTER` gives the new epoch with the old address already.
 */
const look = ({ masterName, sentinels, sentinelPasswordFile, tls }: RedisStart): string => `primary='' epoch=-1 answered=0 replicas=0

ask() {
  { printf 'AUTH %s\\n' "$(cat ${sentinelPasswordFile})"; printf 'SENTINEL GET-MASTER-ADDR-BY-NAME ${masterName}\\nSENTINEL MASTER ${masterName}\\n'; } |
    timeout ${answerWithin} redis-cli -h "$1" -p "$2" --tls --cacert ${tls.caFile} 2> /dev/null | tail -n +2
}

look() {
  primary='' epoch=-1 answered=0 replicas=0
  for sentinel in ${sentinels.map(({ host, port }) => `${host}:${port}`).join(" ")}; do
    [ "$sentinel" = "$1" ] && continue
    answer=$(ask "\${sentinel%:*}" "\${sentinel##*:}") || continue
    said='' said_epoch=-1 said_replicas=0
    {
      { IFS= read -r said && IFS= read -r _; } || true
      while IFS= read -r key && IFS= read -r value; do
        case $key in
          config-epoch) said_epoch=$value ;;
          num-slaves) said_replicas=$value ;;
        esac
      done
    } <<ANSWER
$answer
ANSWER
    [ "$said_epoch" -ge 0 ] || continue # an error, or a refusal
    answered=$((answered + 1))
    if [ "$said_epoch" -gt "$epoch" ]; then primary=$said epoch=$said_epoch; fi
    if [ "$said_replicas" -gt "$replicas" ]; then replicas=$said_replicas; fi
  done
}

say() { [ "$1" = "\${last:-}" ] || echo "$1"; last=$1; }
`;

/**
 * `sh redis-start.sh SELF CONFIGURATION RUNNING DATA PORT`: SELF is the address under which others know this server;
 * CONFIGURATION is copied to RUNNING, which Sentinel may have rewritten, with the primary to follow added.
 *
 * Two things it waits for rather than lose data. Without an answer from a majority it may be cut off while the others
 * promote somebody else. And a primary that comes back with an empty volume would have its replicas wipe theirs.
 */
export const redisStartScript = (start: RedisStart): string => `set -eu
umask 077
self=$1 configuration=$2 running=$3 data=$4 port=$5
${look(start)}
has_data() { [ -s "$data/appendonlydir/appendonly.aof.manifest" ] || [ -s "$data/appendonly.aof" ]; }

cp "$configuration" "$running"
mkdir -p "$data" # a new volume is empty, and Redis makes no folder
while :; do
  look none
  if [ "$answered" -lt ${start.quorum} ]; then
    say "waiting: $answered Sentinels answer, ${start.quorum} must"
  elif [ "$primary" != "$self" ]; then
    printf 'replicaof %s %s\\n' "$primary" "$port" >> "$running"
    say "following $primary"
    break
  elif has_data || [ "$replicas" -eq 0 ]; then
    say "starting as the primary"
    break
  else
    say "waiting: the Sentinels hold this server for the primary, but its volume is empty; a replica must be promoted first"
  fi
  sleep 1
done
exec redis-server "$running"
`;

/** In a Sentinel's configuration, where the name of the primary's host goes. */
export const primaryMark = "@primary-host@";

/**
 * `sh sentinel-start.sh SELF CONFIGURATION RUNNING FIRST`: SELF is its own `HOST:PORT`, FIRST the host that is the
 * primary of a system that never ran. It takes over what the other Sentinels know, and waits until the primary's name
 * can be resolved, as Sentinel itself would give up.
 */
export const sentinelStartScript = (start: RedisStart): string => `set -eu
umask 077
self=$1 configuration=$2 running=$3 first=$4
${look(start)}
look "$self"
if [ "$answered" -eq 0 ]; then primary=$first; fi
until getent ahosts "$primary" > /dev/null; do
  say "waiting: $primary has no address yet"
  sleep 1
done
sed "s/${primaryMark}/$primary/" "$configuration" > "$running"
if [ "$epoch" -gt 0 ]; then printf 'sentinel config-epoch ${start.masterName} %s\\n' "$epoch" >> "$running"; fi
echo "watching $primary, of which $answered Sentinels said so"
exec redis-server "$running" --sentinel
`;

export interface RedisProbe {
  readonly tls: RedisTls;
  /** Of the server itself. */
  readonly address: string;
  /** Of Redis's user `monitoring`; a Sentinel is never asked whether it is ready. */
  readonly passwordFile: string;
}

/**
 * `sh redis-probe.sh live|ready`. Live: it answers at all, also that it is still loading. Ready: it leads, or its link
 * to the primary is up. The password goes through standard input: arguments are readable by others.
 */
export const redisProbeScript = ({ address, tls, passwordFile }: RedisProbe): string => `set -eu
ask() { timeout 4 redis-cli -h ${address} -p ${tls.port} --tls --cacert ${tls.caFile}; }
case $1 in
  live) [ -n "$(printf 'PING\\n' | ask)" ] ;;
  ready) { printf 'AUTH monitoring %s\\n' "$(cat ${passwordFile})"; printf 'INFO replication\\n'; } | ask | grep -q -e '^role:master' -e '^master_link_status:up' ;;
esac
`;

export interface RedisRecover {
  readonly configFile: string;
  /** An id of the catalog, or `latest`. */
  readonly backup: string;
  readonly data: string;
  readonly socket: string;
}

/** Recovers a backup into the data folder, once: a pod that starts again finds the data that it had. `dr` leaves a
 * server running, which is stopped in order; its files are what the real one starts from. */
export const redisRecoverScript = ({ configFile, backup, data, socket }: RedisRecover): string => `set -eu
umask 077
if [ -e ${data}/.recovered ]; then echo "recovered before"; exit 0; fi
mkdir -p ${data}
dr --config ${configFile} recover redis ${backup} --into ${data} --socket ${socket} --force
redis-cli -s ${socket} shutdown
touch ${data}/.recovered
`;
