import type { DomainError } from "@molecule/domain/errors";
import { HTTP_STATUSES } from "../errors.ts";

/** What the answers made here say, so that they can be sent without the stream that every body becomes. */
const texts = new WeakMap<Response, string>();

/** The whole text of a JSON answer that was made here; null for any other. */
export function textOf(response: Response): string | null {
  return response.bodyUsed ? null : (texts.get(response) ?? null);
}

/** A JSON answer. */
export function json(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Response {
  const text = JSON.stringify(body);
  const response = new Response(text, {
    status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "content-length": String(Buffer.byteLength(text)),
      ...headers,
    },
  });
  texts.set(response, text);
  return response;
}

/** A 200 with JSON. */
export function ok(body: unknown): Response {
  return json(200, body);
}

/** A redirect that turns a POST into a GET. */
export function seeOther(
  location: string,
  headers: readonly (readonly [string, string])[],
): Response {
  const response = new Response(null, { status: 303, headers: { location } });
  for (const [name, value] of headers) response.headers.append(name, value);
  return response;
}

/** The answer of a failure: `{error, code, next?, request_id}` and the details beside them. */
export function failure(
  error: DomainError,
  requestId: string,
  status = HTTP_STATUSES[error.code],
): Response {
  const body = {
    ...error.details,
    error: error.message,
    code: error.code,
    ...(error.next === undefined ? {} : { next: error.next }),
    // Contract §3.3 names the sentence of a 410 `hint`.
    ...(error.code === "removed" ? { hint: error.next ?? error.message } : {}),
    request_id: requestId,
  };
  const retryAfter = error.details.retry_after;
  return json(
    status,
    body,
    typeof retryAfter === "number" ? { "retry-after": String(retryAfter) } : {},
  );
}
