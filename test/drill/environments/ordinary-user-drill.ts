/** What an ordinary user can do, as a process of its own: `node ordinary-user-drill.ts ROOT`. Prints one line of JSON. */
import { userInfo } from "node:os";
import { LocalEnvironment } from "../../../drill/environments/local/environment.ts";
import { nameLeftovers } from "../../../drill/environments/local/leftovers.ts";
import { lastAcknowledged } from "../../../drill/workload/measure.ts";
import { validatePostgres } from "../../../drill/workload/validate-postgres.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { scalePlan } from "../../../plan/scale.ts";

const [, , root = ""] = process.argv;
const env = await LocalEnvironment.create({ id: `test-ordinary-${process.pid}`, root, agents: 50, seed: 3, plan: scalePlan(blackroad, 60) });
let seen;
try {
  await env.seed();
  const workload = await env.startWorkload();
  await env.killServer("etcd-c");
  await workload.stop();
  const isolation = await env.isolation();
  const { agentsValid, errors } = await validatePostgres({ address: env.addressOf(await env.requireLeader()), schedule: env.schedule });
  seen = { user: userInfo().username, isolation: isolation.kind, agentsValid, errors, acknowledged: lastAcknowledged(await workload.ledger(), "postgres")?.tick ?? 0 };
} finally {
  const left = await env.destroy();
  console.log(JSON.stringify({ ...seen, leftovers: nameLeftovers(left) }));
}
