/** Whom the runner tells of failed backups and verifications, as an identity's `dr.json` says it (schema in runner/notify/config.ts). */
import { identities, type IdentityName } from "../identities.ts";

export interface DrNotifications {
  /** Alertmanager's address, `http://HOST:PORT`: nothing in it is secret. */
  readonly alertmanager?: string;
  /** A file with the address of a webhook, which is a secret: whoever knows it may call it. */
  readonly webhookFile?: string;
  /** Of the alerts, e.g. `region`. */
  readonly labels?: Readonly<Record<string, string>>;
}

export const notificationsFolder = "/run/secrets/dr-notifications";
export const webhookFile = `${notificationsFolder}/webhook`;

/** Those who back something up or verify it: `dr` tells of nothing else. */
export const tellsPeople = (identity: IdentityName): boolean => identities.some(({ name, access }) => name === identity && access !== "restorer");

export function notificationsEntry(identity: IdentityName, notifications: DrNotifications | undefined) {
  if (notifications === undefined || !tellsPeople(identity)) return undefined;
  const { alertmanager, webhookFile: urlFile, labels } = notifications;
  return { alertmanagers: alertmanager === undefined ? [] : [{ url: alertmanager }], webhooks: urlFile === undefined ? [] : [{ urlFile }], labels };
}
