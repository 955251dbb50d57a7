import type { Cloud, Thing } from "./cloud.ts";
import type { Properties } from "./wire.ts";

/** Where and as whom a provider works: its configuration, and the cloud. */
export interface Place {
  readonly cloud: Cloud;
  readonly config: Properties;
}

/** A resource that the program wants, by what is known of it. */
export interface Wanted {
  readonly type: string;
  /** In the program. */
  readonly name: string;
  readonly urn: string;
  /** Plain; what is not known yet is `unknown`. */
  readonly inputs: Properties;
}

export interface Refusal {
  readonly property: string;
  readonly reason: string;
}

/** What a provider answers on a change of properties that cannot be made in place. */
export interface Replacement {
  readonly properties: readonly string[];
  /** The old one goes first, because both cannot be at once. */
  readonly deleteFirst: boolean;
}

/** What makes the provider of one cloud differ from another's, as far as programs notice. */
export interface Behaviour {
  readonly provider: string;
  /** Nothing exists outside of the state: a lost state loses it. What an import of an id gives. */
  readonly stateless?: (type: string, id: string) => { readonly inputs: Properties; readonly outputs: Properties };
  /** What is wrong with a resource before anything is asked of the cloud; a type that does not exist, too. */
  refused(wanted: Wanted, place: Place): readonly Refusal[];
  /** What the provider itself adds to the inputs; `before` are those of the state, `seed` is random. */
  added(wanted: Wanted, before: Properties, place: Place, seed: string): Properties;
  location(wanted: Pick<Wanted, "type" | "inputs">, place: Place): string;
  /** The id that a resource gets; `taken`: what is said where another has it, `undefined` where it is written over. */
  identity(wanted: Wanted, place: Place): { readonly id: string; readonly taken: string | undefined };
  /** Outputs besides the inputs. `id` is `undefined` at a preview, where whatever the cloud computes is `unknown`. */
  outputs(wanted: Wanted, id: string | undefined, place: Place): Properties;
  /** Which properties are secret whatever went in. */
  secrets(type: string): ReadonlySet<string>;
  /** What the cloud answers instead of making or changing it, e.g. that what it needs is not there. */
  prevented(wanted: Wanted, place: Place): string | undefined | Promise<string | undefined>;
  /** Why it cannot be deleted, e.g. that something is in it. */
  undeletable(thing: Thing, place: Place): string | undefined;
  /** Whether a thing outlives its deletion, which is no error then. */
  survives(thing: Thing): boolean;
  /** Called when a thing has come, changed or gone: what the cloud itself does then. */
  settled(thing: Thing, event: "there" | "gone", place: Place): void;
  /** Of the properties that changed, those that cannot be changed in place. */
  replaces(type: string, changed: readonly string[], before: Properties, after: Properties, place: Place): Replacement;
  /** Where an id, as given to import or `get`, points. */
  resolved(type: string, id: string, place: Place): { readonly id: string; readonly location: string };
  /** A function of the provider; `undefined`: there is none of that name here. Throws what the cloud answers. */
  call(token: string, args: Properties, place: Place): Properties | undefined;
}
