import { describe, expect, it } from "vitest";
import { contains, formatCidr, isPrivate, overlap, parseCidr, part, type Cidr } from "../../../components/foundation/cidr.ts";
import { rangesOf } from "../../../components/foundation/eks/subnets.ts";

const cidr = (text: string): Cidr => parseCidr(text) ?? { first: -1, prefix: -1 };

describe("IPv4 ranges", () => {
  it("are read and written the same", () => {
    for (const text of ["0.0.0.0/0", "10.20.0.0/16", "203.0.113.7/32", "255.255.255.254/31"]) expect(formatCidr(cidr(text))).toBe(text);
  });

  it.each(["", "10.0.0.0", "10.0.0.0/33", "256.0.0.0/8", "10.0.0.1/16", "2001:db8::/32", "10.0.0.0/-1"])("are not read from %j", (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });

  it("overlap where one has an address of the other, and not where they only touch", () => {
    expect(overlap(cidr("10.0.0.0/8"), cidr("10.20.0.0/16"))).toBe(true);
    expect(overlap(cidr("10.20.0.0/16"), cidr("10.0.0.0/8"))).toBe(true);
    expect(overlap(cidr("10.0.0.0/16"), cidr("10.1.0.0/16"))).toBe(false);
    expect(contains(cidr("10.20.0.0/16"), cidr("10.0.0.0/8"))).toBe(false);
  });

  it("are private by RFC 1918", () => {
    expect(["10.0.0.0/16", "172.31.0.0/16", "192.168.0.0/16"].every((text) => isPrivate(cidr(text)))).toBe(true);
    expect(["11.0.0.0/16", "172.32.0.0/16", "100.64.0.0/16", "0.0.0.0/0"].some((text) => isPrivate(cidr(text)))).toBe(false);
  });

  it("have equal parts", () => {
    expect(formatCidr(part(cidr("10.20.0.0/16"), 3, 1))).toBe("10.20.32.0/19");
  });

  it("are divided among zones without an overlap, and a further zone moves no other", () => {
    const zones = ["a", "b", "c", "d", "e", "f", "g"];
    const ranges = rangesOf("10.20.0.0/16", zones);
    const all = ranges.flatMap((range) => [cidr(range.private), cidr(range.public)]);
    for (const [index, one] of all.entries()) {
      expect(contains(cidr("10.20.0.0/16"), one)).toBe(true);
      expect(all.slice(index + 1).some((other) => overlap(one, other))).toBe(false);
    }
    expect(rangesOf("10.20.0.0/16", zones.slice(0, 3))).toEqual(ranges.slice(0, 3));
  });
});
