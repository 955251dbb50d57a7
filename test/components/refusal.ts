import { ArgumentError } from "../../components/component.ts";
import { declare } from "../harness/pulumi.ts";

/** What a component says when it refuses its arguments; throws where it does not, or where it declared anything. */
export async function refusal(make: () => object): Promise<string> {
  const declared = await declare(() => {
    try {
      make();
      return undefined;
    } catch (error) {
      return error;
    }
  });
  if (declared.outputs === undefined) throw new Error("nothing was refused");
  if (!(declared.outputs instanceof ArgumentError)) throw new Error("it failed, but did not refuse", { cause: declared.outputs });
  if (declared.all.length > 0) throw new Error(`before it refused, it declared ${declared.all.map(({ name }) => name).join(", ")}`);
  return declared.outputs.message;
}
