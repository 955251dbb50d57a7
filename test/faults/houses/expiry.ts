import { createHash } from "node:crypto";
import type { RunContext } from "../../../runner/context.ts";
import { record } from "../../runner/records.ts";
import type { House } from "../job.ts";
import { openHouse, type Site } from "./site.ts";

/** Checkpoints that are over in each run, and objects of each. */
const over = 6;
const objects = ["blocks.pgp", "index.pgp"];
/** Of what is over, in ms: beyond its retention, R2's lock and what clocks may differ by. */
const longAgo = 9 * 86_400_000;
const kept = 86_400_000;

export async function expiryHouse(site: Site): Promise<House> {
  return openHouse(site, {
    name: "expiry", config: {},
    jobs: async (context) => {
      let made = 0;
      const young = await checkpoint(context, new Date());
      const change = async (): Promise<void> => {
        await Promise.all(Array.from({ length: over }, () => checkpoint(context, new Date(Date.now() - longAgo + (made += 1)))));
      };
      const alsoHolds = async (): Promise<string[]> => [...(await unlisted(context)), ...(await stands(context, young) ? [] : ["the newest checkpoint is gone"])];
      const inTheEnd = async (): Promise<string[]> => {
        const { records } = await context.catalog.list({ store: "agents" });
        return records.filter(({ id }) => id !== young).map(({ id }) => `${id} is over and stays`);
      };
      return [{ store: "expiry", name: "expire", command: ["expire"], change, alsoHolds, inTheEnd }];
    },
  });
}

/** The id of a record whose objects stand in each backend. */
async function checkpoint(context: RunContext, startedAt: Date): Promise<string> {
  const body = Buffer.from("data");
  const plain = record("agents", "checkpoint", startedAt.toISOString(), { expiresAt: new Date(startedAt.getTime() + kept).toISOString() });
  const stored = objects.map((name) => ({ key: `agents/${plain.id}/${name}`, bytes: body.length, sha256: createHash("sha256").update(body).digest("hex") }));
  await Promise.all(context.backends.flatMap((backend) => stored.map(({ key }) => backend.put(key, body))));
  await context.catalog.write({ ...plain, objects: stored });
  return plain.id;
}

/** Whatever a killed expiry leaves, a record names. */
async function unlisted({ backends, catalog }: RunContext): Promise<string[]> {
  const { records } = await catalog.list();
  const named = new Set(records.flatMap(({ objects: of }) => of.map(({ key }) => key)));
  const wrong: string[] = [];
  for (const backend of backends) for await (const { key } of backend.list("agents/")) if (!named.has(key)) wrong.push(`no record names ${key} in ${backend.name}`);
  return wrong;
}

const stands = async ({ catalog }: RunContext, id: string): Promise<boolean> => (await catalog.list({ store: "agents" })).records.some((one) => one.id === id);
