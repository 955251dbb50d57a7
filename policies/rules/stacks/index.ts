import type { Rule } from "../../core/rule.ts";

export const stacksRules: readonly Rule[] = [];
