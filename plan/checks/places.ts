import { backendOf, primaryRegion } from "../find.ts";
import type { Backend } from "../types.ts";
import type { Check } from "./check.ts";

/** Who provides each kind of backend. */
const providerOfKind: Readonly<Record<Backend["kind"], Backend["provider"]>> = { r2: "cloudflare", s3: "aws", "glacier-vault": "aws", "s3-glacier": "aws" };

/** Three regions that do not fail together, and a majority of votes when one of them does. */
export const checkRegions: Check = (plan, report) => {
  const { regions } = plan;
  if (regions.length !== plan.system.regions) report("regions", regions.length, `${plan.system.regions}, as system.regions promises`);
  if (regions.length < 3) report("regions", regions.length, "at least 3: with fewer, the loss of one takes the majority away");
  if (regions.length % 2 === 0) report("regions", regions.length, "an odd number: each has one member of etcd, and an even one adds a way to lose the majority");
  for (const role of ["primary", "secondary"] as const) {
    const names = regions.filter((region) => region.role === role).map((region) => region.name);
    if (names.length !== 1) report("regions", names, `exactly one ${role} region`);
  }
  if (!regions.some((region) => region.role === "witness")) report("regions", regions.map((region) => region.role), "a witness: its vote decides which of the other two goes on");
  const secondary = regions.find((region) => region.role === "secondary");
  if (secondary !== undefined && secondary.name === primaryRegion(plan)?.name) report("regions", secondary.name, "a secondary region that is not the primary one");
};

/** Backends of which no single failure takes all. */
export const checkBackends: Check = (plan, report) => {
  const { backends } = plan;
  for (const role of ["primary", "secondary"] as const) {
    const names = backends.filter((backend) => backend.role === role).map((backend) => backend.name);
    if (names.length !== 1) report("backends", names, `exactly one ${role} backend`);
  }
  // An archive takes hours to answer: it does not stand in for a provider that is gone.
  const quick = backends.filter((backend) => backend.role !== "archive");
  const providers = [...new Set(quick.map((backend) => backend.provider))];
  if (providers.length < 2) report("backends", providers, "at least 2 providers, archives not counted: one of them can be lost as a whole");
  const home = primaryRegion(plan);
  if (home !== undefined && quick.every((backend) => backend.continent === home.continent)) report("backends", quick.map((backend) => backend.continent), `one on another continent than ${home.name}`);
  for (const backend of backends) {
    const field = `backends[${backend.name}]`;
    if (home !== undefined && backend.region === home.name) report(`${field}.region`, backend.region, "not the primary region: it would be lost with what it protects");
    if (backend.provider !== providerOfKind[backend.kind]) report(`${field}.provider`, backend.provider, `${providerOfKind[backend.kind]}, which runs ${backend.kind}`);
    if (backend.role !== "archive" && backend.retrieval > 0) report(`${field}.retrieval`, backend.retrieval, "0: only an archive has to be asked first");
  }
  for (const store of plan.stores) {
    const written = store.copies.flatMap((copy) => (copy.kind === "backup" ? [backendOf(plan, copy.backend)] : [])).filter((backend) => backend !== undefined);
    if (written.length > 0 && written.every((backend) => backend.role === "archive")) report(`stores[${store.name}].copies`, written.map((backend) => backend.name), "a backup outside the archive, which answers too late for any tier");
  }
};
