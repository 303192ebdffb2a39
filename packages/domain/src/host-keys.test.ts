import { describe, expect, it } from "vitest";
import { hostKeysOnConsole, judgeHostKey } from "./host-keys.ts";

const ONE = { type: "ssh-ed25519", sha256: "aaa" };

describe("the key of a machine", () => {
  it("TU14 is accepted when it is the pinned one, pinned when none is known, else refused", () => {
    expect(judgeHostKey(ONE, ONE)).toBe("accept");
    expect(judgeHostKey(null, ONE)).toBe("pin");
    expect(judgeHostKey(ONE, { ...ONE, sha256: "bbb" })).toBe("mismatch");
    expect(judgeHostKey(ONE, { ...ONE, type: "ssh-rsa" })).toBe("mismatch");
  });

  it("TU14 is read from the console, where the last block counts", () => {
    const text = [
      "ci-info: no authorized keys",
      "-----BEGIN SSH HOST KEY KEYS-----",
      "ssh-ed25519 OLD= root@ip",
      "-----END SSH HOST KEY KEYS-----",
      "[   12.3] boot",
      "-----BEGIN SSH HOST KEY KEYS-----\r",
      "ecdsa-sha2-nistp256 AAAAE2= root@ip-10-0-0-5\r",
      "[   14.1] cloud-init[9]: ssh-ed25519 AAAAC3Nz root@ip-10-0-0-5\r",
      "not-a-type AAAA\r",
      "-----END SSH HOST KEY KEYS-----\r",
    ].join("\n");
    expect(hostKeysOnConsole(text)).toEqual([
      { type: "ecdsa-sha2-nistp256", data: "AAAAE2=" },
      { type: "ssh-ed25519", data: "AAAAC3Nz" },
    ]);
  });

  it.each(["", "no keys", "-----BEGIN SSH HOST KEY KEYS-----\nssh-ed25519 AAAA"])(
    "TU14 is not known from %j",
    (text) => {
      expect(hostKeysOnConsole(text)).toEqual([]);
    },
  );
});
