import type { Rule } from "../../core/rule.ts";

export const postgresRules: readonly Rule[] = [];
