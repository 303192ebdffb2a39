import { spawn } from "node:child_process";
import { once } from "node:events";
import { isIPv4 } from "node:net";

/** What containers of one platform may reach on this machine. */
export interface FirewallRules {
  readonly bridge: string;
  readonly gateway: string;
  readonly platformPort: number;
}

/** Cloud metadata and every other link-local service. */
const LINK_LOCAL = "169.254.0.0/16";
/** The engine's own chain for rules that come before its forwarding. Source: Docker packet filtering. */
const FORWARD_HOOK = "DOCKER-USER";
const DEADLINE_MS = 5_000;

/**
 * Containers on the bridge reach the platform's port on the gateway and nothing else on this
 * machine, and no link-local address. Applied again it changes nothing.
 * @returns false when this machine does not let us: not root, no iptables, or it refused.
 */
export async function applyFirewall(rules: FirewallRules): Promise<boolean> {
  if (process.getuid?.() !== 0 || !isIPv4(rules.gateway)) return false;
  const suffix = rules.bridge.replace(/^br-mol-/, "");
  const hostChain = `MOLECULE-${suffix}`;
  const outChain = `MOLECULE-OUT-${suffix}`;
  // One atomic load: declaring a chain empties it, so there is no moment without the rules.
  const table = [
    "*filter",
    `:${hostChain} - [0:0]`,
    `:${outChain} - [0:0]`,
    `-A ${hostChain} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`,
    `-A ${hostChain} -d ${rules.gateway} -p tcp --dport ${rules.platformPort} -j ACCEPT`,
    `-A ${hostChain} -j REJECT`,
    `-A ${outChain} -d ${LINK_LOCAL} -j REJECT`,
    "COMMIT",
    "",
  ].join("\n");
  try {
    if (!(await run("iptables-restore", ["--noflush", "--wait"], table))) return false;
    return (
      (await hook("INPUT", rules.bridge, hostChain)) &&
      (await hook(FORWARD_HOOK, rules.bridge, outChain))
    );
  } catch {
    return false;
  }
}

/** The platform's rules and chains are gone. Where they cannot have been set, nothing happens. */
export async function removeFirewall(bridge: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const suffix = bridge.replace(/^br-mol-/, "");
  for (const [from, chain] of [
    ["INPUT", `MOLECULE-${suffix}`],
    [FORWARD_HOOK, `MOLECULE-OUT-${suffix}`],
  ] as const) {
    for (const args of [
      ["-D", from, "-i", bridge, "-j", chain],
      ["-F", chain],
      ["-X", chain],
    ]) {
      await run("iptables", ["-w", ...args]).catch(() => false);
    }
  }
}

async function hook(from: string, bridge: string, chain: string): Promise<boolean> {
  const rule = ["-i", bridge, "-j", chain];
  if (await run("iptables", ["-w", "-C", from, ...rule])) return true;
  return run("iptables", ["-w", "-I", from, "1", ...rule]);
}

async function run(command: string, args: readonly string[], input = ""): Promise<boolean> {
  const child = spawn(command, args, {
    stdio: ["pipe", "ignore", "ignore"],
    timeout: DEADLINE_MS,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const [code] = await once(child, "close");
  return code === 0;
}
