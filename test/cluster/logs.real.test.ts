import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LogShipper } from "../../components/logs/log-shipper.ts";
import { pullPolicyOf } from "../../components/kubernetes/image.ts";
import { restrictedContainer, restrictedPod } from "../../components/kubernetes/pod.ts";
import { makeAuthority } from "../../drill/environments/certificates.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { seconds } from "../../plan/units.ts";
import { waitFor } from "../../runner/system/wait.ts";
import { clusterImage, withoutImage } from "../harness/cluster-image.ts";
import { applyAll, podsReady } from "../harness/cluster-job.ts";
import { startClusterStores, storeAuthority, type ClusterStores } from "../harness/cluster-stores.ts";
import { KubernetesApi, objectsOf, testKubeconfig, withoutCluster, type KubernetesObject } from "../harness/kubernetes.ts";
import { declare } from "../harness/pulumi.ts";
import { s3Installed } from "../harness/s3.ts";
import { temporaryFolder } from "../harness/temporary.ts";

const minutes = 60_000;
const namespace = `dr-logs-${process.pid}`;
const line = `a line of ${namespace}`;

/** Everything that has arrived in a store. */
async function arrived(folder: string): Promise<string> {
  const files = await readdir(join(folder, "logs", "lines"), { recursive: true });
  const objects = await Promise.all(files.filter((file) => file.endsWith(".json.gz")).map((file) => readFile(join(folder, "logs", "lines", file))));
  return objects.map((object) => gunzipSync(object).toString()).join("\n");
}

/** The DaemonSet of the stacks on a real node: what it may read there, no other test can tell. */
describe("the log shipper in a cluster", () => {
  let api: KubernetesApi | undefined;
  let image: string | undefined;
  let folder: Awaited<ReturnType<typeof temporaryFolder>> | undefined;
  let stores: ClusterStores | undefined;
  const made: string[] = [];
  const secret = (name: string, key: string, value: string): KubernetesObject => ({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, data: { [key]: Buffer.from(value).toString("base64") } });

  beforeAll(async () => {
    const kubeconfig = await testKubeconfig();
    if (kubeconfig === undefined || process.env["DR_TEST_CLUSTER"] !== "1" || !s3Installed) return;
    image = await clusterImage();
    if (image === undefined) return;
    api = await KubernetesApi.from(kubeconfig);
    folder = await temporaryFolder("logs");
    const authority = await makeAuthority(join(folder.path, "ca"));
    stores = await startClusterStores(folder.path, blackroad, authority);
    const { access, credentials } = stores;
    const files = { r2: { secret: "log-shipper-r2", key: "credentials" }, s3: { secret: "log-shipper-s3", key: "credentials" } };
    const given = { plan: blackroad, region: "us-east-1", namespace, image, objectStores: access, credentials: files, flushAfter: seconds(1), lifetime: "ephemeral" } as const;
    const objects = objectsOf((await declare(() => new LogShipper("logs", given))).all);
    made.push(`/api/v1/namespaces/${namespace}`);
    await applyAll(api, [...objects.filter(({ kind }) => kind === "Namespace"), ...objects.filter(({ kind }) => kind !== "Namespace")]);
    await applyAll(api, [secret(storeAuthority, "ca.crt", await readFile(authority.certificate, "utf8")), secret(files.r2.secret, files.r2.key, credentials.r2.writer), secret(files.s3.secret, files.s3.key, credentials.s3.writer)]);
  }, 45 * minutes);

  beforeEach((context) => {
    context.skip(api === undefined, withoutImage);
  });
  afterAll(async () => {
    for (const path of made) await api?.delete(path);
    await stores?.close();
    await folder?.remove();
  });

  it("brings what a container of the node says to both object stores", async () => {
    if (api === undefined || image === undefined || stores === undefined) throw new Error(withoutCluster);
    const container = { ...restrictedContainer, name: "talker", image, imagePullPolicy: pullPolicyOf(image), command: ["echo", line] };
    await applyAll(api, [{ apiVersion: "v1", kind: "Pod", metadata: { name: "talker", namespace }, spec: { ...restrictedPod, restartPolicy: "Never", containers: [container] } }]);
    await podsReady(api, namespace, "app.kubernetes.io/name=log-shipper", 90);
    for (const { dataFolder } of Object.values(stores.servers)) {
      const text = await waitFor(`the line in ${dataFolder}`, async () => {
        const all = await arrived(dataFolder);
        return all.includes(line) && all;
      }, { within: 60, every: 0.5 });
      expect(text).toContain(`${namespace}_talker_`);
    }
  });
});
