/**
 * Who goes first where several standbys are equally far: those of the primary region. Patroni knows
 * `failover_priority` from 3.2 on; before, whoever takes the lock first wins (measured with 3.0.2: the far standby in
 * two of three), and the database would leave its region although only one server is gone.
 */
import type { ClusterMember } from "./postgresql.ts";
import { atLeast, type ToolVersion } from "./version.ts";

/** Seconds for which a member that stepped back once does not do so again: a near standby that answers and yet cannot
 * be promoted must not keep the database without a leader. */
const stepBackOnce = 300;
/** Seconds that a near standby has to answer. */
const answerWithin = 2;

const hasPriority = (version: ToolVersion): boolean => atLeast(version, 3, 2);

/** The member's tag; `undefined` where this Patroni has no such tag. */
export const failoverPriority = (version: ToolVersion, { role }: ClusterMember): number | undefined => (hasPriority(version) ? (role === "primary-region" ? 2 : 1) : undefined);

export interface StepBack {
  /** Of Patroni. */
  readonly version: ToolVersion;
  readonly member: ClusterMember;
  /** Patroni's health URLs (`http://HOST:PORT/replica`) of the members in the primary region. */
  readonly nearReplicas: readonly string[];
  /** Remembers that the member has stepped back; outside the data. */
  readonly stampFile: string;
}

/**
 * `pre_promote` of a member in the secondary region: it has the lock and gives it back, once, where a standby of the
 * primary region answers as a replica. Patroni splits the text as a shell does and starts it without one; Python is
 * there because Patroni is. `undefined`: not needed.
 */
export function stepBackCommand({ version, member, nearReplicas, stampFile }: StepBack): string | undefined {
  if (hasPriority(version) || member.role === "primary-region" || nearReplicas.length === 0) return undefined;
  const program = [
    "import os,sys,time,urllib.request",
    "stamp=sys.argv[1]",
    `if os.path.exists(stamp) and time.time()-os.path.getmtime(stamp)<${stepBackOnce}: sys.exit(0)`,
    "def near(url):",
    ` try: return urllib.request.urlopen(url,timeout=${answerWithin}).status==200`,
    " except OSError: return False",
    "if not any(map(near,sys.argv[2:])): sys.exit(0)",
    'open(stamp,"w").close()',
    "sys.exit(1)",
  ].join("\n");
  return ["python3", "-c", program, stampFile, ...nearReplicas].map(quoted).join(" ");
}

/** One argument for Python's `shlex.split`. */
const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`);
