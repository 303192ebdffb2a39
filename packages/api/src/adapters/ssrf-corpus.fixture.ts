/**
 * Urls that an agent may choose and nobody may dial. Source: security C3.
 * The port of each is the trap's, so that one that is dialled after all is counted.
 */
export interface SsrfCase {
  readonly name: string;
  readonly url: string;
  /** What the name resolves to; absent: nobody has to ask. */
  readonly answers?: readonly string[];
}

/** Both ends of every range that is not the public internet, and what is known inside of it. */
export const SPECIAL_IPV4: readonly string[] = [
  ...["0.0.0.0", "0.0.0.1", "0.255.255.255", "10.0.0.0", "10.0.0.1", "10.255.255.255"],
  ...["100.64.0.0", "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.1.2.3"],
  ...["127.255.255.254", "169.254.0.1", "169.254.169.254", "169.254.170.2", "169.254.255.255"],
  ...["172.16.0.0", "172.17.0.1", "172.31.255.255", "192.0.0.0", "192.0.0.192", "192.0.2.1"],
  ...["192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1", "192.168.255.255"],
  ...["192.175.48.1", "198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.255"],
  ...["224.0.0.1", "239.255.255.255", "240.0.0.0", "255.255.255.254", "255.255.255.255"],
  "168.63.129.16",
];
export const SPECIAL_IPV6: readonly string[] = [
  ...["::", "::1", "::2", "::7f00:1", "::127.0.0.1", "::10.0.0.1", "::ffff:127.0.0.1"],
  ...["::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::ffff:168.63.129.16"],
  ...["::ffff:0:127.0.0.1", "::ffff:0:7f00:1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe"],
  ...["64:ff9b::8.8.8.8", "64:ff9b:1::1", "64:ff9b:1:ffff::7f00:1", "100::", "100::1"],
  ...["100:0:0:1::1", "200::1", "2fe:1::1", "300::1", "400::1", "1000::1", "1fff::1"],
  ...["2001::1", "2001:0:7f00:1::", "2001:1::1", "2001:2::1", "2001:3::1", "2001:4:112::1"],
  ...["2001:10::1", "2001:1f::1", "2001:20::1", "2001:2f::1", "2001:30::1", "2001:db8::1"],
  ...["2002::1", "2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::", "2620:4f:8000::1"],
  ...["3fff::1", "3fff:fff::1", "4000::1", "5f00::1", "8000::1", "e000::1", "fbff::1"],
  ...["fc00::1", "fd00::1", "fd00:ec2::254", "fdff:ffff::1", "fe00::1", "fe80::1"],
  ...["fe80::7f00:1", "febf::1", "fec0::1", "feff::1", "ff01::1", "ff02::1", "ff05::2", "ffff::1"],
];

/** The first address a public resolver could give. */
export const PUBLIC_ADDRESS = "8.8.8.8";

/** Every way to write an IPv4 address that some parser takes for it. */
function spellingsOf(address: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  const all = ((a * 256 + b) * 256 + c) * 256 + d;
  const hex = (n: number) => `0x${n.toString(16)}`;
  const octal = (n: number) => `0${n.toString(8)}`;
  const wide = (text: string) =>
    text.replace(/[0-9.]/g, (one) => String.fromCodePoint((one.codePointAt(0) ?? 0) + 0xfee0));
  const circled = (text: string) =>
    text.replace(/[0-9]/g, (one) =>
      one === "0" ? "⓪" : String.fromCodePoint(0x2460 + Number(one) - 1),
    );
  return [
    address,
    `${address}.`,
    String(all),
    hex(all),
    hex(all).toUpperCase(),
    `0x${all.toString(16).padStart(12, "0")}`,
    octal(all),
    `00${all.toString(8)}`,
    `${a}.${(b * 256 + c) * 256 + d}`,
    `${a}.${b}.${c * 256 + d}`,
    [a, b, c, d].map(hex).join("."),
    [a, b, c, d].map((n) => `0x${n.toString(16).padStart(4, "0")}`).join("."),
    [a, b, c, d].map(octal).join("."),
    [a, b, c, d].map((n) => `000${n.toString(8)}`).join("."),
    `${octal(a)}.${b}.${hex(c)}.${d}`,
    `${hex(a)}.${octal(b)}.${c * 256 + d}`,
    `${hex(a)}.${hex((b * 256 + c) * 256 + d)}`,
    wide(address),
    circled(address),
    address.replaceAll(".", "。"),
    address.replaceAll(".", "%2e"),
    address.replace(/\d/g, (one) => `%3${one}`),
    address.replace(".", "．").replace(".", "｡"),
    address.replace(".", "\u00ad."),
    `[::ffff:${address}]`,
    `[::ffff:${hex(a * 256 + b).slice(2)}:${hex(c * 256 + d).slice(2)}]`,
    `[0:0:0:0:0:ffff:${address}]`,
    `[0000:0000:0000:0000:0000:FFFF:${address}]`,
    `[::${address}]`,
    `[64:ff9b::${address}]`,
    `[2002:${hex(a * 256 + b).slice(2)}:${hex(c * 256 + d).slice(2)}::]`,
  ];
}

/** Names that never leave the machine or its network; nobody asks a resolver about them. */
const LOCAL_NAMES: readonly string[] = [
  ...["localhost", "LOCALHOST", "localhost.", "localhost..", "a.localhost", "a.b.localhost."],
  ...["ｌｏｃａｌｈｏｓｔ", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "local%68ost", "localhost.localdomain", "printer.local"],
  ...["metadata.google.internal", "METADATA.google.internal.", "instance-data.ec2.internal"],
  ...["host.docker.internal", "gateway.docker.internal", "vault.internal", "router.home.arpa"],
  ...["kubernetes.default.svc.cluster.local", "consul.service.internal"],
];

