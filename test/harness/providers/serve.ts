import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { aws } from "./aws.ts";
import { Cloud } from "./cloud.ts";
import { cloudflare } from "./cloudflare.ts";
import { serveClusters } from "./kubernetes-api.ts";
import { kubernetes } from "./kubernetes.ts";
import { postgresql } from "./postgresql.ts";
import { random } from "./random.ts";
import { serve } from "./server.ts";

/**
 * A process that serves every simulated provider: `node serve.ts FOLDER` keeps what exists in FOLDER/cloud, writes
 * FOLDER/kubeconfig, prints `PROVIDER:PORT,…` and runs until it is ended.
 */
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: serve.ts FOLDER");
const lacking = join(folder, "lacking");
await serveClusters(folder, (path) => existsSync(lacking) && readFileSync(lacking, "utf8").split("\n").some((part) => part !== "" && path.includes(part)));
const cloud = new Cloud(join(folder, "cloud"));
const ports = await Promise.all([aws, cloudflare, kubernetes, postgresql, random].map(async (behaviour) => `${behaviour.provider}:${(await serve(behaviour, cloud)).port}`));
console.log(ports.join(","));
