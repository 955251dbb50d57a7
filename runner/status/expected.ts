import { intervalOf } from "../../plan/schedule.ts";
import type { Plan, Schedule, ScheduleName } from "../../plan/types.ts";
import type { BackupRecord } from "../catalog/record.ts";

/** A backup that a schedule of the plan makes, by the store and kind that its records have. */
export interface ExpectedBackup {
  readonly store: string;
  readonly kind: string;
  readonly schedule: ScheduleName;
  readonly intervalSeconds: number;
  /** Counted from the newest good one's beginning: the next run begins an interval later and ends by its deadline. */
  readonly overdueAfterSeconds: number;
  /** Other kinds of the same store that do as well: at 02:00 the widest job supersedes the others. */
  readonly alsoKinds: readonly string[];
  /** The backends that the plan has it in; absent: all that there are. */
  readonly backends?: readonly string[];
}

/** What `schedule` leaves in the catalog; `undefined` for those that leave no backup of one store. */
export function storeAndKind(schedule: ScheduleName): { readonly store: string; readonly kind: string } | undefined {
  if (schedule === "archive" || schedule === "verify") return undefined;
  const [store = "", kind = ""] = schedule.split("-");
  return { store: store === "config" ? "configuration" : store, kind };
}

/** Every scheduled backup of the given stores. */
export function expectedBackups(plan: Plan, stores: ReadonlySet<string>): ExpectedBackup[] {
  return plan.schedules.flatMap((schedule): ExpectedBackup[] => {
    const made = storeAndKind(schedule.name);
    if (made === undefined || !stores.has(made.store)) return [];
    const intervalSeconds = intervalOf(schedule);
    return [{ ...made, schedule: schedule.name, intervalSeconds, overdueAfterSeconds: intervalSeconds + schedule.deadline, alsoKinds: widerKinds(plan, schedule, made.store), ...backendsOf(plan, schedule.name) }];
  });
}

/** Objects are copied to the backend that does not hold the originals. */
function backendsOf(plan: Plan, schedule: ScheduleName): Pick<ExpectedBackup, "backends"> {
  const copies = plan.stores.flatMap((store) => store.copies.flatMap((copy) => (copy.kind === "backup" && copy.schedule === schedule ? [copy.backend] : [])));
  return copies.length === 0 ? {} : { backends: copies };
}

function widerKinds(plan: Plan, schedule: Schedule, store: string): string[] {
  return plan.schedules
    .filter((other) => other.tool === "pgbackrest" && schedule.tool === "pgbackrest" && intervalOf(other) > intervalOf(schedule))
    .flatMap((other) => {
      const made = storeAndKind(other.name);
      return made?.store === store ? [made.kind] : [];
    });
}

/** Whether a record does what the schedule asks for. */
export const fulfils = (record: BackupRecord, expected: ExpectedBackup): boolean => record.store === expected.store && (record.kind === expected.kind || expected.alsoKinds.includes(record.kind));
