/** Just enough YAML to write a configuration: maps, lists and scalars, every text quoted as JSON quotes it. */
export type YamlValue = string | number | boolean | readonly YamlValue[] | { readonly [key: string]: YamlValue | undefined };

const plainKey = /^[A-Za-z_][A-Za-z0-9_-]*$/;
/** What YAML 1.1 would read as a boolean or as nothing although it looks like a word. */
const reserved = /^(y|n|yes|no|on|off|true|false|null)$/i;

const keyOf = (key: string): string => (plainKey.test(key) && !reserved.test(key) ? key : JSON.stringify(key));
const isScalar = (value: YamlValue): value is string | number | boolean => typeof value !== "object";
const isList = (value: YamlValue): value is readonly YamlValue[] => Array.isArray(value);

function lines(value: YamlValue, indent: string): string[] {
  if (isScalar(value)) return [`${indent}${JSON.stringify(value)}`];
  if (isList(value)) {
    return value.flatMap((item) => {
      if (isScalar(item)) return [`${indent}- ${JSON.stringify(item)}`];
      const [first = "", ...rest] = lines(item, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  return Object.entries(value).flatMap(([key, item]) => {
    if (item === undefined) return [];
    if (isScalar(item)) return [`${indent}${keyOf(key)}: ${JSON.stringify(item)}`];
    const inner = lines(item, `${indent}  `);
    return inner.length === 0 ? [`${indent}${keyOf(key)}: ${isList(item) ? "[]" : "{}"}`] : [`${indent}${keyOf(key)}:`, ...inner];
  });
}

/** The value as a YAML document. Keys keep their order; those that are `undefined` are left out. */
export const toYaml = (value: YamlValue): string => `${lines(value, "").join("\n")}\n`;
