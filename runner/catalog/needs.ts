import type { BackupRecord } from "./record.ts";

/**
 * The records whose objects this one is made of besides its own: what does not change is stored once, under the id of
 * the run that stored it (`STORE/ID/NAME`), and later records name it again. Retention keeps them as long as this one.
 */
export function needs(record: Pick<BackupRecord, "id" | "objects">): readonly string[] {
  const owners = record.objects.flatMap(({ key }) => key.split("/")[1] ?? []);
  return [...new Set(owners)].filter((owner) => owner !== record.id).sort();
}
