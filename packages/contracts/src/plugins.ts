import { isPluginName, MAX_SOURCE_CHARS } from "@molecule/domain/plugins";
import { z } from "zod";

/** One line of text that ends where the line does. */
const line = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\u0000-\u001f\u007f]*$/, "must be one line");
const words = z.array(line(100).min(1)).max(50);

/**
 * What a plugin's `plugin.yaml` says. Nothing else may stand in it: a key that is ignored would look as if
 * it did something. Source: wire contract §12.
 */
export const pluginManifest = z.strictObject({
  name: z.string().refine(isPluginName, "must be letters, digits, “.”, “_” and “-”"),
  version: line(50).min(1),
  description: line(1000).default(""),
  author: line(200).default(""),
  tags: words.default([]),
  skills: words.default([]),
  /** Runtimes that can use it; none: all. */
  runtimes: words.default([]),
});
export type PluginManifest = z.infer<typeof pluginManifest>;

/** A plugin as the configuration document of a workspace has it; its files are managed files. */
export const installedPlugin = z.object({
  ...pluginManifest.shape,
  /** Where it was taken from, with the reference. */
  source: z.string().max(MAX_SOURCE_CHARS),
  /** Of its content: what `sha256sum` says of the list that `sha256sum` makes of its files, by path. */
  sha256: z.string(),
  files: z.number().int(),
  /** Of all files together. */
  bytes: z.number().int(),
  /** The source is the same tomorrow: a commit, a tag, or the operator's folder. */
  isPinned: z.boolean(),
});
export type InstalledPlugin = z.infer<typeof installedPlugin>;

/** An installed plugin as the panel shows it. */
export const pluginView = z.object({
  ...installedPlugin.shape,
  isSupported: z.boolean(),
  /** "supported on demo", or why not. */
  support: z.string(),
  /** Version that the running agent was started with; null: none. */
  runningVersion: z.string().nullable(),
  /** The running agent has exactly this content. */
  isRunning: z.boolean(),
});
export type PluginView = z.infer<typeof pluginView>;

/** A plugin of the operator's folder, or why a folder there is none. */
export const offeredPlugin = z.object({
  ...pluginManifest.shape,
  source: z.string(),
  isSupported: z.boolean(),
  support: z.string(),
});
export type OfferedPlugin = z.infer<typeof offeredPlugin>;

/** What can be installed without an address. */
export const pluginOffer = z.object({
  plugins: z.array(offeredPlugin),
  broken: z.array(z.object({ name: z.string(), cause: z.string() })),
  /** An address of GitHub may be given without a reference. */
  allowsUnpinned: z.boolean(),
});
export type PluginOffer = z.infer<typeof pluginOffer>;

/** A plugin that was fetched and checked, and waits for the save that installs it. */
export const fetchedPlugin = z.object({
  /** What the save names. */
  packageId: z.string(),
  plugin: installedPlugin,
  isSupported: z.boolean(),
  support: z.string(),
});
export type FetchedPlugin = z.infer<typeof fetchedPlugin>;

/** Source as in {@link installPluginBody}. Absent checksum: whatever it is. */
export const fetchPluginInput = z.strictObject({
  workspaceId: z.uuid().transform((id) => id.toLowerCase()),
  source: z.string().max(2 * MAX_SOURCE_CHARS),
  sha256: z.string().max(100).nullish(),
});

/** One plugin of a save. */
export const pluginEdit = z.object({
  name: z.string().max(100),
  /** A fetched plugin of that name; null uninstalls. */
  packageId: z.uuid().nullable(),
  /** `sha256` of what the edit was based on; null: it was not installed. Absent: on nothing. */
  baseSha256: z.string().nullable().optional(),
});
export type PluginEdit = z.infer<typeof pluginEdit>;

/** Body of `POST …/plugins`. Source: wire contract §12. */
export const installPluginBody = z.object({
  source: z.string().default(""),
  sha256: z.string().nullish(),
});
