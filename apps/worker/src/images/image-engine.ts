import type { Readable } from "node:stream";

/** The image half of a container engine, as the making of our images needs it. */
export interface ImageEngine {
  /** Whether the engine has this image, without asking a registry. */
  has(reference: string): Promise<boolean>;
  /** Whether a registry that the engine reaches offers it. Never throws. */
  canPull(reference: string, timeoutMs: number): Promise<boolean>;
  /** The id of the image that the engine has under this name; null when it has none. */
  idOf(reference: string): Promise<string | null>;
  /** The digest that a registry has under this name; null when none answers. Never throws. */
  digestOf(reference: string, timeoutMs: number): Promise<string | null>;
  /** The engine has the image afterwards. */
  pull(reference: string, progress: ImageProgress): Promise<void>;
  /** The engine has an image of this name, built from the context's `Dockerfile`. */
  build(request: BuildRequest, progress: ImageProgress): Promise<void>;
  /** The engine has an image of this name whose only layer is the archive. */
  importRootfs(reference: string, archive: Readable, progress: ImageProgress): Promise<void>;
}

/** How a long operation reports and how it is given up. */
export interface ImageProgress {
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface BuildRequest {
  readonly reference: string;
  /** A tar archive. */
  readonly context: Readable;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}
