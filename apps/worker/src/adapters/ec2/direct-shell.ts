import { setTimeout as delay } from "node:timers/promises";
import {
  EC2InstanceConnectClient,
  SendSSHPublicKeyCommand,
} from "@aws-sdk/client-ec2-instance-connect";
import ssh2, { type Client, type ClientChannel } from "ssh2";
import type { Ec2Calls, Machine } from "./ec2-calls.ts";
import type { Ec2Settings } from "./ec2-settings.ts";
import { consoleHostKeys } from "./host-keys.ts";
import type { MachineShell, ShellCommand, ShellResult } from "./machine-shell.ts";

const CONNECT_TIMEOUT_MS = 15_000;
const KEEPALIVE_MS = 10_000;
const IDLE_MS = 60_000;
const SSH_PORT = 22;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** A connection with how many use it now. */
interface Held {
  readonly client: Promise<Client>;
  users: number;
  idle: NodeJS.Timeout | null;
}

/**
 * The way into machines whose private address the platform reaches itself: one SSH connection for each,
 * kept for a minute. The key is made in memory for each connection and let in by EC2 Instance Connect for
 * 60 s; the machine's own key has to be one that its console shows.
 */
export function createDirectShell(settings: Ec2Settings, calls: Ec2Calls): MachineShell {
  const api = new EC2InstanceConnectClient({
    region: settings.region,
    ...(settings.connectEndpoint === null ? {} : { endpoint: settings.connectEndpoint }),
    ...(settings.credentials === null ? {} : { credentials: settings.credentials }),
  });
  const held = new Map<string, Held>();
  const hostKeys = new Map<string, readonly string[]>();

  const drop = (id: string, which?: Held) => {
    const found = held.get(id);
    if (found === undefined || (which !== undefined && found !== which)) return;
    held.delete(id);
    if (found.idle !== null) clearTimeout(found.idle);
    found.client.then(
      (client) => client.end(),
      () => undefined,
    );
  };
  const keysOf = async (machine: Machine) => {
    const known = hostKeys.get(machine.id) ?? consoleHostKeys(await calls.console(machine.id));
    if (known.length === 0) throw new Error("the console does not show the host keys yet");
    hostKeys.set(machine.id, known);
    return known;
  };
  const dial = async (machine: Machine): Promise<Client> => {
    if (machine.privateIp === null) throw new Error("the machine has no address");
    const expected = await keysOf(machine);
    const pair = ssh2.utils.generateKeyPairSync("ed25519");
    await api.send(
      new SendSSHPublicKeyCommand({
        InstanceId: machine.id,
        InstanceOSUser: settings.osUser,
        SSHPublicKey: pair.public,
      }),
    );
    const client = new ssh2.Client();
    await new Promise<void>((resolve, reject) => {
      client.once("ready", resolve);
      client.once("error", reject);
      client.once("close", () => reject(new Error("the connection was closed")));
      client.connect({
        host: machine.privateIp ?? "",
        port: SSH_PORT,
        username: settings.osUser,
        privateKey: pair.private,
        readyTimeout: CONNECT_TIMEOUT_MS,
        keepaliveInterval: KEEPALIVE_MS,
        keepaliveCountMax: 2,
        hostVerifier: (key: Buffer) => expected.includes(key.toString("base64")),
      });
    });
    client.on("error", () => drop(machine.id));
    client.once("close", () => drop(machine.id));
    return client;
  };
  const acquire = (machine: Machine): Held => {
    const found = held.get(machine.id);
    if (found !== undefined) return found;
    const made: Held = { client: dial(machine), users: 0, idle: null };
    held.set(machine.id, made);
    made.client.catch(() => drop(machine.id, made));
    return made;
  };
  return {
    run: async (machine, command) => {
      const mine = acquire(machine);
      if (mine.idle !== null) clearTimeout(mine.idle);
      mine.users += 1;
      try {
        return await execute(await mine.client, command);
      } catch (error) {
        drop(machine.id, mine);
        throw error;
      } finally {
        mine.users -= 1;
        if (mine.users === 0 && held.get(machine.id) === mine) {
          mine.idle = setTimeout(() => drop(machine.id, mine), IDLE_MS).unref();
        }
      }
    },
    forget: (machineId) => drop(machineId),
    close: async () => {
      for (const id of [...held.keys()]) drop(id);
      api.destroy();
    },
  };
}

async function execute(client: Client, command: ShellCommand): Promise<ShellResult> {
  const bound = AbortSignal.any([
    AbortSignal.timeout(command.timeoutMs),
    ...(command.signal === undefined ? [] : [command.signal]),
  ]);
  bound.throwIfAborted();
  const ended = new AbortController();
  const work = new Promise<ShellResult>((resolve, reject) => {
    client.once("close", () => reject(new Error("the connection was closed")));
    client.exec(command.command, (error, channel) => {
      if (error !== undefined) reject(error);
      else collect(channel, command, resolve, reject);
    });
  });
  const late = delay(command.timeoutMs * 2, undefined, {
    signal: AbortSignal.any([bound, ended.signal]),
  }).catch(() => {
    bound.throwIfAborted();
  });
  try {
    return await Promise.race([work, late.then(() => work)]);
  } finally {
    ended.abort();
  }
}

function collect(
  channel: ClientChannel,
  command: ShellCommand,
  resolve: (result: ShellResult) => void,
  reject: (error: Error) => void,
): void {
  const out: Buffer[] = [];
  let bytes = 0;
  let stderr = "";
  let code: number | null = null;
  channel.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT_BYTES) reject(new Error("the machine answers too much"));
    else out.push(chunk);
  });
  channel.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString("utf8")).slice(-4_096);
  });
  channel.on("exit", (status: number | null) => {
    code = status;
  });
  channel.on("close", () => resolve({ code, stdout: Buffer.concat(out), stderr }));
  channel.on("error", reject);
  channel.end(command.stdin);
}
