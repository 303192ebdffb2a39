import { serializeError } from "@molecule/db/error-record";
import { pino } from "pino";

/** Fields that never reach the log, wherever they stand. */
const SECRET_FIELDS = [
  "authorization",
  "cookie",
  "token",
  "secret",
  "password",
  "key",
  "headers",
  "body",
  "parameters",
  "params",
];

/** The process's log: JSON lines on stdout, without bodies, tokens and statement parameters. */
export function createLog(level: string) {
  return pino({
    level,
    base: { name: "server" },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      remove: true,
    },
    serializers: { err: serializeError },
  });
}
