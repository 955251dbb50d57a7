import type { Plan } from "../plan/types.ts";
import type { ArchiveConfig, ServingConfig, StackConfig } from "./configuration/schema.ts";
import { real, type Surroundings } from "./surroundings.ts";

/** What a stack tells whoever asks; values are plain or outputs, secrets never. */
export type StackOutputs = Record<string, unknown>;

/** Runs the program of the stack's role. Each is imported only where it runs: no stack loads a package that it does not use. */
export async function programOf(plan: Plan, config: StackConfig, surroundings: Surroundings = real): Promise<StackOutputs> {
  switch (config.role) {
    case "global":
      return (await import("./global.ts")).global(plan, config);
    case "archive":
      return awaitsOperators(config) ? clusterAlone(plan, config) : (await import("./archive.ts")).archive(plan, config, surroundings);
    case "secondary":
      return awaitsOperators(config) ? clusterAlone(plan, config) : (await import("./secondary.ts")).secondary(plan, config, surroundings);
    case "primary":
      return awaitsOperators(config) ? clusterAlone(plan, config) : (await import("./primary.ts")).primary(plan, config, surroundings);
    case "drill":
      return (await import("./drill.ts")).drill(plan, config);
  }
}

const awaitsOperators = ({ cluster }: ArchiveConfig | ServingConfig): boolean => cluster.kind === "eks" && cluster.operators === "not-yet";

const clusterAlone = async (plan: Plan, config: ArchiveConfig | ServingConfig): Promise<StackOutputs> => (await import("./cluster-alone.ts")).clusterAlone(plan, config);
