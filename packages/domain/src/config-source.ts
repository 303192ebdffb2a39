import { isSameJson } from "./config-diff.ts";

/** Where a value of the configuration comes from. */
export const CONFIG_SOURCES = ["workspace", "template", "organisation", "default"] as const;
export type ConfigSource = (typeof CONFIG_SOURCES)[number];

/** What a value is compared with. Absent: there is none. */
export interface Origins {
  readonly template?: unknown;
  readonly byDefault?: unknown;
}

/**
 * A value that is the template's is from the template, one that nobody gave is the default, everything
 * else was decided for this workspace. SPEC: CF2.
 */
export function sourceOf(value: unknown, origins: Origins): ConfigSource {
  const { template, byDefault } = origins;
  const isNothing = value === null || value === undefined || value === "";
  if (!isNothing && template !== undefined && isSameJson(value, template)) return "template";
  return isNothing || isSameJson(value, byDefault) ? "default" : "workspace";
}
