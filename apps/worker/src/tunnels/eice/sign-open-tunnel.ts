import { createHash, createHmac } from "node:crypto";

/** Credentials of AWS. Values are secrets. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Which tunnel is asked for. */
export interface TunnelRequest {
  /** Of the endpoint; with its port when that is not 443. */
  readonly dnsName: string;
  readonly endpointId: string;
  readonly privateIp: string;
  readonly region: string;
  /** 1 to 3600. */
  readonly maxTunnelSeconds: number;
}

const SERVICE = "ec2-instance-connect";
/** How long the address may be used, in seconds. */
const VALID_SECONDS = 60;

/**
 * The signed address of a tunnel: Signature Version 4 in the query. It lets anybody in who reads it within
 * a minute, so it is made right before it is dialled and never logged. Source: the AWS command line, whose
 * requests are the same.
 */
export function signOpenTunnel(
  request: TunnelRequest,
  credentials: AwsCredentials,
  nowMs: number,
): string {
  const date = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, "");
  const day = date.slice(0, 8);
  const scope = `${day}/${request.region}/${SERVICE}/aws4_request`;
  const token = credentials.sessionToken ?? "";
  const parameters: readonly (readonly [string, string])[] = [
    ["instanceConnectEndpointId", request.endpointId],
    ["maxTunnelDuration", String(request.maxTunnelSeconds)],
    ["privateIpAddress", request.privateIp],
    ["remotePort", "22"],
    ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
    ["X-Amz-Credential", `${credentials.accessKeyId}/${scope}`],
    ["X-Amz-Date", date],
    ["X-Amz-Expires", String(VALID_SECONDS)],
    ["X-Amz-SignedHeaders", "host"],
  ];
  const signed =
    token === "" ? parameters : [...parameters, ["X-Amz-Security-Token", token] as const];
  const query = signed
    .map(([name, value]) => `${escapeStrictly(name)}=${escapeStrictly(value)}`)
    .sort()
    .join("&");
  const headers = `host:${request.dnsName}`;
  const canonical = ["GET", "/openTunnel", query, headers, "", "host", sha256("")].join("\n");
  const text = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
  let key: Buffer | string = `AWS4${credentials.secretAccessKey}`;
  for (const part of [day, request.region, SERVICE, "aws4_request"]) {
    key = createHmac("sha256", key).update(part).digest();
  }
  const signature = createHmac("sha256", key).update(text).digest("hex");
  return `wss://${request.dnsName}/openTunnel?${query}&X-Amz-Signature=${signature}`;
}

function escapeStrictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
