import { readSecret } from "../config.ts";
import { DrError, messageOf } from "../errors.ts";
import { openHttpServer } from "../system/http.ts";
import type { Plan } from "../../plan/types.ts";
import type { NotificationsConfig, ReceiverConfig } from "./config.ts";
import { alertOf, webhookBody, type Notice } from "./notice.ts";

const alertsPath = "/api/v2/alerts";

/** Sends it to everybody at once, each within `deadline` seconds. Returns what went wrong, a sentence each. */
export async function sendNotice(plan: Plan, config: NotificationsConfig, notice: Notice, deadline: number): Promise<readonly string[]> {
  const { alertmanagers, webhooks, labels } = config;
  const sent = [
    ...alertmanagers.map((receiver) => post("Alertmanager", receiver, (path) => `${path.replace(/\/+$/, "")}${alertsPath}`, [alertOf(plan, notice, labels)], deadline)),
    ...webhooks.map((receiver) => post("the webhook", receiver, (path) => path, webhookBody(plan, notice, labels), deadline)),
  ];
  return (await Promise.all(sent)).filter((problem) => problem !== undefined);
}

async function post(name: string, receiver: ReceiverConfig, pathOf: (path: string) => string, body: unknown, deadline: number): Promise<string | undefined> {
  try {
    const address = new URL(receiver.url ?? (await readSecret(receiver.urlFile ?? "", `the address of ${name}`)));
    const authorization = receiver.authorizationFile === undefined ? undefined : await readSecret(receiver.authorizationFile, `the authorization for ${name}`);
    const server = await openHttpServer({ name, url: address.origin, caFile: receiver.caFile, ...(authorization === undefined ? {} : { headers: { authorization } }) });
    try {
      await server.text({ method: "POST", path: `${pathOf(address.pathname)}${address.search}`, json: body, deadline });
      return undefined;
    } finally {
      await server.close();
    }
  } catch (error) {
    return `${name} was not told: ${withoutAddress(error)}`;
  }
}

/** An address may be a secret, so of an error only what happened is told: no place of it, and nothing of `new URL`. */
function withoutAddress(error: unknown): string {
  if (error instanceof DrError) return error.what;
  return error instanceof TypeError ? "its address is no URL" : messageOf(error).split("\n")[0] ?? "";
}
