import type { RunContext } from "../../context.ts";
import { DrError, messageOf } from "../../errors.ts";
import { openHttpServer } from "../../system/http.ts";
import { waitFor } from "../../system/wait.ts";
import type { FullRecoveryConfig } from "./config.ts";

/** Seconds for a service that has started to say that it is well. */
const healthyWithin = 120;

/**
 * Asks all health checks at once, each until it is answered well.
 * @throws DrError that names each that was not, and what it answered last
 */
export async function checkHealth(context: RunContext, checks: FullRecoveryConfig["health"]): Promise<string> {
  context.report({ step: `asking ${checks.map(({ name }) => name).join(", ")}` });
  const asked = await Promise.allSettled(checks.map((check) => untilWell(context, check)));
  context.signal.throwIfAborted();
  const ill = asked.flatMap((result) => (result.status === "rejected" ? [messageOf(result.reason)] : []));
  if (ill.length === 0) return checks.map(({ name }) => `${name} is well`).join(", ");
  throw new DrError({ kind: "failed", what: ill.join("; "), where: checks.map(({ url }) => url).join(", "), todo: "The data is recovered and the services were started: see what their pods say; then start this again, and it asks once more." });
}

async function untilWell({ signal }: RunContext, { name, url, caFile, within = healthyWithin }: FullRecoveryConfig["health"][number]): Promise<void> {
  const server = await openHttpServer({ name, url, caFile });
  try {
    await waitFor(`a good answer of ${name}`, async () => (await server.text({ path: "", deadline: Math.min(10, within), signal })).status < 300, { within, every: Math.min(1, within / 4), signal }).catch((error: unknown) => {
      throw error instanceof DrError ? new Error(error.what) : error;
    });
  } finally {
    await server.close();
  }
}
