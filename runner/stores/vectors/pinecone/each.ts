/** Namespaces worked on at once: the pages of one come one after the other, so that only several keep the line busy. */
const atOnce = 32;

/** Does the work for each, some at once; where one fails no further one is begun. */
export async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items].reverse();
  let failed = false;
  const worker = async () => {
    for (let item = queue.pop(); item !== undefined && !failed; item = queue.pop()) {
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  const failure = ends.find((end) => end.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}
