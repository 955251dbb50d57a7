import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import { describe, expect, it } from "vitest";
import { ArgumentError, Component, dataOptions, refuse, type Lifetime } from "../../components/component.ts";
import { declare } from "../harness/pulumi.ts";

class Sample extends Component {
  readonly value: pulumi.Output<string>;
  constructor(name: string, args: { readonly lifetime: Lifetime; readonly length: number }, options?: pulumi.ComponentResourceOptions) {
    refuse(`Sample ${name}`, [args.length < 8 && `length: ${args.length} is less than 8`, args.length % 2 === 1 && `length: ${args.length} is odd`]);
    super("test", "Sample", name, args, options);
    this.value = new RandomPassword(`${name}-password`, { length: args.length }, dataOptions(this, args.lifetime)).result;
    this.registerOutputs({ length: args.length, value: this.value });
  }
}

describe("a component", () => {
  it("is registered under its folder and class, and its data is protected where it is kept", async () => {
    const declared = await declare(() => new Sample("sample", { lifetime: "kept", length: 16 }));
    const component = declared.one("blackroad:test:Sample");
    expect(component.outputs).toMatchObject({ length: 16 });
    expect(declared.one("random:index/randomPassword:RandomPassword")).toMatchObject({ name: "sample-password", parent: component.urn, protect: true, retainOnDelete: true, inputs: { length: 16 } });
  });

  it("leaves nothing protected where it is ephemeral", async () => {
    const declared = await declare(() => new Sample("sample", { lifetime: "ephemeral", length: 16 }));
    expect(declared.one("random:index/randomPassword:RandomPassword")).toMatchObject({ protect: false, retainOnDelete: false });
  });

  it("says everything that is wrong with its arguments, and declares nothing", async () => {
    const declared = await declare(() => {
      try {
        return new Sample("sample", { lifetime: "kept", length: 7 });
      } catch (error) {
        return error;
      }
    });
    expect(declared.outputs).toBeInstanceOf(ArgumentError);
    expect(String(declared.outputs)).toContain("length: 7 is less than 8");
    expect(String(declared.outputs)).toContain("length: 7 is odd");
    expect(declared.all).toEqual([]);
  });
});
