import type { HostKeyPrint } from "@molecule/domain/host-keys";
import type { TunnelFault } from "@molecule/domain/sets";
import type { TunnelSettings } from "@molecule/domain/tunnel-pool";
import type { Client as SshClient } from "ssh2";
import ssh2 from "ssh2";
import type { Carrier } from "./carrier.ts";
import { TunnelError } from "./errors.ts";
import { printOf } from "./host-key-check.ts";
import { SshConnection } from "./ssh-connection.ts";

/** What one sign-in needs. Both promises run beside the opening of the way. */
export interface SshOptions {
  readonly carrier: Carrier;
  readonly user: string;
  /** OpenSSH text of the private key; in memory alone. */
  readonly privateKey: string;
  /** Resolves when the key is let in; rejects with a TunnelError. */
  readonly granted: Promise<{ readonly atMs: number }>;
  readonly pinned: HostKeyPrint | null;
  readonly isOwnKey: (key: HostKeyPrint) => Promise<boolean>;
  readonly settings: TunnelSettings;
  readonly signal: AbortSignal;
}

/** Name, key and their lengths: what an ed25519 key is on the wire, whichever it is. Source: RFC 8709 §4. */
const PUBLIC_KEY_BYTES = 51;

/** Fresh for every connection: nothing is ever written to a disk. */
export function newKeyPair(): { readonly privateKey: string; readonly publicKey: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment: "molecule" });
    const [, data = ""] = pair.public.split(" ");
    // The library loses zeros that a key begins with, as one of 256 does: no machine accepts that one.
    if (Buffer.from(data, "base64").length === PUBLIC_KEY_BYTES) {
      return { privateKey: pair.private, publicKey: pair.public };
    }
  }
}

/** The way says more precisely why it ended, a moment after the protocol has noticed. */
const WAY_ENDS_MS = 10;
const FAULT_OF_LEVEL: Readonly<Record<string, TunnelFault>> = {
  "client-authentication": "auth-failed",
  "client-timeout": "handshake-timeout",
  "client-socket": "ws-closed",
  handshake: "ssh-handshake",
  protocol: "protocol",
};
/** The kinds of keys that are asked for, the best first. */
const HOST_KEY_ALGORITHMS: Readonly<Record<string, readonly ssh2.ServerHostKeyAlgorithm[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

/**
 * Signs in over an open way. The key may still be on its way to AWS meanwhile: only the sign-in itself
 * waits for it, and no attempt without a key is made before.
 * @throws TunnelError
 */
export async function connectSsh(options: SshOptions): Promise<SshConnection> {
  const { carrier, settings, signal } = options;
  const client = new ssh2.Client();
  let isWrongMachine = false;
  let grantedAtMs: number | null = null;
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (fault: TunnelFault, cause?: unknown) => {
        const grantAgeMs = grantedAtMs === null ? null : Date.now() - grantedAtMs;
        const facts = grantAgeMs === null ? {} : { grantAgeMs };
        reject(new TunnelError(fault, facts, cause === undefined ? {} : { cause }));
      };
      signal.addEventListener("abort", () => fail("handshake-timeout"), { once: true });
      options.granted.then(({ atMs }) => {
        grantedAtMs = atMs;
      }, reject);
      void carrier.ended.then(reject);
      client.once("ready", resolve);
      client.on("error", (error: Error & { level?: string }) => {
        if (isWrongMachine) return fail("host-key-mismatch");
        const fault = FAULT_OF_LEVEL[error.level ?? ""] ?? "protocol";
        if (fault === "auth-failed" || fault === "handshake-timeout") fail(fault, error);
        else setTimeout(() => fail(fault, error), WAY_ENDS_MS);
      });
      client.once("close", () => setTimeout(() => fail("peer-closed"), WAY_ENDS_MS));
      signIn(client, options, () => {
        isWrongMachine = true;
      });
    });
    const connection = new SshConnection(client, carrier, settings);
    connection.files.prepare();
    return connection;
  } catch (error) {
    client.on("error", () => undefined);
    client.destroy();
    void carrier.close();
    throw error;
  }
}

function signIn(client: SshClient, options: SshOptions, onWrongMachine: () => void): void {
  const { pinned, settings } = options;
  const known = pinned === null ? undefined : HOST_KEY_ALGORITHMS[pinned.type];
  let hasTried = false;
  client.connect({
    sock: options.carrier.stream,
    username: options.user,
    readyTimeout: settings.connectTimeoutMs,
    keepaliveInterval: settings.keepaliveMs,
    keepaliveCountMax: settings.keepaliveMisses,
    algorithms: {
      compress: ["none"],
      serverHostKey: [...(known ?? Object.values(HOST_KEY_ALGORITHMS).flat())],
    },
    hostVerifier: (blob: Buffer, verify: (isOwn: boolean) => void) => {
      void options
        .isOwnKey(printOf(blob))
        .catch(() => false)
        .then((isOwn) => {
          if (!isOwn) onWrongMachine();
          verify(isOwn);
        });
    },
    authHandler: (_methods, _partial, next) => {
      // Its type knows no end; false is how the library is told that there is no other way.
      if (hasTried) return next(false as unknown as ssh2.AuthenticationType);
      hasTried = true;
      const { user: username, privateKey: key } = options;
      options.granted.then(
        () => next({ type: "publickey", username, key }),
        () => undefined,
      );
    },
  });
}
