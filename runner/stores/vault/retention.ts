import type { Plan } from "../../../plan/types.ts";
import { deadlineOf } from "../../backup-record.ts";
import { DrError } from "../../errors.ts";

export const vaultSchedule = "vault-snapshot";

/** How long a copy on the machine itself is kept (M3: as long as the plan keeps each snapshot), and how long a run can be at one. */
export function retentionOf(plan: Plan): { readonly retentionSeconds: number; readonly deadlineSeconds: number } {
  const found = plan.schedules.find(({ name }) => name === vaultSchedule);
  if (found === undefined || found.retention === "forever") throw new DrError({ kind: "usage", what: "the plan does not say how long snapshots of Vault are kept", where: `plan.schedules.${vaultSchedule}`, todo: "Give the schedule a retention." });
  return { retentionSeconds: found.retention, deadlineSeconds: deadlineOf(plan, vaultSchedule) };
}
