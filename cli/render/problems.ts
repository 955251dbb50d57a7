import type { CatalogProblem } from "../../runner/catalog/catalog.ts";

/** A line per record or backend of the catalog that could not be read. */
export function renderProblems(problems: readonly CatalogProblem[]): string[] {
  return problems.map(({ backend, key, what }) => (key === undefined ? `catalog: ${backend} cannot be read: ${what}` : `catalog: damaged record ${key} in ${backend}: ${what}`));
}
