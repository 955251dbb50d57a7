import * as aws from "@pulumi/aws";
import * as cloudflare from "@pulumi/cloudflare";
import * as k8s from "@pulumi/kubernetes";
import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

/** A little of everything that the stacks declare, to try the simulated providers with. */
const config = new pulumi.Config();
const kept = config.getBoolean("kept") ?? false;
const versions = config.get("tag") ?? "one";

const region = "us-west-2";
const key = new aws.kms.Key("key", { region, multiRegion: true, deletionWindowInDays: 30 }, { protect: kept });
const alias = new aws.kms.Alias("alias", { region, name: "alias/sample", targetKeyId: key.keyId });
const bucket = new aws.s3.Bucket("bucket", { region, bucket: "sample-bucket", tags: { version: versions } }, { protect: kept });
new aws.s3.BucketVersioning("versioning", { region, bucket: bucket.bucket, versioningConfiguration: { status: "Enabled" } });

const password = new random.RandomPassword("password", { length: 24 });
const secret = new aws.secretsmanager.Secret("secret", { region, name: "sample/password", kmsKeyId: key.arn, replicas: [{ region: "us-east-1" }] });
new aws.secretsmanager.SecretVersion("secret-value", { region, secretId: secret.id, secretString: password.result });

const account = "023e105f4ecef8ad9ca31a8372d0c353";
const groups = cloudflare.getAccountApiTokenPermissionGroupsListOutput({ accountId: account, name: "Workers R2 Storage Bucket Item Write" });
const r2 = new cloudflare.R2Bucket("r2", { accountId: account, name: "sample-r2", location: "weur" });
const token = new cloudflare.AccountToken("token", {
  accountId: account,
  name: "writer",
  policies: [{ effect: "allow", permissionGroups: groups.results.apply((results) => results.map(({ id }) => ({ id }))), resources: JSON.stringify({ [`com.cloudflare.edge.r2.bucket.${account}_default_sample-r2`]: "*" }) }],
});

const cluster = new k8s.Provider("cluster", { context: "sample" });
const namespace = new k8s.core.v1.Namespace("namespace", { metadata: { name: "sample" } }, { provider: cluster });
new k8s.core.v1.Secret("kubernetes-secret", { metadata: { name: "sample", namespace: namespace.metadata.name }, stringData: { value: password.result } }, { provider: cluster });
new k8s.core.v1.Service("service", { metadata: { name: "sample", namespace: namespace.metadata.name }, spec: { selector: { app: "sample" }, ports: [{ port: 80 }] } }, { provider: cluster });
new k8s.apiextensions.CustomResource("rule", { apiVersion: "monitoring.coreos.com/v1", kind: "PrometheusRule", metadata: { name: "sample", namespace: namespace.metadata.name }, spec: { groups: [] } }, { provider: cluster });

const database = new postgresql.Provider("database", { host: "pg.sample", username: "postgres", password: password.result });
const role = new postgresql.Role("role", { name: "monitoring", login: true, password: password.result }, { provider: database });
new postgresql.GrantRole("grant", { role: role.name, grantRole: "pg_monitor" }, { provider: database });

export const keyArn = key.arn;
export const aliasArn = alias.arn;
export const bucketName = r2.name;
export const tokenValue = token.value;
