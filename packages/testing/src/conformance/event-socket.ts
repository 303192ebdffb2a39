import { randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import type { Scope } from "./case.ts";
import { isLike, type Shape } from "./shape.ts";

/** Events of `/ws` as they came. */
export interface EventReader {
  /** Resolves when an event like `shape` has come. @throws Error after 15 s. */
  until(shape: Shape): Promise<void>;
  seen(): readonly Readonly<Record<string, unknown>>[];
  /** Sends a text frame. */
  say(text: string): void;
  close(): void;
}

const WAIT_MS = 15_000;
const LOOK_MS = 20;
const TEXT = 1;

/**
 * Opens `/ws`. Written down to the frame, so that headers can be sent that a browser cannot.
 * @throws Error “refused with <status>”.
 */
export async function readEvents(
  scope: Scope,
  how: { readonly as: string | null; readonly headers?: Readonly<Record<string, string>> },
): Promise<EventReader> {
  const token = await scope.bearer(how.as);
  const socket = await upgrade(new URL("/ws", scope.base), {
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...how.headers,
  });
  const events: Record<string, unknown>[] = [];
  const frames = new FrameReader((text) => events.push(JSON.parse(text)));
  socket.on("data", (chunk: Buffer) => frames.push(chunk));
  socket.on("error", () => socket.destroy());
  return {
    seen: () => events,
    say: (text) => void socket.write(clientFrame(text)),
    close: () => void socket.destroy(),
    until: async (shape) => {
      const deadline = performance.now() + WAIT_MS;
      while (!events.some((event) => isLike(shape, event))) {
        if (performance.now() > deadline) {
          const names = events.map((event) => String(event.event)).join(", ");
          throw new Error(`no such event came; what came: ${names === "" ? "none" : names}`);
        }
        await new Promise((done) => setTimeout(done, LOOK_MS));
      }
    },
  };
}

async function upgrade(url: URL, headers: Readonly<Record<string, string>>): Promise<Duplex> {
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  return await new Promise((resolve, reject) => {
    const req = send(url, {
      headers: {
        ...headers,
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": randomBytes(16).toString("base64"),
      },
    });
    req.once("upgrade", (_res, socket, head) => {
      socket.unshift(head);
      resolve(socket);
    });
    req.once("response", (res) => {
      res.resume();
      reject(new Error(`refused with ${res.statusCode}`));
    });
    req.once("error", reject);
    req.end();
  });
}

/** Cuts unmasked server frames out of a byte stream. Source: RFC 6455 §5.2. */
class FrameReader {
  #rest = Buffer.alloc(0);
  readonly #onText: (text: string) => void;

  constructor(onText: (text: string) => void) {
    this.#onText = onText;
  }

  push(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const head = headOf(this.#rest);
      if (head === null || this.#rest.length < head.start + head.length) return;
      const payload = this.#rest.subarray(head.start, head.start + head.length);
      if (head.opcode === TEXT) this.#onText(payload.toString("utf8"));
      this.#rest = this.#rest.subarray(head.start + head.length);
    }
  }
}

function headOf(bytes: Buffer): { opcode: number; start: number; length: number } | null {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return null;
  const opcode = first & 0x0f;
  const short = second & 0x7f;
  if (short < 126) return { opcode, start: 2, length: short };
  if (short === 126) {
    return bytes.length < 4 ? null : { opcode, start: 4, length: bytes.readUInt16BE(2) };
  }
  return bytes.length < 10 ? null : { opcode, start: 10, length: Number(bytes.readBigUInt64BE(2)) };
}

/** A short masked text frame. */
function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text.slice(0, 100));
  const mask = randomBytes(4);
  const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, masked]);
}
