import * as pulumi from "@pulumi/pulumi";

/** What a program asked the engine to register, with its options: a component or a resource of a provider. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly custom: boolean;
  /** Unwrapped; a value that the program marked as secret is a `Secret`, an unknown one `"[unknown]"`. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** What `registerOutputs` of a component gave. */
  outputs: Readonly<Record<string, unknown>> | undefined;
  readonly parent: string;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  /** `URN::ID` of an explicit provider; empty: the default one. */
  readonly provider: string;
  readonly providers: Readonly<Record<string, string>>;
  readonly importId: string;
  readonly ignoreChanges: readonly string[];
  readonly deleteBeforeReplace: boolean;
  readonly dependencies: readonly string[];
  /** By property, the URNs of the resources that its value comes from. */
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  readonly aliases: number;
}

export interface Declaration<T> {
  readonly outputs: T;
  readonly all: readonly Registered[];
  /** Those of a type, e.g. `aws:s3/bucket:Bucket`. */
  of(type: string): readonly Registered[];
  /** The one of a type, and of a name where the type has several; throws where it is not exactly one. */
  one(type: string, name?: string): Registered;
  readonly calls: readonly { readonly token: string; readonly inputs: Readonly<Record<string, unknown>> }[];
}

export interface DeclareOptions {
  /** Answers of the providers' functions by token, e.g. `aws:index/getCallerIdentity:getCallerIdentity`. */
  readonly call?: (token: string, inputs: Readonly<Record<string, unknown>>) => Record<string, unknown> | undefined;
  /** What a provider would compute of a resource, besides its inputs. */
  readonly computed?: (type: string, name: string, inputs: Readonly<Record<string, unknown>>) => Record<string, unknown> | undefined;
  readonly stack?: string;
  readonly preview?: boolean;
}

/** The token by which the wire format marks what is not a plain value (sdk/go/common/resource/sig). */
const signatureKey = "4dabf18193072939515e22adb298388d";
const resourceSignature = "5cf8f73096256a8f31e491e813e4eb8e";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** A value that the engine encrypts. */
export class Secret {
  readonly secret: unknown;

  constructor(secret: unknown) {
    this.secret = secret;
  }
}

function readable(value: unknown): unknown {
  if (value === unknownValue) return "[unknown]";
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  const entries: [string, unknown][] = Object.entries(value);
  const signature = entries.find(([key]) => key === signatureKey)?.[1];
  if (signature === resourceSignature) return `[resource ${String(Object.fromEntries(entries)["urn"]).split("::").slice(2).join(" ")}]`;
  if (signature === secretSignature) return new Secret(readable(Object.fromEntries(entries)["value"]));
  return Object.fromEntries(entries.map(([key, one]) => [key, readable(one)]));
}

interface Struct {
  toJavaScript(): Record<string, unknown>;
}
/** Those parts of the engine's request that are looked at. */
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getObject(): Struct | undefined;
  getProtect(): boolean | undefined;
  getRetainondelete(): boolean | undefined;
  getProvider(): string;
  getProvidersMap(): { toObject(): [string, string][] };
  getImportid(): string;
  getIgnorechangesList(): string[];
  getDeletebeforereplace(): boolean;
  getDependenciesList(): string[];
  getPropertydependenciesMap(): { forEach(each: (value: { getUrnsList(): string[] }, key: string) => void): void };
  getAliasesList(): unknown[];
}
type Callback = (error: unknown, answer: { getUrn(): string } | undefined) => void;
interface Monitor {
  registerResource(request: RegisterRequest, callback: Callback): Promise<void>;
  registerResourceOutputs(request: { getUrn(): string; getOutputs(): Struct | undefined }, callback: Callback): void;
}

