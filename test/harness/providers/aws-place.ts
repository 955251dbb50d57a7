import type { Place } from "./behaviour.ts";
import { text, type Properties } from "./wire.ts";

/** The account of every simulated resource: the one of Amazon's own examples. */
export const account = "111122223333";

export const serviceOf = (type: string): string => type.split(":")[1]?.split("/")[0] ?? "";

/**
 * Where a request goes: the resource's own region, else the provider's.
 * @throws Error where neither says it, or the region does not answer
 */
export function regionOf(inputs: Properties, place: Place): string {
  const region = text(inputs, "region") ?? text(place.config, "region");
  if (region === undefined) throw new Error("no region: neither the resource names one nor the provider's configuration (aws:region)");
  place.cloud.reach(region);
  return region;
}

/** Whose S3 it is, where the provider is pointed at another than Amazon's, e.g. R2's. */
export function endpointHost(place: Place): string | undefined {
  const endpoints = place.config["endpoints"];
  const parsed: unknown = typeof endpoints === "string" ? JSON.parse(endpoints) : endpoints;
  const s3 = Array.isArray(parsed) ? parsed.map((one: unknown) => (typeof one === "object" && one !== null && "s3" in one ? one.s3 : undefined)).find((one) => typeof one === "string") : undefined;
  return typeof s3 === "string" ? new URL(s3).host : undefined;
}
