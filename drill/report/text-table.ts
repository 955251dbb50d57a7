/** Tables of plain text for a terminal. Pure: a wide cell is wrapped, never cut, so that no figure is lost. */
export interface Column {
  readonly title: string;
  /** Default: left. Figures stand to the right, so that their digits line up, and are not wrapped. */
  readonly align?: "left" | "right";
}

/** A text, and how it is painted once its place is known. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

const gap = "  ";
const leastWidth = 12;

/** Width on the screen of a text without control characters. */
const widthOf = (text: string): number => Array.from(text).length;
const textOf = (cell: Cell | undefined): string => (typeof cell === "object" ? cell.text : (cell ?? ""));

/** Text without line breaks and control characters: a name from a record must not move the cursor. */
export const oneLine = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ");

/** Breaks at spaces; a word that is longer than the line is broken where the line ends. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of oneLine(text).split(" ")) {
    let rest = word;
    if (line !== "" && widthOf(line) + 1 + widthOf(rest) > width) {
      lines.push(line);
      line = "";
    }
    while (widthOf(rest) > width) {
      const letters = Array.from(rest);
      lines.push(letters.slice(0, width).join(""));
      rest = letters.slice(width).join("");
    }
    line = line === "" ? rest : `${line} ${rest}`;
  }
  return [...lines, line];
}

/** The columns' natural widths, the widest text column narrowed until the table fits. */
function fit(columns: readonly Column[], texts: readonly (readonly string[])[], total: number): number[] {
  const sizes = columns.map((column, index) => Math.max(widthOf(column.title), ...texts.map((row) => widthOf(row[index] ?? ""))));
  const least = columns.map((column, index) => (column.align === "right" ? (sizes[index] ?? 0) : Math.max(widthOf(column.title), leastWidth)));
  const room = total - gap.length * (columns.length - 1);
  for (let over = sizes.reduce((sum, size) => sum + size, 0) - room; over > 0; over -= 1) {
    const [widest] = sizes
      .map((size, index) => ({ size, index }))
      .filter(({ size, index }) => size > (least[index] ?? 0))
      .sort((a, b) => b.size - a.size);
    if (widest === undefined) break;
    sizes[widest.index] = widest.size - 1;
  }
  return sizes;
}

function renderRow(columns: readonly Column[], sizes: readonly number[], cells: readonly Cell[]): string[] {
  const wrapped = columns.map((_, index) => wrapText(textOf(cells[index]), Math.max(1, sizes[index] ?? 1)));
  const height = Math.max(...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) => {
    const parts = columns.map((column, index) => {
      const text = wrapped[index]?.[line] ?? "";
      const space = " ".repeat(Math.max(0, (sizes[index] ?? 0) - widthOf(text)));
      const cell = cells[index];
      const painted = typeof cell === "object" && text !== "" ? cell.paint(text) : text;
      return column.align === "right" ? space + painted : painted + space;
    });
    return parts.join(gap).trimEnd();
  });
}

/** At most `total` columns wide, as long as the figures and the least widths of the texts leave room for it. */
export function textTable(columns: readonly Column[], rows: readonly (readonly Cell[])[], total = 100): string[] {
  const texts = rows.map((row) => row.map((cell) => oneLine(textOf(cell))));
  const sizes = fit(columns, texts, total);
  const titles = columns.map((column) => column.title);
  return [...renderRow(columns, sizes, titles), sizes.map((size) => "─".repeat(size)).join(gap), ...rows.flatMap((row) => renderRow(columns, sizes, row))];
}
