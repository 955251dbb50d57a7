import type { Plan } from "../types.ts";
import { duplicatesOf, type Check, type Report } from "./check.ts";

/** Names are how everything is addressed, in a disaster too: each names one thing. */
export const checkNames: Check = (plan, report) => {
  for (const list of ["regions", "backends", "stores", "schedules", "alerts"] as const) reportDuplicates(list, namesOf(plan, list), report);
  reportDuplicates("keys", plan.keys, report);
  for (const bucket of duplicatesOf(plan.backends.map((backend) => backend.bucket))) report("backends", bucket, "a bucket of its own for every backend");
  for (const store of plan.stores) reportDuplicates(`stores[${store.name}].copies`, store.copies.map((copy) => copy.name), report);
  const commands = plan.schedules.map((schedule) => schedule.command.join(" "));
  for (const command of duplicatesOf(commands)) report("schedules", `dr ${command}`, "one schedule per command");
};

const namesOf = (plan: Plan, list: "regions" | "backends" | "stores" | "schedules" | "alerts"): readonly string[] => plan[list].map((item) => item.name);

function reportDuplicates(field: string, names: readonly string[], report: Report): void {
  for (const name of duplicatesOf(names)) report(field, name, "each name once");
}
