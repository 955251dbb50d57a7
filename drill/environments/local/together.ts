/**
 * Waits for all of `works`, also when one fails: nothing may go on starting servers behind a teardown. The first
 * failure is thrown in the end; `stop` is called when it comes, so that the others need not run their course.
 */
export async function together(works: readonly Promise<unknown>[], stop: () => void = () => undefined): Promise<void> {
  const failures: unknown[] = [];
  await Promise.all(
    works.map((work) =>
      work.catch((error: unknown) => {
        failures.push(error);
        stop();
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
}
