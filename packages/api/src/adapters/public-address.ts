import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { DomainError } from "@molecule/domain/errors";
import ipaddr from "ipaddr.js";

/** Why an address that an agent chose is not dialled. */
export type AddressRefusal = "not_public" | "unresolvable" | "malformed";

/** Resolves a name to all of its addresses. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** All addresses of a name, by the system's resolver. */
export const resolveAll: Resolve = async (hostname) => {
  const found = await lookup(hostname, { all: true, verbatim: true });
  return found.map((entry) => entry.address);
};

/** A range the library calls unicast and which is not for us: Azure's wire server. */
const ALSO_REFUSED = ["168.63.129.16/32"];
/** What of IPv6 is handed out at all (RFC 4291); overlay networks live in the rest. */
const GLOBAL_IPV6 = ["2000::/3"];
const LOCAL_NAMES = /(^|\.)(localhost|internal|local|localdomain|home\.arpa)$/;

/** True when the address is on the public internet, or in a network the operator allowed. */
export function isDialable(address: string, allowCidrs: readonly string[]): boolean {
  // What is not an address for the system as well would be looked up again when it is dialled.
  if (isIP(address) === 0 || address.includes("%")) return false;
  const ip = ipaddr.process(address);
  if (isIn(ip, allowCidrs)) return true;
  if (ip.kind() === "ipv6" && !isIn(ip, GLOBAL_IPV6)) return false;
  return ip.range() === "unicast" && !isIn(ip, ALSO_REFUSED);
}

function isIn(ip: ipaddr.IPv4 | ipaddr.IPv6, cidrs: readonly string[]): boolean {
  return cidrs.some((cidr) => {
    const range = rangeOf(cidr);
    if (range === null) return false;
    const [network, bits] = range;
    return network.kind() === ip.kind() && ip.match(network, bits);
  });
}

/** The few ranges of this platform, read once: every connection is judged by them. */
const ranges = new Map<string, ReturnType<typeof ipaddr.parseCIDR> | null>();

function rangeOf(cidr: string) {
  let range = ranges.get(cidr);
  if (range === undefined) {
    range = ipaddr.isValidCIDR(cidr) ? ipaddr.parseCIDR(cidr) : null;
    ranges.set(cidr, range);
  }
  return range;
}

/** An address to dial, or why none. Every address of the name must be allowed; the first is dialled. */
export async function chooseAddress(
  hostname: string,
  options: { readonly allowCidrs: readonly string[]; readonly resolve: Resolve },
): Promise<{ readonly address: string } | { readonly refusal: AddressRefusal }> {
  const host = hostname
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.+$/, "")
    .toLowerCase();
  if (ipaddr.isValid(host)) {
    return isDialable(host, options.allowCidrs) ? { address: host } : { refusal: "not_public" };
  }
  if (LOCAL_NAMES.test(host)) return { refusal: "not_public" };
  const addresses = await options.resolve(host).catch(() => []);
  const [first] = addresses;
  if (first === undefined) return { refusal: "unresolvable" };
  const isAllowed = addresses.every((address) => isDialable(address, options.allowCidrs));
  return isAllowed ? { address: first } : { refusal: "not_public" };
}

/** The url of an external agent. @throws DomainError `bad_request` with what is wrong with it. */
export function parseAgentUrl(text: string): URL {
  const refuse = (why: string) => new DomainError("bad_request", `The url cannot be used: ${why}.`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refuse("it is not a url");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw refuse("it must be http or https");
  if (url.username !== "" || url.password !== "") throw refuse("it contains a name or a password");
  const port = url.port === "" ? null : Number(url.port);
  if (port !== null && port !== 80 && port !== 443 && port < 1024) {
    throw refuse("its port is not 80, 443 or above 1023");
  }
  return url;
}

/**
 * Checks a url that an agent registers: form, name and every address.
 * @throws DomainError `bad_request`.
 */
export async function checkAgentUrl(
  text: string,
  options: { readonly allowCidrs: readonly string[]; readonly resolve: Resolve },
): Promise<void> {
  const url = parseAgentUrl(text);
  const chosen = await chooseAddress(url.hostname, options);
  if ("address" in chosen) return;
  throw new DomainError(
    "bad_request",
    chosen.refusal === "unresolvable"
      ? "The url cannot be used: its name does not resolve."
      : "The url cannot be used: it is not a public address.",
    {
      next: "Use a public address, set MOLECULE_ALLOW_CIDRS on the platform, or register with delivery_mode “poll”.",
    },
  );
}
