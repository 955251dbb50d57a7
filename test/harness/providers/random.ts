import { randomBytes, randomInt } from "node:crypto";
import type { Behaviour } from "./behaviour.ts";
import { ruled, type Asked, type Rule } from "./rules.ts";
import type { Properties } from "./wire.ts";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function characters({ inputs }: Asked): string {
  const length = inputs["length"];
  if (typeof length !== "number" || length < 1) throw new Error("length: a positive number is needed");
  const special = typeof inputs["overrideSpecial"] === "string" ? inputs["overrideSpecial"] : "!@#$%&*()-_=+[]{}<>:?";
  const alphabet = [inputs["lower"] !== false || inputs["upper"] !== false ? letters : "", inputs["numeric"] === false ? "" : "0123456789", inputs["special"] === false ? "" : special].join("");
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)] ?? "").join("");
}

/** Whatever shapes the value makes a new one when it changes. */
const shape = ["keepers", "length", "lower", "upper", "numeric", "number", "special", "overrideSpecial", "minLower", "minUpper", "minNumeric", "minSpecial", "byteLength", "prefix"];

const rules: Readonly<Record<string, Rule>> = {
  "random:index/randomPassword:RandomPassword": { id: () => "none", replaces: shape, outputs: (asked) => ({ result: characters(asked), bcryptHash: "$2a$10$simulated" }) },
  "random:index/randomString:RandomString": { id: () => "none", replaces: shape, outputs: (asked) => ({ result: characters(asked) }) },
  "random:index/randomBytes:RandomBytes": {
    id: () => "none",
    replaces: shape,
    outputs: ({ inputs }) => {
      const bytes = randomBytes(typeof inputs["length"] === "number" ? inputs["length"] : 32);
      return { base64: bytes.toString("base64"), hex: bytes.toString("hex") };
    },
  },
  "random:index/randomId:RandomId": {
    id: () => randomBytes(8).toString("hex"),
    replaces: shape,
    outputs: ({ inputs }, id) => {
      const bytes = Buffer.from(id.repeat(8), "hex").subarray(0, typeof inputs["byteLength"] === "number" ? inputs["byteLength"] : 8);
      return { hex: bytes.toString("hex"), dec: "1", b64Std: bytes.toString("base64"), b64Url: bytes.toString("base64url") };
    },
  },
};

/** An import gives the value as the id. */
function imported(_type: string, id: string): { readonly inputs: Properties; readonly outputs: Properties } {
  const inputs = { length: id.length };
  return { inputs, outputs: { ...inputs, result: id, lower: true, upper: true, numeric: true, special: true } };
}

/** Randomness lives in the state alone: a lost state loses it. */
export const random: Behaviour = {
  ...ruled({ provider: "random", rules, functions: {}, location: () => "", resolved: (_type, id) => ({ id, location: "" }) }),
  stateless: imported,
};
