/** Secrets that somebody wrote out, told by what they look like. Marks of plan/config/secret-template.ts are none. */

const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----/, "a private key"],
  [/\b(AKIA|ASIA)[A-Z0-9]{16}\b/, "an access key of AWS"],
  [/\bgh[pousr]_[A-Za-z0-9]{36,}\b/, "a token of GitHub"],
  [/\bhv[sb]\.[A-Za-z0-9_-]{24,}/, "a token of Vault"],
  [/\bpul-[0-9a-f]{40}\b/, "a token of Pulumi"],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@$<{]*:[^\s/@$<{%]+@/, "an address with a password"],
  [/^[ \t]*(?:export[ \t]+)?["']?[\w.-]*(?:password|passphrase|secret[_-]?(?:access[_-]?)?key|requirepass|masterauth|api[_-]?key|cipher-pass|auth[_-]?token)["']?[ \t]*(?:[:=][ \t]*|[ \t]+)["']?(?![/$<{*]|@(?:secret|sha256):|file:|\s|true\b|false\b|null\b|none\b|""|'')[^\s"',;#]{6,}/im, "a password"],
];

/** What secret a text has written out in it; `undefined`: none that is known by its looks. */
export const secretIn = (text: string): string | undefined => shapes.find(([shape]) => shape.test(text))?.[1];

const names = /(pass(word|phrase|wd)?|pwd|secret|token|credential|api_?key|access_?key|private_?key)/i;
/** Whether a variable of that name holds a secret itself, and not the path of a file that does. */
export const isSecretName = (name: string): boolean => names.test(name) && !/_(FILE|PATH|DIR|URL|NAME|TTL|REGION)$/i.test(name);
