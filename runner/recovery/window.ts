/** The recovery window (R4): from when to when a point in time can be recovered, per repository. */
import type { RunContext } from "../context.ts";
import { messageOf } from "../errors.ts";
import { productionSite } from "../stores/postgres/repositories.ts";
import { chooseTimeline, windowOf } from "./choose.ts";
import { isSurveyed, survey } from "./survey.ts";

export type RepositoryWindow =
  | { readonly repository: string; readonly status: "ok"; readonly oldest: string; readonly newest: string; readonly timeline: number; readonly backups: number }
  | { readonly repository: string; readonly status: "empty" }
  | { readonly repository: string; readonly status: "failed"; readonly error: string };

export async function recoveryWindow(context: RunContext): Promise<readonly RepositoryWindow[]> {
  const surveys = await survey(context, productionSite(context), { exact: true });
  return surveys.map((one): RepositoryWindow => {
    const repository = one.repository.name;
    if (!isSurveyed(one)) return { repository, status: "failed", error: messageOf(one.error) };
    if (one.holdings.backups.length === 0) return { repository, status: "empty" };
    const { timeline } = chooseTimeline(one.holdings, { nextXids: new Map() });
    const window = windowOf(one.holdings, timeline);
    if (window === undefined) return { repository, status: "empty" };
    return { repository, status: "ok", oldest: window.oldest.toISOString(), newest: window.newest.toISOString(), timeline, backups: one.holdings.backups.length };
  });
}
