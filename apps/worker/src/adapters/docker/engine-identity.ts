import type { Engine } from "./engine.ts";
import { EngineError } from "./engine-error.ts";

/**
 * The engine's own id. It is stored beside the containers, so an engine that was set up anew, or
 * another one behind the same socket, has another.
 */
export async function engineIdentity(engine: Engine): Promise<string> {
  const what = "ask the engine which one it is";
  const info: { readonly ID?: unknown } = await engine.call(what, (docker) => docker.info());
  if (typeof info.ID === "string" && info.ID !== "") return info.ID;
  throw new EngineError(what, "other", { cause: new Error("the engine has no id") });
}
