import type { BenchRow } from "./row.ts";

/** Every benchmark by its name. Each gives ratios within one run; none is a test. */
const benches: Readonly<Record<string, () => Promise<BenchRow[]>>> = {
  recover: async () => (await import("./recover.ts")).benchRecover(),
  "fan-out": async () => (await import("./fan-out.ts")).benchFanOut(),
  agents: async () => (await import("./agents.ts")).benchAgents(),
  scale: async () => (await import("./scale.ts")).benchScale(),
  drill: async () => (await import("./drill.ts")).benchDrill(),
  pulumi: async () => (await import("./pulumi.ts")).benchPulumi(),
  policies: async () => (await import("./policies.ts")).benchPolicies(),
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`no benchmark is called ${unknown.join(", ")}; there are: ${Object.keys(benches).join(", ")}`);
  process.exit(2);
}

const rows: BenchRow[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  console.error(`bench: ${name}`);
  rows.push(...(await bench()));
}
console.log("| what | against | reach | measured | |\n|---|---|---|---|---|");
for (const row of rows) console.log(`| ${row.what} | ${row.against} | ${row.reach} | ${row.measured} | ${row.ok ? "reached" : "NOT REACHED"} |`);
process.exitCode = rows.every((row) => row.ok) ? 0 : 1;
