import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { contextIn, KubeconfigError, type KubeconfigFile, type KubeContext } from "./kubeconfig.ts";

/** Which files kubectl would read. */
export function kubeconfigPaths(given: string | undefined, environment: Readonly<Record<string, string | undefined>> = process.env): readonly string[] {
  if (given !== undefined) return [given];
  const listed = environment["KUBECONFIG"]?.split(delimiter).filter((path) => path !== "") ?? [];
  return listed.length > 0 ? listed : [join(environment["HOME"] ?? homedir(), ".kube", "config")];
}

/**
 * A context of a kubeconfig; `given` as in `ExistingCluster`.
 * @throws KubeconfigError which names the files and what is missing in them
 */
export function readContext(context: string, given: string | undefined): KubeContext {
  const paths = kubeconfigPaths(given);
  try {
    return contextIn(paths.flatMap(read(paths.length > 1)), context);
  } catch (cause) {
    if (cause instanceof KubeconfigError) throw new KubeconfigError(`${paths.join(delimiter)}: ${cause.message}`, { cause });
    throw cause;
  }
}

/** Of several files some may be missing, as for kubectl; the only one may not. */
const read =
  (several: boolean) =>
  (path: string): readonly KubeconfigFile[] => {
    try {
      return [{ text: readFileSync(path, "utf8"), folder: dirname(resolve(path)) }];
    } catch (cause) {
      if (several && cause instanceof Error && "code" in cause && cause.code === "ENOENT") return [];
      throw new KubeconfigError(`it cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  };
