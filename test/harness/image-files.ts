/** The lines of a list, without comments. */
export const linesOf = (text: string): readonly string[] =>
  text.split("\n").map((line) => line.replace(/\s*#.*$/, "").trim()).filter((line) => line !== "");

/** Debian's packages of the image by their names, each with its version where one is asked for. */
export const packagesOf = (text: string): ReadonlyMap<string, string | undefined> =>
  new Map(linesOf(text).map((line) => {
    const [name = "", version] = line.split("=");
    return [name, version] as const;
  }));