/** Runs a program as the engine would, with no engine and no provider, and gives everything that it registered. */
export async function declare<T>(program: () => T | Promise<T>, options: DeclareOptions = {}): Promise<Declaration<T>> {
  const all: Registered[] = [];
  const calls: { token: string; inputs: Readonly<Record<string, unknown>> }[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs, id }) {
        const given = inputs as Record<string, unknown>;
        const state = { ...given, ...usual(type, name, given), ...options.computed?.(type, name, given) };
        return { id: id === undefined || id === "" ? `${name}-id` : id, state };
      },
      call({ token, inputs }) {
        const given = inputs as Record<string, unknown>;
        calls.push({ token, inputs: given });
        return options.call?.(token, given) ?? usualAnswer(token) ?? given;
      },
    },
    "blackroad-dr",
    options.stack ?? "test",
    options.preview ?? false,
    "organization",
  );
  watch(pulumi.runtime.getMonitor() as unknown as Monitor, all);
  let result: { readonly value: T } | undefined;
  await pulumi.runtime.runInPulumiStack(async () => {
    result = { value: await program() };
    return {};
  });
  await pulumi.runtime.disconnect();
  if (result === undefined) throw new Error("the program did not run");
  const registered = all.filter(({ type }) => type !== "pulumi:pulumi:Stack");
  const of = (type: string) => registered.filter((one) => one.type === type);
  return {
    outputs: result.value,
    all: registered,
    calls,
    of,
    one(type, name) {
      const found = of(type).filter((one) => name === undefined || one.name === name);
      const [first] = found;
      if (found.length !== 1 || first === undefined) throw new Error(`${found.length} of ${type}${name === undefined ? "" : ` called ${name}`}; there are: ${registered.map((one) => `${one.type} ${one.name}`).join(", ")}`);
      return first;
    },
  };
}

function watch(monitor: Monitor, all: Registered[]): void {
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, answer) => {
      if (answer !== undefined) {
        all.push({
          type: request.getType(),
          name: request.getName(),
          urn: answer.getUrn(),
          custom: request.getCustom(),
          inputs: readable(request.getObject()?.toJavaScript() ?? {}) as Record<string, unknown>,
          outputs: undefined,
          parent: request.getParent(),
          protect: request.getProtect() ?? false,
          retainOnDelete: request.getRetainondelete() ?? false,
          provider: request.getProvider(),
          providers: Object.fromEntries(request.getProvidersMap().toObject()),
          importId: request.getImportid(),
          ignoreChanges: request.getIgnorechangesList(),
          deleteBeforeReplace: request.getDeletebeforereplace(),
          dependencies: request.getDependenciesList(),
          propertyDependencies: dependenciesOf(request),
          aliases: request.getAliasesList().length,
        });
      }
      callback(error, answer);
    });
  const outputs = monitor.registerResourceOutputs.bind(monitor);
  monitor.registerResourceOutputs = (request, callback) => {
    const known = all.find(({ urn }) => urn === request.getUrn());
    if (known !== undefined) known.outputs = readable(request.getOutputs()?.toJavaScript() ?? {}) as Record<string, unknown>;
    outputs(request, callback);
  };
}

function dependenciesOf(request: RegisterRequest): Record<string, readonly string[]> {
  const found: Record<string, readonly string[]> = {};
  request.getPropertydependenciesMap().forEach((value, key) => {
    found[key] = value.getUrnsList();
  });
  return found;
}

/** What nearly every provider computes: enough for a program to go on. */
function usual(type: string, name: string, inputs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (type === "aws:eks/cluster:Cluster") {
    return { arn: `arn:aws:eks:::cluster/${name}`, endpoint: "https://api.eks.example", certificateAuthority: { data: "Y2E=" }, identities: [{ oidcs: [{ issuer: "https://oidc.eks.example/id/1" }] }] };
  }
  if (type === "aws:ec2/launchTemplate:LaunchTemplate") return { arn: `arn:aws:ec2:::${name}`, latestVersion: 1 };
  if (type.startsWith("aws:")) {
    const region = typeof inputs["region"] === "string" ? inputs["region"] : "";
    const service = type.split(":")[1]?.split("/")[0] ?? "aws";
    return { arn: service === "s3" ? `arn:aws:s3:::${typeof inputs["bucket"] === "string" ? inputs["bucket"] : name}` : `arn:aws:${service}:${region}:111122223333:${name}` };
  }
  if (type === "pulumi:pulumi:StackReference") return { outputs: {} };
  if (type === "cloudflare:index/accountToken:AccountToken") return { value: `token-${name}` };
  if (type === "random:index/randomPassword:RandomPassword") return { result: `random-${name}` };
  return {};
}

function usualAnswer(token: string): Record<string, unknown> | undefined {
  if (token === "aws:index/getCallerIdentity:getCallerIdentity") return { accountId: "111122223333", arn: "arn:aws:iam::111122223333:root", id: "111122223333", userId: "111122223333" };
  return undefined;
}
