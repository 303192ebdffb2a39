import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { ConnectControl, ConnectCounts } from "./connect-control.ts";
import { listenOnLoopback } from "./listen.ts";
import { type SigningKey, signatureProblem } from "./verify-sigv4.ts";

/** An instance as the fake of EC2 Instance Connect needs to know it. */
export interface ConnectInstance {
  /** EC2's name of its state: `pending`, `running`, `stopping`, `stopped`, `terminated`. */
  readonly state: string;
  /** Lets the owner of the key in as `user` for so many seconds. An unknown user is no error here. */
  grant(user: string, publicKey: string, seconds: number): void | Promise<void>;
}

/** What the fake is made of. */
export interface InstanceConnectOptions {
  readonly control: ConnectControl;
  readonly counts: ConnectCounts;
  /** Null: nobody has this access key. */
  readonly keyOf: (accessKeyId: string) => SigningKey | null;
  /** Null: there is no such instance. */
  readonly findInstance: (instanceId: string) => ConnectInstance | null;
}

const TARGET = "AWSEC2InstanceConnectService.SendSSHPublicKey";

/** True when a request is for this service; a server of several services asks. */
export function isInstanceConnectCall(request: IncomingMessage): boolean {
  return request.headers["x-amz-target"] === TARGET;
}

/**
 * Answers SendSSHPublicKey as AWS does: JSON 1.1, signed by header, typed exceptions, a grant of 60 s.
 * An OS user that does not exist is no error of the call; it shows when somebody signs in.
 */
export async function answerInstanceConnect(
  options: InstanceConnectOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { control, counts } = options;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  counts.grants += 1;
  if (control.apiDelayMs > 0) await delay(control.apiDelayMs);
  const problem = signatureProblem(
    { method: request.method ?? "", target: request.url ?? "", headers: request.headers, body },
    { service: "ec2-instance-connect", keyOf: options.keyOf },
  );
  const fail = (status: number, type: string, message: string) =>
    send(response, status, { __type: type, Message: message });
  if (problem !== null) {
    counts.badSignatures += 1;
    return fail(403, "InvalidSignatureException", problem);
  }
  if (control.apiError !== null) {
    const status = control.apiError === "ServiceException" ? 500 : 400;
    return fail(status, control.apiError, "as it was told to");
  }
  const call = parse(body);
  if (call === null) return fail(400, "InvalidArgsException", "a field is missing or malformed");
  const instance = options.findInstance(call.instanceId);
  if (instance === null) return fail(400, "EC2InstanceNotFoundException", "no such instance");
  if (instance.state === "pending") {
    return fail(400, "EC2InstanceUnavailableException", "the instance is being started");
  }
  if (instance.state !== "running") {
    return fail(400, "EC2InstanceStateInvalidException", `the instance is ${instance.state}`);
  }
  await instance.grant(call.user, call.publicKey, control.grantSeconds);
  send(response, 200, { RequestId: randomUUID(), Success: true });
}

/** The service alone on a port of its own. */
export async function startInstanceConnectApi(
  options: InstanceConnectOptions,
): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    answerInstanceConnect(options, request, response).catch(() => response.destroy());
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Source of the limits: API reference of SendSSHPublicKey. */
function parse(body: Buffer): { instanceId: string; user: string; publicKey: string } | null {
  let call: unknown;
  try {
    call = JSON.parse(body.toString("utf8"));
  } catch {
    return null;
  }
  const {
    InstanceId: instanceId,
    InstanceOSUser: user,
    SSHPublicKey: publicKey,
  } = call as Record<string, unknown>;
  if (typeof instanceId !== "string" || !/^i-[a-f0-9]+$/.test(instanceId)) return null;
  if (typeof user !== "string" || user.length < 1 || user.length > 32) return null;
  if (typeof publicKey !== "string" || publicKey.length < 80 || publicKey.length > 4096)
    return null;
  return { instanceId, user, publicKey: publicKey.trim() };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    "content-type": "application/x-amz-json-1.1",
    "x-amzn-requestid": randomUUID(),
  });
  response.end(JSON.stringify(body));
}
