import { createHmac, timingSafeEqual } from "node:crypto";

/** Difference of clocks that is accepted, in seconds. */
export const MAX_SKEW_SECONDS = 30;

/** The header value for a request; `key` is the content of the key file. */
export function sign(
  key: string,
  request: { readonly seconds: number; readonly path: string; readonly body: string },
): string {
  return `${request.seconds}.${macOf(key, request)}`;
}

/** True for a header that this key made for this request at about this time. */
export function isSigned(
  key: string,
  header: string | undefined,
  request: { readonly nowSeconds: number; readonly path: string; readonly body: string },
): boolean {
  const [, seconds, mac] = /^(\d{1,12})\.([0-9a-f]{64})$/.exec(header ?? "") ?? [];
  if (seconds === undefined || mac === undefined) return false;
  const at = Number(seconds);
  if (Math.abs(request.nowSeconds - at) > MAX_SKEW_SECONDS) return false;
  const expected = macOf(key, { seconds: at, path: request.path, body: request.body });
  return timingSafeEqual(Buffer.from(mac, "hex"), Buffer.from(expected, "hex"));
}

function macOf(
  key: string,
  {
    seconds,
    path,
    body,
  }: { readonly seconds: number; readonly path: string; readonly body: string },
): string {
  return createHmac("sha256", key).update(`${seconds}\n${path}\n${body}`).digest("hex");
}
