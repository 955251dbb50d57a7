import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { KubernetesObject } from "./kubernetes.ts";

/** On what a test made, so that the next one can take away what a killed one left. */
export const madeByTest = { "blackroad-dr/made-by": "test" } as const;

const folder = join(import.meta.dirname, "..", "cluster", "definitions");

/** The definitions that cert-manager and the Prometheus operator publish of the kinds that the stacks declare. */
export const customDefinitions: readonly KubernetesObject[] = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .map((file) => {
    const definition = JSON.parse(readFileSync(join(folder, file), "utf8")) as KubernetesObject;
    return { ...definition, metadata: { ...definition.metadata, labels: madeByTest } };
  });
