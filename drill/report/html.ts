/** HTML that cannot be broken into: whatever stands between the markup's own text is escaped, always. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type HtmlValue = string | number | Html | readonly HtmlValue[];

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "`": "&#96;" };

/**
 * Text as it may stand between tags and inside a quoted attribute. Control characters and those that turn the
 * direction of writing become visible: a file's name must not make a page say something else than it holds.
 */
export function escapeHtml(text: string): string {
  return text
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g, "\ufffd")
    .replaceAll(/[&<>"'`]/g, (character) => entities[character] ?? "");
}

function render(value: HtmlValue): string {
  if (value instanceof Html) return value.text;
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  return value.map(render).join("");
}

/** A template whose values are escaped, unless they are `Html` themselves. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.reduce((whole, part, index) => whole + render(values[index - 1] ?? "") + part));
}

export const nothing = new Html("");

/** A share as CSS wants it, held between 0 and 100. */
export const percent = (share: number): string => `${(Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * 100).toFixed(3)}%`;
