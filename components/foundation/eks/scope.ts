import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../../plan/types.ts";
import type { Lifetime } from "../../component.ts";
import type { EksCluster } from "../cluster-choice.ts";

/** What every part of a cluster is told. */
export interface EksScope {
  /** The component, whose children the parts are. */
  readonly parent: pulumi.Resource;
  /** Prefix of the resources' names in the program. */
  readonly name: string;
  /** The cluster's name in AWS, and the prefix of everything that belongs to it. */
  readonly cluster: string;
  readonly region: string;
  readonly plan: Plan;
  readonly eks: EksCluster;
  readonly lifetime: Lifetime;
}

/** Options of what must not go by a mistake, but holds no data that would have to outlive its cluster. */
export const guarded = ({ parent, lifetime }: Pick<EksScope, "parent" | "lifetime">): pulumi.CustomResourceOptions => ({ parent, protect: lifetime === "kept" });

export const nameTag = (name: string): Readonly<Record<string, string>> => ({ Name: name });
