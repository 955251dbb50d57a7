/** IPv4 ranges, e.g. `10.20.0.0/16`: what networks are made of. */
export interface Cidr {
  readonly first: number;
  readonly prefix: number;
}

/** @returns `undefined` where it is no IPv4 range, or where bits behind the prefix are set */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (match === null) return undefined;
  const [, ...numbers] = match;
  const [a = 256, b = 256, c = 256, d = 256, prefix = 33] = numbers.map(Number);
  if (Math.max(a, b, c, d) > 255 || prefix > 32) return undefined;
  const first = ((a * 256 + b) * 256 + c) * 256 + d;
  return first % sizeOf(prefix) === 0 ? { first, prefix } : undefined;
}

const sizeOf = (prefix: number): number => 2 ** (32 - prefix);

export function formatCidr({ first, prefix }: Cidr): string {
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${bytes.join(".")}/${prefix}`;
}

export const overlap = (a: Cidr, b: Cidr): boolean => a.first < b.first + sizeOf(b.prefix) && b.first < a.first + sizeOf(a.prefix);
export const contains = (outer: Cidr, inner: Cidr): boolean => outer.prefix <= inner.prefix && overlap(outer, inner);

/** The `index`th of the `2 ** bits` equal parts. */
export const part = (whole: Cidr, bits: number, index: number): Cidr => ({ first: whole.first + index * sizeOf(whole.prefix + bits), prefix: whole.prefix + bits });

/** RFC 1918. */
const privateRanges: readonly Cidr[] = [
  { first: 10 * 2 ** 24, prefix: 8 },
  { first: (172 * 256 + 16) * 2 ** 16, prefix: 12 },
  { first: (192 * 256 + 168) * 2 ** 16, prefix: 16 },
];
export const isPrivate = (cidr: Cidr): boolean => privateRanges.some((range) => contains(range, cidr));
