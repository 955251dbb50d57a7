/** How far PostgreSQL's data reaches in each repository: seen in the bucket, not believed from the archiver. */
import type { RunContext } from "../../context.ts";
import { messageOf } from "../../errors.ts";
import { leaves, readArchive } from "./archive.ts";
import { readInfo } from "./info.ts";
import { openRepository, productionSite, repositoriesOf, type Repository } from "./repositories.ts";

export type RepositoryWatermark =
  | { readonly repository: string; readonly status: "ok"; readonly segment: string; readonly timeline: number; readonly archivedAt: string; /** Seconds since it arrived. */ readonly age: number }
  | { readonly repository: string; readonly status: "empty" }
  | { readonly repository: string; readonly status: "failed"; readonly error: string };

/** The newest WAL segment in each repository, and its age. An idle database closes no segment, and its age grows. */
export async function postgresWatermark(context: RunContext): Promise<readonly RepositoryWatermark[]> {
  return Promise.all(
    repositoriesOf(context).map((repository) =>
      watermarkOf(context, repository).catch((error: unknown): RepositoryWatermark => {
        context.signal.throwIfAborted();
        return { repository: repository.name, status: "failed", error: messageOf(error) };
      }),
    ),
  );
}

async function watermarkOf(context: RunContext, repository: Repository): Promise<RepositoryWatermark> {
  await repository.backend.check();
  const open = await openRepository(context, repository, productionSite(context));
  const { archiveId } = await readInfo(open);
  const archive = await readArchive(open, archiveId);
  const timeline = leaves(archive).at(-1);
  const newest = timeline === undefined ? undefined : (await archive.newest(timeline)).at(-1);
  if (timeline === undefined || newest === undefined) return { repository: repository.name, status: "empty" };
  const age = Math.max(0, (context.clock.now().getTime() - newest.archivedAt.getTime()) / 1_000);
  return { repository: repository.name, status: "ok", segment: newest.segment, timeline, archivedAt: newest.archivedAt.toISOString(), age };
}