/** Names of clouds and of this machine that a resolver does answer, with what it answers. */
const KNOWN_NAMES: readonly (readonly [string, string])[] = [
  ["instance-data", "169.254.169.254"],
  ["metadata", "169.254.169.254"],
  ["rancher-metadata", "169.254.169.250"],
  ["kubernetes.default.svc", "10.96.0.1"],
  ["postgres", "172.18.0.2"],
  ["redis", "172.18.0.3"],
  ["ip6-localhost", "::1"],
  ["localtest.me", "127.0.0.1"],
  ["127.0.0.1.nip.io", "127.0.0.1"],
  ["169-254-169-254.sslip.io", "169.254.169.254"],
  ["a.127.0.0.1..example", "127.0.0.1"],
  ["xn--nxasmq6b.example", "10.1.2.3"],
];

/** The whole corpus; `port` is the trap's. */
export function ssrfCorpus(port: number): readonly SsrfCase[] {
  const cases: SsrfCase[] = [];
  const add = (name: string, host: string, answers?: readonly string[]) => {
    const url = `http://${host}:${port}/`;
    cases.push({ name: `${name}: ${host}`, url, ...(answers === undefined ? {} : { answers }) });
  };
  for (const address of SPECIAL_IPV4) add("literal", address);
  for (const address of SPECIAL_IPV6) add("literal", `[${address}]`);
  for (const address of ["127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.1.1"]) {
    for (const host of spellingsOf(address)) add("spelling", host);
  }
  for (const host of ["127.1", "127.0.1", "0", "0x0", "00", "0.0", "1", "10.1", "172.16.1"]) {
    add("short", host);
  }
  for (const zone of ["%eth0", "%25eth0", "%1", "%25lo", "%2525lo"]) {
    for (const address of ["fe80::1", "::1", "ff02::1"]) add("zone", `[${address}${zone}]`);
  }
  for (const host of LOCAL_NAMES) add("local name", host);
  for (const [host, answer] of KNOWN_NAMES) add("known name", host, [answer]);
  for (const [at, address] of [...SPECIAL_IPV4, ...SPECIAL_IPV6].entries()) {
    add(`record ${address}`, `record-${at}.example`, [address]);
    add(`mixed ${address}`, `mixed-${at}.example`, [PUBLIC_ADDRESS, address, "1.1.1.1"]);
  }
  for (const zone of ["fe80::1%eth0", "::1%lo", "2606:4700:4700::1111%1"]) {
    add("record with a zone", "zone.example", [zone]);
  }
  for (const odd of ["", "nonsense", "8.8.8.8:80", "8.8.8", "127.1", "0x7f.1", "8.8.8.8/32"]) {
    add(`odd record “${odd}”`, "odd.example", [odd]);
  }
  add("no record", "nowhere.example", []);
  const all = [...cases, ...wholeUrls(port)];
  return [...new Map(all.map((one) => [one.name, one])).values()];
}

function wholeUrls(port: number): SsrfCase[] {
  const trap = `127.0.0.1:${port}`;
  const urls = [
    `http://user@${trap}/`,
    `http://user:password@${trap}/`,
    `http://8.8.8.8@${trap}/`,
    `http://8.8.8.8:80@${trap}/`,
    `http://8.8.8.8%40${trap}/`,
    `http://8.8.8.8%00@${trap}/`,
    `http://a:b@8.8.8.8@${trap}/`,
    `http://:@${trap}/`,
    `http://${trap}#@8.8.8.8/`,
    `http://${trap}?@8.8.8.8/`,
    `http://${trap}\\@8.8.8.8/`,
    `http:\\\\${trap}\\`,
    `http:/${trap}/`,
    `http:${trap}/`,
    `http:////${trap}/`,
    ` http://${trap}/ `,
    `ht\ntp://127.0.0\t.1:${port}/`,
    `HTTP://${trap}/`,
    `http://127.0.0.1:0${port}/`,
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    `https://${trap}/`,
    "https://[::1]/",
    ...["22", "25", "53", "81", "110", "389", "445", "993", "0", "65536", "-1", "0x50"].map(
      (other) => `http://8.8.8.8:${other}/`,
    ),
    ...[
      ...["ftp", "ftps", "file", "gopher", "dict", "ldap", "ldaps", "tftp", "sftp", "ssh"],
      ...["ws", "wss", "unix", "jar", "netdoc", "php", "data", "blob", "javascript", "about"],
      ...["view-source", "http+unix", "mailto", "telnet", "smb", "redis", "postgres", "httpx"],
    ].map((scheme) => `${scheme}://${trap}/`),
    "file:///etc/passwd",
    "data:text/plain,hello",
    "javascript:fetch('/')",
    "about:blank",
    `//${trap}/`,
    `/${trap}`,
    trap,
    "",
    "http://",
    "http:///",
    "http://[",
    "http://[::1",
    "http://::1/",
    "http://[::1]]/",
    "http://[127.0.0.1]/",
    "http://[::ffff:127.0.0.1.1]/",
    "http://256.256.256.256/",
    "http://127.0.0.0.1/",
    "http://127.0.0.1.1/",
    "http://4294967296/",
    "http://0x100000000/",
    "http://09.0.0.1/",
    "http://a b/",
    "http://a%00b/",
    "http://%/",
    "http://xn--a/",
    "http://\u202e8.8.8.8/",
  ];
  return urls.map((url) => ({ name: `url ${JSON.stringify(url)}`, url }));
}
