import { BOOT_TOKEN_MARK } from "@molecule/domain/boot-token";

/** The boot token of a request, as it looks; null when its bearer is another or there is none. */
export function bootTokenOf(headers: Headers): string | null {
  const header = headers.get("authorization") ?? "";
  if (!header.startsWith("Bearer ")) return null;
  const token = header.slice(7).trim();
  return token.startsWith(BOOT_TOKEN_MARK) ? token : null;
}
