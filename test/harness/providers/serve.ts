import { aws } from "./aws.ts";
import { Cloud } from "./cloud.ts";
import { cloudflare } from "./cloudflare.ts";
import { kubernetes } from "./kubernetes.ts";
import { postgresql } from "./postgresql.ts";
import { random } from "./random.ts";
import { serve } from "./server.ts";

/** A process that serves every simulated provider: `node serve.ts FOLDER` prints `PROVIDER:PORT,…` and runs until it is ended. */
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: serve.ts FOLDER, where what exists is kept");
const cloud = new Cloud(folder);
const ports = await Promise.all([aws, cloudflare, kubernetes, postgresql, random].map(async (behaviour) => `${behaviour.provider}:${(await serve(behaviour, cloud)).port}`));
console.log(ports.join(","));
