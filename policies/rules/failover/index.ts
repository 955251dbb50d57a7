import type { Rule } from "../../core/rule.ts";

export const failoverRules: readonly Rule[] = [];
