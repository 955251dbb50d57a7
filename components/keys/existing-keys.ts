import * as aws from "@pulumi/aws";
import { keyAlias } from "../../plan/names.ts";
import type { Plan } from "../../plan/types.ts";
import { ifThere } from "../adopt.ts";

/** Ids of a key's primary and replicas that exist, by their regions. */
export type ExistingKey = ReadonlyMap<string, string>;

/** The provider's words for an alias that is not there. */
const noAlias = /empty result|couldn't find resource/;

/** Those keys of the plan that exist, by their aliases in each region; looked up before anything is declared. */
export async function findExistingKeys(plan: Plan): Promise<ReadonlyMap<string, ExistingKey>> {
  return new Map(await Promise.all(plan.keys.map(async (key) => [key, await findKey(plan, key)] as const)));
}

async function findKey(plan: Plan, key: string): Promise<ExistingKey> {
  const found = await Promise.all(plan.regions.map(async ({ name: region }) => [region, (await ifThere(aws.kms.getAlias({ name: keyAlias(plan, key), region }), noAlias))?.targetKeyId] as const));
  return new Map(found.flatMap(([region, id]) => (id === undefined ? [] : [[region, id] as const])));
}
