import { readFileSync } from "node:fs";
import {
  type IgnoredVariable,
  readTunnelSettings,
  TUNNEL_VARIABLES,
  type TunnelSettings,
} from "@molecule/domain/tunnel-pool";
import type { MachineWay } from "./eice/endpoint-directory.ts";

/** How machines are reached, as the environment says it. */
export interface TunnelEnv {
  readonly settings: TunnelSettings;
  /** Variables whose value was not used: named in the log. */
  readonly ignored: readonly IgnoredVariable[];
  readonly way: MachineWay;
  /** PEM to trust at endpoints beside the usual certificates; undefined: none. */
  readonly certificate: string | undefined;
}

/** @throws Error naming the variable that is wrong. */
export function readTunnelEnv(source: Readonly<Record<string, string | undefined>>): TunnelEnv {
  const texts = Object.fromEntries(TUNNEL_VARIABLES.map((name) => [name, source[name]]));
  const way = source.MOLECULE_EC2_SSH || "auto";
  if (way !== "auto" && way !== "endpoint" && way !== "private") {
    throw new Error("The variable MOLECULE_EC2_SSH is neither auto, endpoint nor private.");
  }
  const file = source.EIC_ENDPOINT_CA_FILE || null;
  const certificate = file === null ? undefined : readFileSync(file, "utf8");
  return { ...readTunnelSettings(texts), way, certificate };
}
