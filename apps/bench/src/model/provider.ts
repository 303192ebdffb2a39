/** The simulated provider: each function is one call, and each is atomic at the provider. */
import { type Content, type Instance, Violation, type World } from "./world.ts";

/** A call that the provider refused; nothing has happened. */
export class ProviderFault extends Error {}

function mayFail(world: World): void {
  if (world.providerFaults === 0) return;
  world.providerFaults -= 1;
  throw new ProviderFault("the provider failed");
}

export interface Listed {
  readonly id: number;
  readonly attemptNo: number;
}

export function list(world: World): readonly Listed[] {
  mayFail(world);
  return [...world.instances.values()].map(({ id, attemptNo }) => ({ id, attemptNo }));
}

export function inspect(world: World, attemptNo: number): Instance["state"] | null {
  for (const one of world.instances.values()) if (one.attemptNo === attemptNo) return one.state;
  return null;
}

/** Creates the attempt's instance, or answers the one that there is: the attempt is the key. */
export function create(world: World, attemptNo: number, content: Content): number {
  mayFail(world);
  for (const one of world.instances.values()) {
    if (one.attemptNo === attemptNo && world.mutant !== "M10") return one.id;
    if (one.attemptNo === attemptNo && attemptNo === world.row.currentAttempt) {
      throw new Violation("one instance of an attempt", `attempt ${attemptNo} has two`);
    }
  }
  const id = world.nextInstance;
  world.nextInstance += 1;
  world.instances.set(id, {
    id,
    attemptNo,
    content,
    state: "running",
    isHung: false,
    activeTasks: 0,
  });
  return id;
}

/**
 * Removes an instance; one that is gone already is no error. `isWanted` says that the caller means the
 * current attempt too, because the workspace is to rest.
 */
export function remove(world: World, id: number, isWanted: boolean): void {
  mayFail(world);
  const found = world.instances.get(id);
  if (found === undefined) return;
  world.instances.delete(id);
  if (found.attemptNo !== world.row.currentAttempt) return;
  if (isWanted) world.causes.downs += 1;
  else if (world.row.intent === "run" && world.row.phase !== "PAUSED") {
    throw new Violation("the current instance is never removed", `attempt ${found.attemptNo}`);
  }
}
