/** Shamir's secret sharing as OpenBao and Vault do it: over the field of AES, byte by byte, a share's last byte its x. */

/** Multiplication modulo x⁸ + x⁴ + x³ + x + 1. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let [left, right] = [a, b]; right > 0; right >>= 1) {
    if ((right & 1) === 1) product ^= left;
    left = (left << 1) ^ ((left & 0x80) === 0 ? 0 : 0x11b);
  }
  return product;
}

/** The field has 255 elements beside zero, so the 254th power is the inverse. */
function inverse(a: number): number {
  let result = 1;
  for (let power = 0; power < 254; power += 1) result = multiply(result, a);
  return result;
}

/**
 * The secret behind enough shares; another secret behind too few, which nothing here can tell. One share alone is the
 * secret itself, as it is where nothing was split.
 * @throws RangeError where shares differ in length or one is given twice
 */
export function combineShares(shares: readonly Uint8Array[]): Uint8Array {
  const [first] = shares;
  if (first === undefined) throw new RangeError("there is no share");
  if (shares.length === 1) return first;
  if (shares.some(({ length }) => length !== first.length)) throw new RangeError("the shares differ in length");
  const xs = shares.map((share) => share[share.length - 1] ?? 0);
  if (new Set(xs).size !== xs.length) throw new RangeError("a share is given twice");
  // Lagrange's polynomials at 0; subtraction is addition here.
  const weights = xs.map((x, index) => xs.reduce((product, other, at) => (at === index ? product : multiply(product, multiply(other, inverse(x ^ other)))), 1));
  return Uint8Array.from({ length: first.length - 1 }, (_, at) => shares.reduce((sum, share, index) => sum ^ multiply(share[at] ?? 0, weights[index] ?? 0), 0));
}
