/** A tool's version as far as its features go by it, e.g. 2.45 of pgBackRest. */
export interface ToolVersion {
  readonly major: number;
  readonly minor: number;
}

/** The first version number in what a tool prints for `--version`: `pgBackRest 2.55.1` gives 2.55. */
export function parseVersion(text: string): ToolVersion | undefined {
  const match = /(\d+)(?:\.(\d+))?/.exec(text);
  if (match === null) return undefined;
  return { major: Number(match[1]), minor: Number(match[2] ?? 0) };
}

export function atLeast(version: ToolVersion, major: number, minor = 0): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}

export const formatVersion = (version: ToolVersion): string => `${version.major}.${version.minor}`;
