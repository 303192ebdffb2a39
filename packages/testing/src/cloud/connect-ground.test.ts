import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { selfSigned } from "./self-signed.ts";
import { hasSshd, startSshd } from "./sshd.ts";
import { type SignatureRules, type SignedRequest, signatureProblem } from "./verify-sigv4.ts";

/** The example that AWS publishes for a signature in the query. */
const PUBLISHED: SignedRequest = {
  method: "GET",
  target: [
    "/?Action=ListUsers&Version=2010-05-08&X-Amz-Algorithm=AWS4-HMAC-SHA256",
    "X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fiam%2Faws4_request",
    "X-Amz-Date=20150830T123600Z",
    "X-Amz-Expires=60",
    "X-Amz-SignedHeaders=content-type%3Bhost",
    "X-Amz-Signature=37ac2f4fde00b0ac9bd9eadeb459b1bbee224158d66e7ae5fcadb70b2d181d02",
  ].join("&"),
  headers: {
    host: "iam.amazonaws.com",
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
  },
  body: new Uint8Array(),
};
const RULES: SignatureRules = {
  service: "iam",
  keyOf: (id) =>
    id === "AKIDEXAMPLE" ? { secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" } : null,
  nowMs: () => Date.parse("2015-08-30T12:36:30Z"),
};

describe("the verifier of signatures", () => {
  it("accepts the signature of the published example", () => {
    expect(signatureProblem(PUBLISHED, RULES)).toBeNull();
  });

  it.each([
    ["a changed argument", { target: PUBLISHED.target.replace("ListUsers", "DeleteUser") }],
    ["a changed signature", { target: PUBLISHED.target.replace("37ac", "37ad") }],
    ["another host", { headers: { ...PUBLISHED.headers, host: "evil.test" } }],
    ["no signature", { target: "/?Action=ListUsers" }],
    ["another method", { method: "POST" }],
  ])("refuses %s", (_name, change) => {
    expect(signatureProblem({ ...PUBLISHED, ...change }, RULES)).not.toBeNull();
  });

  it.each([
    ["an old one", { nowMs: () => Date.parse("2015-08-30T12:37:01Z") }],
    ["an unknown key", { keyOf: () => null }],
    ["another service", { service: "ec2" }],
    ["a missing session token", { keyOf: () => ({ secret: "x", sessionToken: "t" }) }],
  ])("refuses %s", (_name, change) => {
    expect(signatureProblem(PUBLISHED, { ...RULES, ...change })).not.toBeNull();
  });
});

describe.skipIf(!hasSshd())("the real sshd", () => {
  it("lets a granted key in as its user until the grant expires", async () => {
    await using sshd = await startSshd();
    const key = path.join(path.dirname(sshd.home), "key");
    spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    const options = ["-F", "none", "-i", key, "-p", String(sshd.port), "-o", "BatchMode=yes"];
    const trust = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
    const whoami = () =>
      spawnSync("ssh", [...options, ...trust, `${sshd.user}@127.0.0.1`, "id -un"], {
        encoding: "utf8",
      });
    const publicKey = await readFile(`${key}.pub`, "utf8");
    expect(whoami().status).toBe(255);
    await sshd.grant(sshd.user, publicKey, -5);
    expect(whoami().status).toBe(255);
    await sshd.grant(sshd.user, publicKey, 60);
    expect(whoami().stdout.trim(), await sshd.log()).toBe(sshd.user);
  });
});

describe("the certificate of the fake endpoint", () => {
  it("names localhost", async () => {
    const { X509Certificate } = await import("node:crypto");
    const certificate = new X509Certificate(selfSigned().certificate);
    expect(certificate.checkHost("localhost")).toBe("localhost");
    expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });
});
