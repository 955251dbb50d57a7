import type { Rule } from "../core/rule.ts";
import { failoverRules } from "./failover/index.ts";
import { keysRules } from "./keys/index.ts";
import { kubernetesRules } from "./kubernetes/index.ts";
import { objectsRules } from "./objects/index.ts";
import { postgresRules } from "./postgres/index.ts";
import { stacksRules } from "./stacks/index.ts";

/** Every rule that there is, in the order in which the pack shows them. */
export const allRules: readonly Rule[] = [...objectsRules, ...keysRules, ...kubernetesRules, ...postgresRules, ...failoverRules, ...stacksRules];
