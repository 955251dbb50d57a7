import type { Plan } from "../types.ts";
import type { Check } from "./check.ts";

/** Figures of which a zero says nothing or stops everything. */
export const checkFigures: Check = (plan, report) => {
  for (const [field, value] of positives(plan)) if (value === 0) report(field, value, "more than 0");
  for (const [field, value] of wholes(plan)) if (!Number.isInteger(value)) report(field, value, "a whole number");
  for (const store of plan.stores) if (store.compression > 1) report(`stores[${store.name}].compression`, store.compression, "more than 0 and at most 1: what is left of a byte");
  if (plan.intervalScale < 1) report("intervalScale", plan.intervalScale, "at least 1");
};

/** The rates without which no recovery time can be reckoned. */
export const checkRates: Check = (plan, report) => {
  const { restore, walFetch, walReplay, redisLoad, download, upload, validate } = plan.rates;
  for (const [name, rate] of Object.entries({ restore, walFetch, walReplay, redisLoad, download, upload, validate })) {
    if (!(rate > 0)) report(`rates.${name}`, rate, "more than 0 bytes per second");
  }
};

type Figures = readonly (readonly [field: string, value: number])[];

function positives(plan: Plan): Figures {
  const { postgres, redis, recovery, system, dns } = plan;
  return [
    ["agents", plan.agents],
    ["checkpointSize", plan.checkpointSize],
    ...under("system", { rpo: system.rpo, rto: system.rto, retention: system.retention, replicationLag: system.replicationLag }),
    ...under("recovery", { ...recovery }),
    ...under("dns", { interval: dns.interval, timeout: dns.timeout, consecutiveDown: dns.consecutiveDown }),
    ...under("postgres", { ...postgres }),
    ...under("redis", { downAfter: redis.downAfter, failoverTimeout: redis.failoverTimeout }),
    ...Object.entries(plan.tiers).map(([tier, times]) => [`tiers.${tier}.rto`, times.rto] as const),
    ...plan.backends.map((backend) => [`backends[${backend.name}].quota`, backend.quota] as const),
    ...plan.stores.flatMap(({ name, expectedSize, dailyChange, compression }) => under(`stores[${name}]`, { expectedSize, dailyChange, compression })),
    ...plan.schedules.flatMap(({ name, deadline, retention, interval }) =>
      under(`schedules[${name}]`, { deadline, ...(retention === "forever" ? {} : { retention }), ...(interval === undefined ? {} : { interval }) }),
    ),
    ...plan.alerts.map((alert) => [`alerts[${alert.name}].for`, alert.for] as const),
  ];
}

/** Counts, and what Patroni and PostgreSQL take in whole seconds. */
function wholes(plan: Plan): Figures {
  const { version, archiveTimeout, leaderLease, loopWait, retryTimeout } = plan.postgres;
  return [
    ["agents", plan.agents],
    ["system.regions", plan.system.regions],
    ["dns.retries", plan.dns.retries],
    ["dns.consecutiveDown", plan.dns.consecutiveDown],
    ...under("postgres", { version, archiveTimeout, leaderLease, loopWait, retryTimeout }),
  ];
}

const under = (path: string, figures: Readonly<Record<string, number>>): Figures => Object.entries(figures).map(([name, value]) => [`${path}.${name}`, value] as const);
