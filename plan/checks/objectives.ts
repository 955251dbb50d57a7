import { dnsSwitchOver } from "../recovery-time.ts";
import { tiers, type Copy, type Plan, type Store } from "../types.ts";
import type { Check, Report } from "./check.ts";

/** Promises that do not contradict each other. */
export const checkObjectives: Check = (plan, report) => {
  const { system, categories } = plan;
  if (categories.critical.rpo > categories.important.rpo) report("categories.critical.rpo", categories.critical.rpo, `at most categories.important.rpo, ${categories.important.rpo}`);
  if (categories.important.rpo > categories.operational.rpo) report("categories.important.rpo", categories.important.rpo, `at most categories.operational.rpo, ${categories.operational.rpo}`);
  if (categories.important.rpo > system.rpo) report("categories.important.rpo", categories.important.rpo, `at most system.rpo, ${system.rpo}`);
  checkTiers(plan, report);
  for (const store of plan.stores) for (const copy of store.copies) checkReplica(plan, store, copy, report);
};

function checkTiers(plan: Plan, report: Report): void {
  const { hot, warm, cold } = plan.tiers;
  if (hot.rto >= warm.rto) report("tiers.hot.rto", hot.rto, `less than tiers.warm.rto, ${warm.rto}`);
  if (warm.rto >= cold.rto) report("tiers.warm.rto", warm.rto, `less than tiers.cold.rto, ${cold.rto}`);
  if (warm.rto > plan.system.rto) report("tiers.warm.rto", warm.rto, `at most system.rto, ${plan.system.rto}: or no restore keeps it`);
  for (const tier of tiers) {
    const { detect, decide, provision, switchOver, rto } = plan.tiers[tier];
    const around = detect + decide + provision + switchOver;
    if (around >= rto) report(`tiers.${tier}`, around, `detect, decide, provision and switchOver below ${rto}, the tier's RTO: the data needs time too`);
  }
  const dns = dnsSwitchOver(plan.dns);
  for (const tier of ["hot", "warm"] as const) {
    if (plan.tiers[tier].switchOver < dns) report(`tiers.${tier}.switchOver`, plan.tiers[tier].switchOver, `at least ${dns}, which DNS takes (plan.dns)`);
  }
}

/** Stores whose failover has settings of its own. */
const hasOwnFailover = (store: Store): boolean => store.name === "postgres" || store.name === "redis";

function checkReplica(plan: Plan, store: Store, copy: Copy, report: Report): void {
  if (copy.kind !== "replica") return;
  const field = `stores[${store.name}].copies[${copy.name}]`;
  const { replicationLag } = plan.system;
  if (copy.mode === "synchronous" && copy.lagBound > 0) report(`${field}.lagBound`, copy.lagBound, "0: what is synchronous does not lag");
  if (copy.mode === "asynchronous" && copy.lagBound === 0) report(`${field}.lagBound`, copy.lagBound, "more than 0: what is asynchronous lags");
  if (copy.lagBound > replicationLag) report(`${field}.lagBound`, copy.lagBound, `at most system.replicationLag, ${replicationLag}`);
  if (!hasOwnFailover(store) && copy.takeover === undefined) report(`${field}.takeover`, undefined, `how long ${store.name} takes to make it the original`);
  if (hasOwnFailover(store) && copy.takeover !== undefined) report(`${field}.takeover`, copy.takeover, `absent: it follows from plan.${store.name}`);
}
