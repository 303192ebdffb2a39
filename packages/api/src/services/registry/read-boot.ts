import type { BootContent } from "@molecule/contracts/boot";
import { readBootContent } from "@molecule/db/lifecycle/read-boot-content";
import { DomainError } from "@molecule/domain/errors";
import { isDecidedByPlatform } from "@molecule/domain/platform-env";
import { renderConfigs } from "@molecule/templates/render-config";
import type { Deps } from "../../deps.ts";

/**
 * What the machine of an attempt starts its agent with: files of `/configs` and secrets. At least the
 * attempt's snapshot: what was saved since is in it, and the restart for that comes all the same.
 * @throws DomainError `superseded`, `secret_unreadable`, `missing_required_key`.
 */
export async function readBoot(
  { db, cipher, tokenKey }: Pick<Deps, "db" | "cipher" | "tokenKey">,
  attempt: { readonly workspaceId: string; readonly attemptNo: number },
): Promise<BootContent> {
  const sources = { cipher, tokenKey, render: renderConfigs };
  const found = await db.transaction((tx) => readBootContent(tx, attempt, sources));
  if (found === null) {
    throw new DomainError("superseded", "A newer start of this workspace has taken over.", {
      details: { superseded: true },
    });
  }
  if (found.kind === "refused") {
    const { code, sentence, next } = found.failure;
    const known = code === "secret_unreadable" ? code : "missing_required_key";
    throw new DomainError(known, sentence, { next });
  }
  const { env, files, removedFiles } = found.content;
  const secrets = Object.entries(env).filter(([name]) => !isDecidedByPlatform(name));
  return {
    attempt: attempt.attemptNo,
    env: Object.fromEntries(secrets),
    files: files
      .filter(({ isSecret }) => !isSecret)
      .map(({ path, content }) => ({ path, content: Buffer.from(content).toString("base64") })),
    removed_files: [...removedFiles],
  };
}
