import type { Plan } from "./types.ts";
export function definePlan(plan: Plan): Plan { return plan; }
