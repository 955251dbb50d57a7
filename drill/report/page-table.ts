import { html, nothing, type Html, type HtmlValue } from "./html.ts";

export interface PageColumn {
  readonly title: string;
  /** A figure stands to the right in digits of equal width. */
  readonly kind?: "text" | "figure" | "code" | "bar";
}

/**
 * A table whose rows become blocks on a phone, each cell with its column's title beside it. The roles are written
 * out because browsers drop a table's meaning when its display is changed.
 */
export function pageTable(caption: string, columns: readonly PageColumn[], rows: readonly (readonly HtmlValue[])[], kind = ""): Html {
  const header = columns.map((column) => html`<th scope="col" role="columnheader" class="${column.kind ?? "text"}">${column.title}</th>`);
  return html`<table role="table" class="${kind}"><caption>${caption}</caption><thead role="rowgroup"><tr role="row">${header}</tr></thead><tbody role="rowgroup">${rows.map((row) => tableRow(columns, row))}</tbody></table>`;
}

function tableRow(columns: readonly PageColumn[], cells: readonly HtmlValue[]): Html {
  const rendered = columns.map(({ title, kind }, index) => {
    const cell = cells[index] ?? nothing;
    if (index === 0) return html`<th scope="row" role="rowheader">${cell}</th>`;
    return html`<td role="cell" class="${kind ?? "text"}" data-label="${title}"><span>${cell}</span></td>`;
  });
  return html`<tr role="row">${rendered}</tr>\n`;
}
