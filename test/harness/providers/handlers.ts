import type { Behaviour, Place, Wanted } from "./behaviour.ts";
import type { Cloud, Thing } from "./cloud.ts";
import { isObject, plainProperties, same, secret, type Properties, type Wire } from "./wire.ts";

interface Request {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
}

/** What a provider answers to each question of the engine, in plain objects; server.ts puts them on the wire. */
export class Handlers {
  private readonly behaviour: Behaviour;
  private readonly place: Place;

  constructor(behaviour: Behaviour, cloud: Cloud, config: Properties) {
    this.behaviour = behaviour;
    this.place = { cloud, config: plainProperties(config) };
  }

  check(request: Request, before: Properties, inputs: Properties, seed: string): { readonly inputs: Properties; readonly failures: readonly { readonly property: string; readonly reason: string }[] } {
    const wanted = this.wanted(request, inputs);
    const failures = this.behaviour.refused(wanted, this.place);
    return { inputs: failures.length > 0 ? inputs : { ...inputs, ...this.behaviour.added(wanted, plainProperties(before), this.place, seed) }, failures };
  }

  diff(request: Request, before: Properties, after: Properties): { readonly changed: readonly string[]; readonly replaces: readonly string[]; readonly deleteFirst: boolean } {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => !key.startsWith("__"));
    const changed = keys.filter((key) => !same(before[key] ?? null, after[key] ?? null));
    const { properties, deleteFirst } = this.behaviour.replaces(request.type, changed, plainProperties(before), plainProperties(after), this.place);
    return { changed, replaces: properties, deleteFirst };
  }

  async create(request: Request, inputs: Properties, preview: boolean): Promise<{ readonly id: string; readonly properties: Properties }> {
    const wanted = this.wanted(request, inputs);
    if (preview) return { id: "", properties: this.marked(request.type, { ...inputs, ...this.behaviour.outputs(wanted, undefined, this.place) }, inputs) };
    await this.allow(wanted, "create");
    const { id, taken } = this.behaviour.identity(wanted, this.place);
    const key = { provider: this.behaviour.provider, type: request.type, location: this.behaviour.location(wanted, this.place), id };
    if (taken !== undefined && this.place.cloud.find(key) !== undefined) throw new Error(`creating ${request.type} ${request.name}: ${taken}`);
    const outputs = { ...wanted.inputs, ...this.behaviour.outputs(wanted, id, this.place) };
    this.keep({ ...key, inputs: wanted.inputs, outputs });
    return { id, properties: this.marked(request.type, outputs, inputs) };
  }

  read(request: Request, id: string, state: Properties, inputs: Properties): { readonly id: string; readonly properties: Properties; readonly inputs: Properties } | undefined {
    if (this.behaviour.stateless !== undefined) return this.readStateless(this.behaviour.stateless, request, id, state, inputs);
    const place = Object.keys(state).length > 0 ? { id, location: this.behaviour.location({ type: request.type, inputs: plainProperties(state) }, this.place) } : this.behaviour.resolved(request.type, id, this.place);
    const thing = this.place.cloud.find({ provider: this.behaviour.provider, type: request.type, ...place });
    if (thing === undefined) return undefined;
    return { id: thing.id, properties: this.marked(request.type, thing.outputs, state), inputs: this.marked(request.type, thing.inputs, inputs) };
  }

  private readStateless(imported: NonNullable<Behaviour["stateless"]>, { type }: Request, id: string, state: Properties, inputs: Properties) {
    if (Object.keys(state).length > 0) return { id, properties: state, inputs };
    const found = imported(type, id);
    return { id: "none", properties: this.marked(type, found.outputs, {}), inputs: found.inputs };
  }

  async update(request: Request, id: string, state: Properties, before: Properties, after: Properties, preview: boolean): Promise<Properties> {
    const wanted = this.wanted(request, after);
    const old = plainProperties(state);
    const computed = Object.fromEntries(Object.entries(old).filter(([key]) => !(key in before) && !(key in after)));
    const outputs = { ...computed, ...wanted.inputs };
    if (preview) return this.marked(request.type, { ...outputs, ...after }, after);
    await this.allow(wanted, "update");
    const key = { provider: this.behaviour.provider, type: request.type, location: this.behaviour.location({ type: request.type, inputs: old }, this.place), id };
    if (this.behaviour.stateless === undefined && this.place.cloud.find(key) === undefined) throw new Error(`updating ${request.type} ${request.name}: ${id} does not exist`);
    this.keep({ ...key, inputs: wanted.inputs, outputs });
    return this.marked(request.type, outputs, { ...state, ...after });
  }

  delete(request: Request, id: string, state: Properties): void {
    const location = this.behaviour.location({ type: request.type, inputs: plainProperties(state) }, this.place);
    const thing = this.place.cloud.find({ provider: this.behaviour.provider, type: request.type, location, id });
    if (thing === undefined) return;
    const reason = this.behaviour.undeletable(thing, this.place);
    if (reason !== undefined) throw new Error(`deleting ${request.type} ${request.name}: ${reason}`);
    if (this.behaviour.survives(thing)) return;
    this.place.cloud.remove(thing);
    this.behaviour.settled(thing, "gone", this.place);
  }

  /** @throws Error where the simulation knows no such function, or with what the cloud would answer */
  call(token: string, args: Properties): Properties {
    const answer = this.behaviour.call(token, plainProperties(args), this.place);
    if (answer === undefined) throw new Error(`the simulated provider ${this.behaviour.provider} does not know the function ${token}`);
    return answer;
  }

  private keep(thing: Thing): void {
    if (this.behaviour.stateless !== undefined) return;
    this.place.cloud.put(thing);
    this.behaviour.settled(thing, "there", this.place);
  }

  private async allow(wanted: Wanted, verb: string): Promise<void> {
    const reason = this.place.cloud.fails(wanted.name) ? "500 Internal Server Error: try again later" : await this.behaviour.prevented(wanted, this.place);
    if (reason !== undefined) throw new Error(`${verb} of ${wanted.type} ${wanted.name}: ${reason}`);
  }

  private wanted({ type, name, urn }: Request, inputs: Properties): Wanted {
    return { type, name, urn, inputs: plainProperties(inputs) };
  }

  /** Secret is what the schema says, and what was secret on the way in. */
  private marked(type: string, values: Properties, given: Properties): Properties {
    const always = this.behaviour.secrets(type);
    return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, always.has(key) ? secret(value) : markedLike(value, given[key])]));
  }
}

/** `value` with the marks that `model` has at the same places, as far as both have the same shape. */
function markedLike(value: Wire, model: Wire): Wire {
  if (model === undefined || model === null || value === undefined) return value;
  if (isObject(model) && "4dabf18193072939515e22adb298388d" in model) return secret(value);
  if (Array.isArray(value) && Array.isArray(model)) return value.map((one: Wire, index) => markedLike(one, (model as readonly Wire[])[index]));
  if (isObject(value) && isObject(model)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, markedLike(one, model[key])]));
  return value;
}
