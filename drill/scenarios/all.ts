import { DrError } from "../../runner/errors.ts";
import { corruptBackup } from "./corrupt-backup.ts";
import { operatorError } from "./operator-error.ts";
import { primaryLoss } from "./primary-loss.ts";
import { providerLoss } from "./provider-loss.ts";
import { regionLoss } from "./region-loss.ts";
import type { Scenario } from "./scenario.ts";

/** Every scenario, in the order of `dr drill list`; the first one is the default. */
export const scenarios: readonly Scenario[] = [regionLoss, providerLoss, primaryLoss, operatorError, corruptBackup];

/** The scenario of that name, or all of them. */
export function findScenarios(name: string): readonly Scenario[] {
  if (name === "all") return scenarios;
  const found = scenarios.filter((scenario) => scenario.name === name);
  if (found.length > 0) return found;
  throw new DrError({ kind: "usage", what: `there is no scenario ${name}`, where: "--scenario", todo: `Name one of: ${scenarios.map((scenario) => scenario.name).join(", ")}, or all.` });
}
