import { SESSION_ABSOLUTE_SECONDS } from "@molecule/domain/sessions";

const SECURE_NAME = "__Host-molecule_session";
const PLAIN_NAME = "molecule_session";
const SECURE_PROBE = "__Host-molecule_probe";

/** The session's secret in a Cookie header; null without one. The protected name wins. */
export function readSessionCookie(header: string | null): string | null {
  return readCookie(header, SECURE_NAME) ?? readCookie(header, PLAIN_NAME);
}

/**
 * True where a browser should keep a Secure cookie: https, or plain http on loopback.
 * Source: security C2 row 5.
 */
export function mayUseSecureCookie(host: string, publicUrl: string): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  if (name === "localhost" || name === "127.0.0.1" || name === "::1") return true;
  return publicUrl.startsWith("https://") && new URL(publicUrl).host === host;
}

/** Asks the browser whether it keeps Secure cookies here: some do not on http://localhost. */
export function probeCookie(): string {
  return `${SECURE_PROBE}=1; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=900`;
}

/** The browser kept the probe. */
export function hasProbe(header: string | null): boolean {
  return readCookie(header, SECURE_PROBE) === "1";
}

/** Set-Cookie of a new session. */
export function sessionCookie(secret: string, isSecure: boolean): string {
  const tail = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${SESSION_ABSOLUTE_SECONDS}`;
  return isSecure
    ? `${SECURE_NAME}=${secret}; Secure; ${tail}`
    : `${PLAIN_NAME}=${secret}; ${tail}`;
}

/** Set-Cookie values that end a session, whichever name it had. */
export function endedCookies(): readonly string[] {
  return [
    `${SECURE_NAME}=; Secure; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`,
    `${PLAIN_NAME}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`,
  ];
}

function readCookie(header: string | null, name: string): string | null {
  for (const part of (header ?? "").split(";")) {
    const [key, ...value] = part.trim().split("=");
    if (key === name && value.length > 0 && value[0] !== "") return value.join("=");
  }
  return null;
}
