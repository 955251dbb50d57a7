import { LogShipper } from "../../components/logs/log-shipper.ts";
import type { ServingConfig } from "../configuration/schema.ts";
import { objectStores } from "./endpoints.ts";
import { present } from "./present.ts";
import type { OpenRegion } from "./region.ts";

/** What the containers of every node say, shipped to every backend; where nothing is said of it, somebody else ships. */
export function declareLogs({ cluster: { provider }, config, name, plan }: OpenRegion<ServingConfig>): void {
  const { images, logs } = config;
  if (logs === undefined) return;
  const { credentials, namespace, roleArn } = logs;
  new LogShipper("logs", { plan, region: name, namespace, image: images.runner, objectStores: objectStores(plan, config), credentials: present(credentials), ...present({ roleArn }), lifetime: "kept" }, { provider });
}
