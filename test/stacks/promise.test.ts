import { describe, expect, it } from "vitest";
import { blackroad } from "../../plan/blackroad.ts";
import { BrokenPromiseError, requireKept } from "../../stacks/promise.ts";

describe("a plan before anything is declared", () => {
  it("may be declared where it keeps what it promises", () => {
    expect(() => requireKept(blackroad)).not.toThrow();
  });

  it("stops the preview with every cell that is not met and that nobody accepted", () => {
    const promises = { ...blackroad, accepted: blackroad.accepted.filter(({ store, scope }) => store !== "redis" || scope !== "region") };
    expect(() => requireKept(promises)).toThrow(BrokenPromiseError);
    expect(() => requireKept(promises)).toThrow(/redis after the loss of region: RPO 1 s, promised 0 s/);
  });

  it("names a store that has no way back", () => {
    const stores = blackroad.stores.map((store) => (store.name === "vault" ? { ...store, copies: store.copies.slice(0, 1) } : store));
    expect(() => requireKept({ ...blackroad, stores })).toThrow(/vault after the loss of region: RPO has no way back, promised 0 s/);
  });
});
