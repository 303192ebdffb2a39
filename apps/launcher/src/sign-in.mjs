import { createHash, randomBytes } from "node:crypto";
import postgres from "postgres";

/** Source: architecture decision 11. */
const LINK_MINUTES = 15;
/** Two starts on one database at once must not make two owners. */
const LOCK = 706_062;

/**
 * There is an owner, and a new link signs them in once.
 * @param {string} databaseUrl
 * @param {string} publicUrl origin of the platform
 * @returns {Promise<string>} the link; its secret part is stored nowhere
 */
export async function createSignInLink(databaseUrl, publicUrl) {
  const token = randomBytes(32).toString("base64url");
  const digest = createHash("sha256").update(token).digest();
  const sql = postgres(databaseUrl, { max: 1, connect_timeout: 10, onnotice: () => undefined });
  try {
    await sql.begin(async (tx) => {
      await tx`SELECT pg_advisory_xact_lock(${LOCK})`;
      const [owner] = await tx`
        SELECT id FROM members WHERE role = 'owner' AND removed_at IS NULL
        ORDER BY created_at, id LIMIT 1`;
      const [made] = owner
        ? [owner]
        : await tx`INSERT INTO members (name, role) VALUES ('Owner', 'owner') RETURNING id`;
      await tx`DELETE FROM sign_in_links WHERE expires_at < cp_now() - interval '1 day'`;
      await tx`
        INSERT INTO sign_in_links (token_sha256, member_id, expires_at)
        VALUES (${digest}, ${made?.id}, cp_now() + make_interval(mins => ${LINK_MINUTES}))`;
    });
  } finally {
    await sql.end({ timeout: 2 });
  }
  return `${publicUrl.replace(/\/+$/, "")}/sign-in?token=${token}`;
}
