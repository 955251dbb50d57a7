import { account } from "./aws-place.ts";
import { hash, need, type Rule } from "./rules.ts";

const topicArn = (region: string, name: string): string => `arn:aws:sns:${region}:${account}:${name}`;

/** What is around the data: clusters, names, alarms. Types that are not here get an id that is made up. */
export const networkRules: Readonly<Record<string, Rule>> = {
  "aws:eks/cluster:Cluster": {
    id: ({ inputs }) => need(inputs, "name"),
    taken: "ResourceInUseException: a cluster of that name exists",
    named: ["name"],
    replaces: ["name"],
    outputs: ({ location }, id) => ({
      endpoint: `https://${hash(id, 32).toUpperCase()}.gr7.${location}.eks.amazonaws.com`,
      certificateAuthority: { data: Buffer.from(`certificate of ${id}`).toString("base64") },
      certificateAuthorities: [{ data: Buffer.from(`certificate of ${id}`).toString("base64") }],
      identities: [{ oidcs: [{ issuer: `https://oidc.eks.${location}.amazonaws.com/id/${hash(id, 32).toUpperCase()}` }] }],
      vpcConfig: { clusterSecurityGroupId: `sg-${hash(id, 17)}`, vpcId: `vpc-${hash(id, 17)}` },
    }),
  },
  "aws:eks/nodeGroup:NodeGroup": { id: ({ inputs }) => `${need(inputs, "clusterName")}:${need(inputs, "nodeGroupName")}`, named: ["nodeGroupName"], replaces: ["clusterName", "nodeGroupName", "instanceTypes", "subnetIds"] },
  "aws:eks/addon:Addon": { id: ({ inputs }) => `${need(inputs, "clusterName")}:${need(inputs, "addonName")}`, replaces: ["clusterName", "addonName"] },
  "aws:eks/accessEntry:AccessEntry": { id: ({ inputs }) => `${need(inputs, "clusterName")}:${need(inputs, "principalArn")}`, replaces: ["clusterName", "principalArn"] },
  "aws:eks/podIdentityAssociation:PodIdentityAssociation": { replaces: ["clusterName", "namespace", "serviceAccount"] },
  "aws:route53/zone:Zone": { id: ({ inputs, cloud }) => `Z${hash(`${need(inputs, "name")} ${cloud.all("aws:route53/zone:Zone").length}`, 20).toUpperCase()}`, outputs: (_asked, id) => ({ zoneId: id, primaryNameServer: "ns-1.example" }), replaces: ["name"] },
  "aws:cloudwatch/metricAlarm:MetricAlarm": { id: ({ inputs }) => need(inputs, "name"), named: ["name"], replaces: ["name"] },
  "aws:cloudwatch/logGroup:LogGroup": { id: ({ inputs }) => need(inputs, "name"), taken: "ResourceAlreadyExistsException: the log group exists", named: ["name"], replaces: ["name"] },
  "aws:sns/topic:Topic": { id: ({ inputs, location }) => topicArn(location, need(inputs, "name")), named: ["name"], replaces: ["name"] },
  "aws:sns/topicPolicy:TopicPolicy": { id: ({ inputs }) => need(inputs, "arn") },
  "aws:ec2/vpc:Vpc": { replaces: ["cidrBlock"] },
  "aws:ec2/subnet:Subnet": { replaces: ["cidrBlock", "vpcId", "availabilityZone"] },
};
