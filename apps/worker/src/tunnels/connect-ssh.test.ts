import { expect, it } from "vitest";
import { newKeyPair } from "./connect-ssh.ts";

it("every key pair is whole, also one that begins with zeros", () => {
  const lengths = Array.from({ length: 2_000 }, () => {
    const [, data = ""] = newKeyPair().publicKey.split(" ");
    return Buffer.from(data, "base64").length;
  });
  expect(new Set(lengths)).toEqual(new Set([51]));
});
