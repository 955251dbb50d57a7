import type { Rule } from "../../core/rule.ts";

export const kubernetesRules: readonly Rule[] = [];
