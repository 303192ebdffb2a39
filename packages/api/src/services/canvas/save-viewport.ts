import { type Viewport, writeViewport } from "@molecule/db/layouts/layouts";
import type { Deps } from "../../deps.ts";

/** Remembers the camera; nobody else is told. */
export async function saveViewport(deps: Deps, view: Viewport): Promise<{ done: true }> {
  await writeViewport(deps.db, view);
  return { done: true };
}
