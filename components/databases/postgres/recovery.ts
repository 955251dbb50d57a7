import type { types } from "@pulumi/kubernetes";
import { drJson, drJsonName, workFolder } from "../../../plan/config/dr-json.ts";
import { postgresPaths } from "../../../plan/config/postgres-files.ts";
import { repositorySecret, runnerSecret } from "../../../plan/secrets.ts";
import { secretFile } from "../../../plan/names.ts";
import { pullPolicyOf } from "../../kubernetes/image.ts";
import { restrictedContainer, scratch, secretFiles } from "../../kubernetes/pod.ts";
import { filesFolder, type Files } from "../servers/files.ts";
import type { RestoredPostgres } from "./args.ts";
import type { ClusterContext } from "./context.ts";

export const recoverScript = "recover.sh";

/** What a restored database's pod is given besides: the configuration of `dr`, which reads one repository, and how it
 * is called. */
export function recoveryFiles({ args: { plan, role }, repositories, versions }: ClusterContext): Files {
  if (role.kind !== "restored") return {};
  const objectStores = Object.fromEntries(
    repositories.map(({ backend, caFile, credentials, endpoint }) => [
      backend.name,
      { endpoint, ...(credentials.kind === "secret-file" ? { credentialsFile: secretFile(credentials.secret) } : {}), ...(caFile === undefined ? {} : { caFile }) },
    ]),
  );
  return { [drJsonName]: drJson({ plan, identity: "restore", servers: {}, objectStores }), [recoverScript]: script(role, versions.postgres.major) };
}

/**
 * Recovers once: a pod that starts again finds the data that it had. `dr` leaves a server running, which is stopped in
 * order; Patroni then finds a database that was shut down well, and founds its cluster on it. What an attempt that was
 * cut off left behind is of no use to anybody: hence `--force`.
 */
const script = ({ from, repository, targetTime }: RestoredPostgres, major: number): string => `set -eu
umask 077
done=${postgresPaths.volume}/recovered
if [ -e "$done" ]; then echo "recovered before"; exit 0; fi
dr --config ${filesFolder}/${drJsonName} recover postgres ${from} --backend ${repository}${targetTime === undefined ? "" : ` --time ${targetTime}`} --into ${postgresPaths.data} --socket-directory ${postgresPaths.socket} --force
/usr/lib/postgresql/${major}/bin/pg_ctl --pgdata ${postgresPaths.data} --mode fast --wait stop
sed -i -E '/^(${isolation.join("|")}) *=/d' ${postgresPaths.data}/postgresql.auto.conf
touch "$done"
`;

/** What `dr` isolates a recovered server with, in a file that outweighs Patroni's: here the pod's network policy does it. */
const isolation = ["listen_addresses", "port", "unix_socket_directories", "archive_command", "synchronous_standby_names", "primary_conninfo", "primary_slot_name", "ssl", "cluster_name", "external_pid_file"];

interface Recovery {
  readonly containers: types.input.core.v1.Container[];
  readonly volumes: types.input.core.v1.Volume[];
}

/** The container that does it before the server starts; none where nothing is restored. */
export function recoveryContainer(context: ClusterContext, mounts: types.input.core.v1.VolumeMount[], env: types.input.core.v1.EnvVar[], resources: types.input.core.v1.ResourceRequirements): Recovery {
  const { args: { image, role }, repositories } = context;
  if (role.kind !== "restored") return { containers: [], volumes: [] };
  const credentials = repositories.flatMap((one) => (one.credentials.kind === "secret-file" ? [one.credentials.secret] : []));
  const secrets = secretFiles([repositorySecret(role.repository), runnerSecret, ...credentials]);
  const work = scratch("work", workFolder, "8Gi");
  return {
    containers: [
      {
        ...restrictedContainer,
        name: "recover",
        image,
        imagePullPolicy: pullPolicyOf(image),
        command: ["/bin/sh", `${filesFolder}/${recoverScript}`],
        env,
        volumeMounts: [...mounts, work.mount, ...secrets.mounts],
        resources,
      },
    ],
    volumes: [work.volume, ...secrets.volumes],
  };
}
