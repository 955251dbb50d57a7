import type { Rule } from "../../core/rule.ts";

export const objectsRules: readonly Rule[] = [];
