import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { ConnectControl, ConnectCounts } from "./connect-control.ts";
import { startDelayLine } from "./delay-line.ts";
import { listenOnLoopback } from "./listen.ts";
import { selfSigned } from "./self-signed.ts";
import { type SigningKey, signatureProblem } from "./verify-sigv4.ts";

/** What the fake endpoint is made of. */
export interface ConnectEndpointOptions {
  readonly control: ConnectControl;
  readonly counts: ConnectCounts;
  /** Null: nobody has this access key. */
  readonly keyOf: (accessKeyId: string) => SigningKey | null;
  /** The only `instanceConnectEndpointId` it answers to. */
  readonly endpointId: string;
  /** Where a machine of the private network listens; null: nothing answers at that address. */
  readonly machineAt: (
    privateIp: string,
    remotePort: number,
  ) => { readonly host: string; readonly port: number } | null;
}

/** A fake EC2 Instance Connect Endpoint on loopback. */
export interface ConnectEndpoint extends AsyncDisposable {
  /** What DescribeInstanceConnectEndpoints has to name: `localhost:PORT`. */
  readonly dnsName: string;
  /** PEM that clients have to trust. */
  readonly certificate: string;
  /** Closes every tunnel with this code, as the service does. */
  closeAll(code: number, reason?: string): void;
  /** Ends every TCP connection without a close frame. */
  cutAll(): void;
}

/** The only ports it forwards to. Source: AWS, limits of the endpoint. */
const ALLOWED_PORTS: readonly string[] = ["22", "3389"];
const MAX_FRAME_BYTES = 1024 * 1024;
const MAX_DURATION_S = 3_600;
/** Bytes on their way to the client at which the machine is told to wait. */
const MAX_BUFFERED = 1024 * 1024;

/**
 * The tunnel of AWS as far as its clients show it: a TLS websocket at `/openTunnel`, signed in its query,
 * binary frames only, at most so many connections and so long each. What a full endpoint answers is not
 * known; here it is 429. What cannot be reached shows after the upgrade, as a close before any byte.
 */
export async function startConnectEndpoint(
  options: ConnectEndpointOptions,
): Promise<ConnectEndpoint> {
  const { control } = options;
  const { key, certificate } = selfSigned();
  const tunnels = new Set<WebSocket>();
  const https = createServer({ key, cert: certificate }, (_request, response) => {
    response.writeHead(404).end();
  });
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
  });
  https.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => undefined);
    const refusal = refusalOf(options, request);
    if (refusal !== null) return refuse(socket, ...refusal);
    sockets.handleUpgrade(request, socket, head, (tunnel) => {
      tunnels.add(tunnel);
      tunnel.once("close", () => tunnels.delete(tunnel));
      carry(options, tunnel, queryOf(request));
    });
  });
  const innerPort = await listenOnLoopback(https);
  const line = await startDelayLine(innerPort, control);
  return {
    dnsName: `localhost:${line.port}`,
    certificate,
    closeAll: (code, reason = "as it was told to") => {
      for (const tunnel of tunnels) tunnel.close(code, reason);
    },
    cutAll: () => line.cutAll(),
    [Symbol.asyncDispose]: async () => {
      for (const tunnel of tunnels) tunnel.terminate();
      await line[Symbol.asyncDispose]();
      https.closeAllConnections();
      await new Promise<void>((resolve) => https.close(() => resolve()));
    },
  };
}

type Refusal = readonly [status: number, code: string, message: string];

function refusalOf(options: ConnectEndpointOptions, request: IncomingMessage): Refusal | null {
  const { control, counts } = options;
  counts.upgrades += 1;
  const query = queryOf(request);
  if (!(request.url ?? "").startsWith("/openTunnel?")) return [404, "NotFound", "no such path"];
  const problem = signatureProblem(
    {
      method: request.method ?? "",
      target: request.url ?? "",
      headers: request.headers,
      body: new Uint8Array(),
    },
    { service: "ec2-instance-connect", keyOf: options.keyOf },
  );
  if (problem !== null) {
    counts.badSignatures += 1;
    return [403, "AccessDenied", problem];
  }
  if (control.refuseStatus !== null) return [control.refuseStatus, "Refused", "as it was told to"];
  if (query.get("instanceConnectEndpointId") !== options.endpointId) {
    return [404, "ResourceNotFound", "no such endpoint"];
  }
  if (!ALLOWED_PORTS.includes(query.get("remotePort") ?? "")) {
    return [400, "InvalidParameter", "the port is not allowed"];
  }
  if (!/^[0-9a-f.:]+$/.test(query.get("privateIpAddress") ?? "")) {
    return [400, "InvalidParameter", "no private address"];
  }
  const seconds = Number(query.get("maxTunnelDuration") ?? MAX_DURATION_S);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_DURATION_S) {
    return [400, "InvalidParameter", "the duration is not allowed"];
  }
  if (counts.live >= control.maxConnections) {
    counts.overCap += 1;
    return [429, "TooManyConnections", "too many connections"];
  }
  return null;
}

function queryOf(request: IncomingMessage): URLSearchParams {
  return new URL(request.url ?? "/", "https://localhost").searchParams;
}

function refuse(socket: Duplex, ...[status, code, message]: Refusal): void {
  const body = JSON.stringify({ ErrorCode: code, Message: message });
  socket.end(
    [
      `HTTP/1.1 ${status} Refused`,
      `x-amzn-requestid: ${randomUUID()}`,
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(body)}`,
      "connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}

/** Frames to bytes and back, until either side or the longest duration ends it. */
function carry(options: ConnectEndpointOptions, tunnel: WebSocket, query: URLSearchParams): void {
  const { control, counts } = options;
  counts.opened += 1;
  counts.live += 1;
  counts.maxLive = Math.max(counts.maxLive, counts.live);
  const askedMs = Number(query.get("maxTunnelDuration") ?? MAX_DURATION_S) * 1_000;
  const lifeMs = Math.min(askedMs, control.maxTunnelMs ?? askedMs);
  const end = setTimeout(() => tunnel.close(1000, "max duration"), lifeMs);
  tunnel.on("error", () => undefined);
  tunnel.once("close", () => {
    counts.live -= 1;
    clearTimeout(end);
  });
  const port = Number(query.get("remotePort"));
  const machine = options.machineAt(query.get("privateIpAddress") ?? "", port);
  if (control.closeBeforeBanner !== null || machine === null) {
    tunnel.close(control.closeBeforeBanner ?? 1011, "the target cannot be reached");
    return;
  }
  const target = connect({ ...machine, noDelay: true });
  target.on("data", (data) => {
    tunnel.send(data, { binary: true }, () => {
      if (target.isPaused() && tunnel.bufferedAmount < MAX_BUFFERED / 4) target.resume();
    });
    if (tunnel.bufferedAmount > MAX_BUFFERED) target.pause();
  });
  target.on("error", () => tunnel.close(1011, "the target cannot be reached"));
  target.on("close", () => {
    // What it waits for comes no more, and the other side's answer to the close is to be read.
    tunnel.resume();
    tunnel.close(1000, "the target has closed");
  });
  tunnel.on("message", (data: Buffer, isBinary: boolean) => {
    if (!isBinary) counts.textFrames += 1;
    if (!target.write(data) && !target.destroyed) {
      tunnel.pause();
      target.once("drain", () => tunnel.resume());
    }
  });
  tunnel.once("close", () => target.destroy());
}
