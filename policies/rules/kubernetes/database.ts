/** What runs a store's servers, told from everything else that runs pods. */
import type { ResourceReader } from "../../core/resource.ts";

const kept = "kubernetes:apps/v1:StatefulSet";
const replicated = "kubernetes:apps/v1:Deployment";
export const databaseTypes: readonly string[] = [kept, replicated];

/** Servers under names of their own hold data or votes; what a database's component replicates belongs to it. */
export const isDatabase = ({ facts }: ResourceReader): boolean => holdsState({ facts }) || (facts.type === replicated && (facts.parent?.includes("blackroad:databases:") ?? false));
export const holdsState = ({ facts }: Pick<ResourceReader, "facts">): boolean => facts.type === kept;
