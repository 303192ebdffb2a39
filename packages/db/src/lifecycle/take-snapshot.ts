import { createHash, createHmac } from "node:crypto";
import type { PublicFailure } from "@molecule/domain/errors";
import { explainAttempt } from "@molecule/domain/explain";
import { withInterrupted } from "@molecule/domain/restart-context";
import { and, eq, isNull, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { recordCarried } from "../ledger/record-begin.ts";
import { managedFiles } from "../schema/content.ts";
import { attempts, workspaces, workspaceTokens } from "../schema/workspaces.ts";
import type { SecretCipher } from "../secrets/cipher.ts";
import { readInboundSecret } from "../secrets/inbound-secret.ts";
import { loadWorkspaceEnv } from "../secrets/workspace-env.ts";
import { attemptToken } from "../tokens/attempt-token.ts";
import { advanceStage } from "./advance-stage.ts";
import type { AttemptRow, HeldWorkspace, WorkspaceRow } from "./held-workspace.ts";
import { lackingKeys } from "./lacking-keys.ts";
import { changesBetween } from "./merged-changes.ts";

/** One file of an attempt's `/configs`. */
export interface ContentFile {
  readonly path: string;
  readonly content: Uint8Array;
  readonly isSecret: boolean;
  /** Hash of a stored file, of which the instance then holds this version; null for rendered ones. */
  readonly managedSha256: string | null;
}

/** What one attempt runs with. Contains secrets: never logged, never stored as a whole. */
export interface AttemptContent {
  readonly workspaceId: string;
  readonly attemptNo: number;
  readonly createToken: string;
  readonly name: string;
  readonly runtime: string;
  readonly tier: number;
  readonly model: string | null;
  readonly provider: string | null;
  /** Secrets only, the organisation's overlaid with the workspace's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly ContentFile[];
  /** Managed paths deleted since the last projection. */
  readonly removedFiles: readonly string[];
}

/** What reading content needs besides the database. */
export interface ContentSources {
  readonly cipher: SecretCipher;
  /** 32 bytes that attempt tokens are derived from; no rotation of the master key changes them. */
  readonly tokenKey: Uint8Array;
  /** Renders the configuration document into files of `/configs`. */
  readonly render: (row: WorkspaceRow) => ReadonlyMap<string, Uint8Array>;
}

/** The failure that only a person can heal, or the content to start with. */
export type ContentOrRefusal =
  | { readonly kind: "content"; readonly content: AttemptContent }
  | { readonly kind: "refused"; readonly failure: PublicFailure };

/**
 * Takes the snapshot of the current attempt: the generation was read under the row lock, the content is
 * read after it, so that the content holds every write of that generation. Phase CREATING and the
 * attempt's token commit with it; only then may the backend be called. Source: lifecycle A5 snapshot.
 */
export async function takeSnapshot(
  tx: Transaction,
  held: HeldWorkspace,
  sources: ContentSources,
  options: { readonly createTimeoutMs: number },
): Promise<ContentOrRefusal> {
  const { row, attempt } = held;
  if (attempt === null) throw new Error("invariant: a snapshot belongs to an attempt");
  const found = await readContent(tx, held, sources);
  if (found.kind === "refused") return found;
  const orm = ormOf(tx);
  await orm
    .update(attempts)
    .set({
      snapGen: row.desiredGen,
      snapForce: row.forceSeq,
      snapDigest: digestOf(found.content, sources.tokenKey),
      snapConfig: row.config,
      snapEnvKeys: Object.keys(found.content.env).sort(),
      detail: await detailAtSnapshot(tx, held, attempt),
    })
    .where(and(eq(attempts.workspaceId, row.id), eq(attempts.no, attempt.no)));
  await announceProjection(tx, row.id);
  const { sha256, prefix } = attemptToken(sources.tokenKey, {
    workspaceId: row.id,
    attemptNo: attempt.no,
    createToken: attempt.createToken,
  });
  await orm
    .insert(workspaceTokens)
    .values({
      workspaceId: row.id,
      attemptNo: attempt.no,
      kind: "attempt",
      tokenSha256: sha256,
      prefix,
    })
    .onConflictDoNothing();
  await orm
    .update(workspaces)
    .set({
      phase: "CREATING",
      streamRestarts: row.streamRestarts + (row.desiredGen > row.appliedGen ? 1 : 0),
      deadlineAt: sql`cp_now() + ${options.createTimeoutMs} * interval '1 millisecond'`,
      nextActionAt: sql`cp_now()`,
      advertisedUrl: "",
      toldGen: row.desiredGen,
      resetWanted: false,
      rebuildWanted: false,
    })
    .where(eq(workspaces.id, row.id));
  await recordCarried(tx, held);
  await advanceStage(tx, held, "creating");
  return found;
}

/**
 * From here on the instance may hold the present version of each file, whether the creation is ever
 * recorded or not. Without this, what a killed worker had projected would look like the agent's work.
 */
export async function announceProjection(tx: Transaction, workspaceId: string): Promise<void> {
  await ormOf(tx)
    .update(managedFiles)
    .set({
      projectedSha256: sql`array_append(${managedFiles.projectedSha256}, ${managedFiles.sha256})`,
    })
    .where(
      and(
        eq(managedFiles.workspaceId, workspaceId),
        isNull(managedFiles.deletedAt),
        sql`NOT ${managedFiles.sha256} = ANY (${managedFiles.projectedSha256})`,
      ),
    );
}

/** The reason, completed by the writes that came after BEGIN and ride along. */
async function detailAtSnapshot(tx: Transaction, held: HeldWorkspace, attempt: AttemptRow) {
  const { row } = held;
  const [previous] = await ormOf(tx)
    .select({ snapGen: attempts.snapGen })
    .from(attempts)
    .where(and(eq(attempts.workspaceId, row.id), eq(attempts.no, attempt.no - 1)));
  const after = Math.max(row.appliedGen, previous?.snapGen ?? 0);
  const { merged } = await changesBetween(tx, row.id, { after, upTo: row.desiredGen });
  if (JSON.stringify(merged) === JSON.stringify(attempt.detail.merged)) return attempt.detail;
  const isByChanges = !["create", "user", "resume", "crash", "boot_retry", "unhealthy"].includes(
    attempt.reason,
  );
  const sentence = isByChanges
    ? withInterrupted(
        explainAttempt({
          reason: attempt.reason,
          actor: { kind: attempt.actorKind, name: attempt.actorName },
          merged,
          exit: null,
          failure: null,
        }),
        attempt.detail.interrupted ?? [],
      )
    : attempt.detail.sentence;
  return { ...attempt.detail, merged, sentence };
}

/** Everything the attempt is started with, as of now; the row lock is held by `held`. */
export async function readContent(
  tx: Transaction,
  held: Pick<HeldWorkspace, "row" | "attempt">,
  sources: ContentSources,
): Promise<ContentOrRefusal> {
  const { row, attempt } = held;
  if (attempt === null) throw new Error("invariant: content belongs to an attempt");
  const refusal = await lackingKeys(tx, sources.cipher, row);
  if (refusal !== null) return { kind: "refused", failure: refusal };
  const { env } = await loadWorkspaceEnv(tx, sources.cipher, row.id);
  const stored = await ormOf(tx)
    .select()
    .from(managedFiles)
    .where(eq(managedFiles.workspaceId, row.id));
  const rendered = sources.render(row);
  const files: ContentFile[] = [...rendered].map(([path, content]) => ({
    path,
    content,
    isSecret: false,
    managedSha256: null,
  }));
  for (const file of stored) {
    if (file.deletedAt !== null || rendered.has(file.path)) continue;
    files.push({
      path: file.path,
      content: file.content,
      isSecret: false,
      managedSha256: file.sha256,
    });
  }
  files.push(...(await platformFiles(tx, held, sources)));
  return {
    kind: "content",
    content: {
      workspaceId: row.id,
      attemptNo: attempt.no,
      createToken: attempt.createToken,
      name: row.name,
      runtime: row.runtime,
      tier: row.tier,
      model: row.config.model,
      provider: row.config.provider,
      env,
      files,
      removedFiles: stored.filter((file) => file.deletedAt !== null).map((file) => file.path),
    },
  };
}

async function platformFiles(
  tx: Transaction,
  { row, attempt }: Pick<HeldWorkspace, "row" | "attempt">,
  sources: ContentSources,
): Promise<ContentFile[]> {
  if (attempt === null) return [];
  const { token } = attemptToken(sources.tokenKey, {
    workspaceId: row.id,
    attemptNo: attempt.no,
    createToken: attempt.createToken,
  });
  const inbound = await readInboundSecret(tx, sources.cipher, row.id);
  const secret = (path: string, text: string): ContentFile => ({
    path,
    content: new TextEncoder().encode(text),
    isSecret: true,
    managedSha256: null,
  });
  return [
    secret(".auth_token", token),
    ...(inbound === null ? [] : [secret(".platform_inbound_secret", inbound)]),
  ];
}

/** Keyed, because the content includes secrets; equal content of one installation is equal. */
function digestOf(content: AttemptContent, tokenKey: Uint8Array): string {
  const mac = createHmac("sha256", tokenKey);
  const lines = [
    ...content.files
      .filter((file) => !file.isSecret)
      .map((file) => `f ${file.path} ${createHash("sha256").update(file.content).digest("hex")}`),
    ...Object.entries(content.env).map(([key, value]) => `e ${key}=${value}`),
  ];
  return mac.update(lines.sort().join("\n")).digest("hex");
}
