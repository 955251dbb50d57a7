import { Server, ServerCredentials, status, type handleUnaryCall } from "@grpc/grpc-js";
import plugins from "@pulumi/pulumi/proto/plugin_pb.js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import structs from "google-protobuf/google/protobuf/struct_pb.js";
import type { Behaviour } from "./behaviour.ts";
import type { Cloud } from "./cloud.ts";
import { sdkVersion } from "./sdk-schema.ts";
import { Handlers } from "./handlers.ts";
import type { Properties } from "./wire.ts";

type JavaScript = Parameters<typeof structs.Struct.fromJavaScript>[0];

const fromWire = (struct: structs.Struct | undefined): Properties => struct?.toJavaScript() ?? {};
/** By way of JSON, which leaves out what is undefined: a message cannot hold it. */
const toWire = (properties: Properties): structs.Struct => structs.Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)) as JavaScript);

const answer =
  <Q, A>(make: (request: Q, peer: string) => A | Promise<A>): handleUnaryCall<Q, A> =>
  (call, callback) => {
    Promise.resolve()
      .then(() => make(call.request, call.getPeer()))
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback({ code: status.UNKNOWN, message: error instanceof Error ? error.message : String(error) }),
      );
  };

interface Named {
  getUrn(): string;
  getType(): string;
  getName(): string;
}
const named = (request: Named) => ({ urn: request.getUrn(), type: request.getType(), name: request.getName() });

/** A provider's plugin on a port of loopback. Each provider of a program is a connection with a configuration of its own. */
export async function serve(behaviour: Behaviour, cloud: Cloud): Promise<{ readonly port: number; stop(): void }> {
  const configured = new Map<string, Handlers>();
  const of = (peer: string): Handlers => configured.get(peer) ?? new Handlers(behaviour, cloud, {});
  const server = new Server();
  server.addService(services.ResourceProviderService, {
    handshake: answer(() => new messages.ProviderHandshakeResponse().setAcceptSecrets(true)),
    attach: answer(() => new empty.Empty()),
    cancel: answer(() => new empty.Empty()),
    getPluginInfo: answer(() => new plugins.PluginInfo().setVersion(sdkVersion(behaviour.provider))),
    ...configuration(behaviour, cloud, configured),
    ...reads(of),
    ...writes(of),
  });
  const port = await new Promise<number>((resolve, reject) => server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error))));
  return { port, stop: () => server.forceShutdown() };
}

const configuration = (behaviour: Behaviour, cloud: Cloud, configured: Map<string, Handlers>) => ({
  checkConfig: answer((request: messages.CheckRequest) => new messages.CheckResponse().setInputs(request.getNews())),
  diffConfig: answer((request: messages.DiffRequest) => {
    const changed = JSON.stringify(fromWire(request.getOldInputs())) !== JSON.stringify(fromWire(request.getNews()));
    return new messages.DiffResponse().setChanges(changed ? messages.DiffResponse.DiffChanges.DIFF_SOME : messages.DiffResponse.DiffChanges.DIFF_NONE);
  }),
  configure: answer((request: messages.ConfigureRequest, peer) => {
    configured.set(peer, new Handlers(behaviour, cloud, fromWire(request.getArgs())));
    return new messages.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true);
  }),
});

const reads = (of: (peer: string) => Handlers) => ({
  invoke: answer((request: messages.InvokeRequest, peer) => new messages.InvokeResponse().setReturn(toWire(of(peer).call(request.getTok(), fromWire(request.getArgs()))))),
  check: answer((request: messages.CheckRequest, peer) => {
    const { inputs, failures } = of(peer).check(named(request), fromWire(request.getOlds()), fromWire(request.getNews()), request.getRandomseed_asB64());
    return new messages.CheckResponse().setInputs(toWire(inputs)).setFailuresList(failures.map(({ property, reason }) => new messages.CheckFailure().setProperty(property).setReason(reason)));
  }),
  diff: answer((request: messages.DiffRequest, peer) => {
    const { changed, replaces, deleteFirst } = of(peer).diff(named(request), fromWire(request.getOldInputs()), fromWire(request.getNews()));
    return new messages.DiffResponse()
      .setChanges(changed.length > 0 ? messages.DiffResponse.DiffChanges.DIFF_SOME : messages.DiffResponse.DiffChanges.DIFF_NONE)
      .setDiffsList([...changed])
      .setReplacesList([...replaces])
      .setDeletebeforereplace(deleteFirst);
  }),
  read: answer((request: messages.ReadRequest, peer) => {
    const found = of(peer).read(named(request), request.getId(), fromWire(request.getProperties()), fromWire(request.getInputs()));
    return found === undefined ? new messages.ReadResponse() : new messages.ReadResponse().setId(found.id).setProperties(toWire(found.properties)).setInputs(toWire(found.inputs));
  }),
});

const writes = (of: (peer: string) => Handlers) => ({
  create: answer(async (request: messages.CreateRequest, peer) => {
    const { id, properties } = await of(peer).create(named(request), fromWire(request.getProperties()), request.getPreview());
    return new messages.CreateResponse().setId(id).setProperties(toWire(properties));
  }),
  update: answer(async (request: messages.UpdateRequest, peer) => {
    const properties = await of(peer).update(named(request), request.getId(), fromWire(request.getOlds()), fromWire(request.getOldInputs()), fromWire(request.getNews()), request.getPreview());
    return new messages.UpdateResponse().setProperties(toWire(properties));
  }),
  delete: answer((request: messages.DeleteRequest, peer) => {
    of(peer).delete(named(request), request.getId(), fromWire(request.getProperties()));
    return new empty.Empty();
  }),
});
