import { format } from "node:util";
import type { Log as AgentLog } from "@molecule/runtime-sdk/log";

/** Fields of a log line; values that look like secrets are never written. */
type LogFields = Readonly<Record<string, unknown>>;

/** One JSON line per event on the sink. */
export interface Log extends AgentLog {
  /** From now on this value is written as `[redacted]` wherever it appears. */
  readonly hide: (secret: string | undefined) => void;
}

const SECRET_NAME = /KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL/i;
/** Shapes of credentials that are hidden although nobody named them. */
const SECRET_SHAPES =
  /\b(?:w[sb]t_[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9_-]{16,}|Bearer\s+[A-Za-z0-9._~+/=-]{8,})/g;
/** Shorter values are too likely to be ordinary words. */
const MIN_SECRET_LENGTH = 8;

/** A log that writes lines to `write` and hides every secret named in `env`. */
export function jsonLog(
  write: (line: string) => void,
  env: Readonly<Record<string, string | undefined>>,
): Log {
  const hidden = new Set<string>();
  const hide = (secret: string | undefined) => {
    if (secret !== undefined && secret.length >= MIN_SECRET_LENGTH) hidden.add(secret);
  };
  for (const [name, value] of Object.entries(env)) if (SECRET_NAME.test(name)) hide(value);
  const scrub = (text: string) => {
    let clean = text.replace(SECRET_SHAPES, "[redacted]");
    for (const secret of hidden) clean = clean.replaceAll(secret, "[redacted]");
    return clean;
  };
  const line = (level: string) => (message: string, fields?: LogFields) =>
    write(
      `${scrub(JSON.stringify({ level, time: new Date().toISOString(), msg: message, ...plain(fields) }))}\n`,
    );
  return { info: line("info"), warn: line("warn"), error: line("error"), hide };
}

/** Makes what libraries print to the console a log line, so that stdout stays one JSON per line. */
export function captureConsole(log: Log): void {
  const target = globalThis.console;
  target.log = (...args: unknown[]) => log.info(format(...args));
  target.info = target.log;
  target.debug = target.log;
  target.warn = (...args: unknown[]) => log.warn(format(...args));
  target.error = (...args: unknown[]) => log.error(format(...args));
}

function plain(fields: LogFields | undefined): LogFields | undefined {
  if (fields === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (SECRET_NAME.test(name)) return [name, "[redacted]"];
      return [name, value instanceof Error ? describeError(value) : value];
    }),
  );
}

/** Name, message and the end of what caused it; stacks name our files to nobody who could use them. */
function describeError(error: Error): string {
  const cause = error.cause instanceof Error ? ` (cause: ${error.cause.message.slice(-1000)})` : "";
  return `${error.name}: ${error.message}${cause}`;
}
