import { DomainError } from "@molecule/domain/errors";
import { bodyOf, hasBody, takeWholeBody } from "./incoming.ts";

/** Largest JSON body of a plain route. Source: security C2 row 17. */
const MAX_JSON_BYTES = 1_048_576;
/** Deepest nesting of a JSON body. Source: security C2 row 17. */
export const MAX_JSON_DEPTH = 32;

/**
 * The body as bytes, never holding more than `maxBytes`.
 * @throws DomainError `payload_too_large`.
 */
export async function readBytes(req: Request, maxBytes: number): Promise<Uint8Array> {
  const announced = Number(req.headers.get("content-length") ?? "0");
  if (announced > maxBytes) throw tooLarge(maxBytes);
  if (!hasBody(req)) return new Uint8Array();
  const readWhole = takeWholeBody(req);
  if (readWhole !== null) {
    const whole = await readWhole(maxBytes);
    if (whole === null) throw tooLarge(maxBytes);
    return whole;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body = bodyOf(req);
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks, size);
    size += value.byteLength;
    if (size > maxBytes) {
      await reader.cancel();
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
}

/**
 * The body as JSON; undefined when there is none.
 * @throws DomainError `payload_too_large`, `bad_request` (malformed, not UTF-8, nested too deeply).
 */
export async function readJson(req: Request, maxBytes = MAX_JSON_BYTES): Promise<unknown> {
  const bytes = await readBytes(req, maxBytes);
  if (bytes.length === 0) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new DomainError("bad_request", "The body is not valid JSON.");
  }
  refuseDepth(value);
  return value;
}

function refuseDepth(root: unknown): void {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_JSON_DEPTH) {
      throw new DomainError("bad_request", `The JSON is nested deeper than ${MAX_JSON_DEPTH}.`);
    }
    level = level.flatMap((value) =>
      typeof value === "object" && value !== null
        ? Object.values(value).filter((inner) => typeof inner === "object" && inner !== null)
        : [],
    );
  }
}

function tooLarge(maxBytes: number): DomainError {
  return new DomainError(
    "payload_too_large",
    `The body is larger than ${Math.round(maxBytes / 1024)} KiB.`,
    { details: { max_bytes: maxBytes } },
  );
}
