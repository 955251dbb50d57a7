/** AWS's policy documents evaluated offline by iam-simulate, which knows every action and condition key of AWS. */
import { allowedContextKeysForRequest, runSimulation, type Simulation } from "@cloud-copilot/iam-simulate";
import { patternsMeet } from "../../plan/arn-patterns.ts";
import type { PolicyDocument, Statement } from "../../components/aws/policy-document.ts";

export const account = "111122223333";
export const roleOf = (name: string, of = account): string => `arn:aws:iam::${of}:role/${name}`;

export interface AskedRequest {
  /** An ARN, or a service as `NAME.amazonaws.com`. */
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  /** Besides what every request over TLS has. */
  readonly context?: Readonly<Record<string, string | string[]>>;
  /** The caller's own policy; absent: it allows everything, so that the resource's policy is what decides. */
  readonly identity?: PolicyDocument;
  readonly policy?: PolicyDocument;
  /** Of the resource. @default account */
  readonly owner?: string;
}

const everything: PolicyDocument = { Version: "2012-10-17", Statement: [{ Sid: "Everything", Effect: "Allow", Action: "*", Resource: "*" }] };

/**
 * What AWS would answer.
 * @throws Error where a document, an action or a condition key does not exist or does not apply
 */
export async function decide({ principal, action, resource, context = {}, identity = everything, policy, owner = account }: AskedRequest): Promise<"Allowed" | "ImplicitlyDenied" | "ExplicitlyDenied"> {
  const contextVariables = { "aws:PrincipalArn": principal, "aws:PrincipalAccount": principal.split(":")[4] ?? "", "aws:SecureTransport": "true", ...(action.startsWith("s3:") ? { "s3:TlsVersion": "1.3" } : {}), ...context };
  const asked = simulation({ principal, action, resource: { resource, accountId: owner }, contextVariables }, principal.endsWith(".amazonaws.com") ? undefined : identity, policy);
  const result = await runSimulation(knownKeys(asked), { simulationMode: "Strict" });
  if (result.resultType === "error") throw new Error(JSON.stringify(result.errors, null, 1));
  if (result.resultType !== "single") throw new Error(`${action} on ${resource} was no single request`);
  const ignored = (result.result.ignoredContextKeys ?? []).filter((key) => Object.keys(context).some((given) => given.toLowerCase() === key.toLowerCase()));
  if (ignored.length > 0) throw new Error(`${action} has no condition key ${ignored.join(", ")}`);
  return result.overallResult;
}

/** The simulator drops keys with a name of the caller's behind a colon, which do exist: other keys of the same type, that
 * no policy here uses, stand in for them. */
const knownKeys = (asked: Simulation): Simulation => JSON.parse(JSON.stringify(asked).replaceAll("kms:EncryptionContext:aws:s3:arn", "aws:UserAgent").replaceAll("kms:EncryptionContext:pulumi", "aws:Referer")) as Simulation;

function simulation(request: Simulation["request"], identity: PolicyDocument | undefined, policy: PolicyDocument | undefined): Simulation {
  return {
    request,
    identityPolicies: identity === undefined ? [] : [{ name: "identity", policy: identity }],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(policy === undefined ? {} : { resourcePolicy: policy }),
  };
}

/**
 * Everything that is wrong with a document: its grammar, actions that do not exist, condition keys that an action does
 * not have, resources that it is never about. `resourceFor` gives a resource of the kind that an action is about.
 */
export async function documentProblems(document: PolicyDocument, kind: "identity" | "resource", resourceFor: (action: string) => string): Promise<readonly string[]> {
  const probe = await runSimulation(
    simulation({ principal: roleOf("somebody"), action: "s3:GetObject", resource: { resource: "arn:aws:s3:::any/key", accountId: account }, contextVariables: {} }, kind === "identity" ? document : everything, kind === "resource" ? document : undefined),
    {},
  );
  const grammar = probe.resultType === "error" ? [JSON.stringify(probe.errors)] : [];
  const words = await Promise.all(document.Statement.flatMap((statement) => actionsOf(statement).map((action) => actionProblems(statement, action, resourceFor(action)))));
  return [...grammar, ...words.flat()];
}

const actionsOf = ({ Action }: Statement): readonly string[] => (typeof Action === "string" ? [Action] : Action).filter((action) => !action.includes("*"));

/** The simulator takes an operator that it does not know for one that never holds. */
const operators = /^(ForAnyValue:|ForAllValues:)?(String(Not)?Equals(IgnoreCase)?|String(Not)?Like|(Numeric|Date)((Not)?Equals|(Less|Greater)Than(Equals)?)|Arn(Not)?(Equals|Like)|Bool|BinaryEquals|(Not)?IpAddress)(IfExists)?$|^Null$/;

async function actionProblems({ Sid, Resource, Condition = {} }: Statement, action: string, resource: string): Promise<readonly string[]> {
  const [service = "", verb = ""] = action.split(":");
  try {
    const allowed = await allowedContextKeysForRequest(service, verb, resource, false, undefined);
    const keys = Object.values(Condition).flatMap((operator) => Object.keys(operator));
    const resources = Resource === undefined ? ["*"] : typeof Resource === "string" ? [Resource] : Resource;
    return [
      ...keys.filter((key) => !allowed.some((one) => matches(one, key))).map((key) => `${Sid}: ${action} has no condition key ${key}`),
      ...Object.keys(Condition).filter((operator) => !operators.test(operator)).map((operator) => `${Sid}: there is no operator ${operator}`),
      ...(resources.some((pattern) => patternsMeet(pattern, resource)) ? [] : [`${Sid}: ${action} is about ${resource}, never about ${resources.join(", ")}`]),
    ];
  } catch (error) {
    return [`${Sid}: ${action} on ${resource}: ${String(error)}`];
  }
}

/** `kms:EncryptionContext:aws:s3:arn` is one of `kms:encryptioncontext:${EncryptionContextKey}`. */
const matches = (allowed: string, key: string): boolean => {
  const stem = allowed.toLowerCase().split("${")[0] ?? "";
  return stem.length < allowed.length ? key.toLowerCase().startsWith(stem) : stem === key.toLowerCase();
};
