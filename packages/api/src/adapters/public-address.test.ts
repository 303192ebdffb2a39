import { describe, expect, it } from "vitest";
import { chooseAddress, isDialable, parseAgentUrl } from "./public-address.ts";

/** Source: security C3. */
const SPECIAL = [
  ...["0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"],
  ...["169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1"],
  ...["192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1", "192.175.48.1", "198.18.0.1"],
  ...["198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1"],
  ...["255.255.255.255", "168.63.129.16", "::", "::1", "::7f00:1", "::ffff:127.0.0.1"],
  ...["::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1"],
  ...[
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
  ],
  ...["fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "not an address", ""],
];
const PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"];
const resolving = (...addresses: string[]) => ({
  allowCidrs: [],
  resolve: async () => addresses,
});

describe("an address that an agent chose", () => {
  it("is dialled when it is public and never when it is special", () => {
    for (const address of SPECIAL) expect(isDialable(address, []), address).toBe(false);
    for (const address of PUBLIC) expect(isDialable(address, []), address).toBe(true);
  });

  it("is dialled in a network the operator allowed, and in no other", () => {
    expect(isDialable("10.1.2.3", ["10.1.0.0/16"])).toBe(true);
    expect(isDialable("10.2.2.3", ["10.1.0.0/16"])).toBe(false);
    expect(isDialable("::ffff:10.1.2.3", ["10.1.0.0/16"])).toBe(true);
    expect(isDialable("10.1.2.3", ["nonsense"])).toBe(false);
  });

  it("is refused when any address of its name is not public", async () => {
    expect(await chooseAddress("a.example", resolving("8.8.8.8"))).toEqual({ address: "8.8.8.8" });
    const mixed = await chooseAddress("a.example", resolving("8.8.8.8", "127.0.0.1"));
    expect(mixed).toEqual({ refusal: "not_public" });
    expect(await chooseAddress("a.example", resolving())).toEqual({ refusal: "unresolvable" });
  });

  it("is refused by name where the name is local, without asking anybody", async () => {
    const options = {
      allowCidrs: [],
      resolve: async () => {
        throw new Error("must not be asked");
      },
    };
    for (const name of ["localhost", "LOCALHOST.", "a.localhost", "db.internal", "printer.local"]) {
      expect(await chooseAddress(name, options)).toEqual({ refusal: "not_public" });
    }
  });

  it("is read by the url parser alone: other spellings of loopback are loopback", async () => {
    for (const host of ["0177.0.0.1", "2130706433", "0x7f.1", "127.1", "①②⑦.0.0.1", "[::1]"]) {
      const { hostname } = parseAgentUrl(`http://${host}/`);
      expect(await chooseAddress(hostname, resolving("8.8.8.8")), host).toEqual({
        refusal: "not_public",
      });
    }
  });
});
