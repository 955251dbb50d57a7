import * as aws from "@pulumi/aws";
import { keyAlias } from "../../plan/names.ts";
import type { Plan } from "../../plan/types.ts";
import { ifThere, type RememberedState } from "../adopt.ts";
import { keyResources } from "./key-resources.ts";

/** What of a key is to be taken over in a region. */
export interface ExistingKeyPart {
  /** The id of the primary or of the replica; `undefined`: the state remembers it. */
  readonly key: string | undefined;
  /** Likewise, the alias. */
  readonly alias: string | undefined;
}
/** By region, what exists of a key and the state does not remember. */
export type ExistingKey = ReadonlyMap<string, ExistingKeyPart>;

/** The provider's words for an alias that is not there. */
const noAlias = /empty result|couldn't find resource/;

/**
 * What exists of the plan's keys, by their aliases in each region, and is not remembered; looked up before anything is
 * declared. The components are expected to be called as the keys are. Where the state remembers all, nothing is asked.
 */
export async function findExistingKeys(plan: Plan, state: RememberedState): Promise<ReadonlyMap<string, ExistingKey>> {
  return new Map(await Promise.all(plan.keys.map(async (key) => [key, await findKey(plan, key, state)] as const)));
}

async function findKey(plan: Plan, key: string, state: RememberedState): Promise<ExistingKey> {
  const found = await Promise.all(plan.regions.map(async ({ name: region }) => [region, await findIn(plan, key, region, state)] as const));
  return new Map(found.flatMap(([region, part]) => (part === undefined ? [] : [[region, part] as const])));
}

async function findIn(plan: Plan, name: string, region: string, state: RememberedState): Promise<ExistingKeyPart | undefined> {
  const { key, alias } = keyResources(plan, name, region);
  const remembered = { key: state.has(key.type, key.name), alias: state.has(alias.type, alias.name) };
  if (remembered.key && remembered.alias) return undefined;
  const there = await ifThere(aws.kms.getAlias({ name: keyAlias(plan, name), region }), noAlias);
  if (there === undefined) return undefined;
  return { key: remembered.key ? undefined : there.targetKeyId, alias: remembered.alias ? undefined : keyAlias(plan, name) };
}
