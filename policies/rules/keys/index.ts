import type { Rule } from "../../core/rule.ts";

export const keysRules: readonly Rule[] = [];
