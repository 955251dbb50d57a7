/** `30,000`: counts as people read them, in every locale of the machine alike. */
export const countText = (count: number): string => count.toLocaleString("en");

/** `1 agent`, `2 agents`. */
export const plural = (count: number, noun: string): string => `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
