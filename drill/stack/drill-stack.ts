/** What a drill stack tells while it comes up and goes down. */
export interface DrillStackEvent {
  readonly phase: "prepare" | "up" | "wait" | "destroy" | "remove" | "sweep";
  readonly message: string;
}
