/** One instruction of a Dockerfile. */
export interface Instruction {
  readonly keyword: string;
  readonly words: readonly string[];
}

/** From one FROM to the next. */
export interface Stage {
  readonly from: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** Of those that Docker knows, those that have a use here. */
const keywords = new Set(["ARG", "FROM", "COPY", "RUN", "WORKDIR", "USER", "ENTRYPOINT", "LABEL", "ENV"]);

/**
 * The instructions of a Dockerfile without here-documents, in their order.
 * @throws SyntaxError on a line that is none
 */
export function instructionsOf(text: string): readonly Instruction[] {
  const lines = text.replaceAll(/\\\n/g, " ").split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const [keyword = "", ...words] = line.trim().split(/\s+/);
    if (!keywords.has(keyword) || words.length === 0) throw new SyntaxError(`no instruction: ${line}`);
    return { keyword, words };
  });
}

/** @throws SyntaxError where something but an argument stands before the first FROM, or a FROM names what is not declared */
export function stagesOf(instructions: readonly Instruction[]): readonly Stage[] {
  const first = instructions.findIndex(({ keyword }) => keyword === "FROM");
  const declared = instructions.slice(0, first);
  if (first < 0 || declared.some(({ keyword }) => keyword !== "ARG")) throw new SyntaxError("before the first FROM only arguments may stand");
  const names = new Set(declared.map(({ words: [word = ""] }) => word.split("=")[0]));
  const starts = instructions.flatMap(({ keyword }, index) => (keyword === "FROM" ? [index] : []));
  return starts.map((start, index) => {
    const [from = "", as, name] = instructions[start]?.words ?? [];
    const variable = /^\$\{(\w+)\}$/.exec(from)?.[1];
    if (variable !== undefined && !names.has(variable)) throw new SyntaxError(`FROM ${from}: no argument ${variable} stands before the first FROM`);
    if (as !== undefined && (as !== "AS" || name === undefined)) throw new SyntaxError(`FROM ${from} ${as}: expected AS and a name`);
    return { from, name, instructions: instructions.slice(start + 1, starts[index + 1]) };
  });
}
