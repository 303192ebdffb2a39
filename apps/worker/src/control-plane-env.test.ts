import { expect, it } from "vitest";
import { z } from "zod";
import { chooseBackend } from "./announce.ts";
import { controlPlaneSettings, controlPlaneVariables } from "./control-plane-env.ts";

const read = (env: Record<string, string>) =>
  controlPlaneSettings(z.object(controlPlaneVariables).parse(env));
const PLATFORM = { PUBLIC_URL: "https://molecule.example" };

it("is no backend where no service is named, also by an empty variable", () => {
  expect(read(PLATFORM)).toBeNull();
  expect(read({ ...PLATFORM, CP_PROVISION_URL: " ", MOLECULE_CP_URL: "" })).toBeNull();
});

it("takes the contract's names in the contract's order", () => {
  expect(
    read({
      ...PLATFORM,
      CP_PROVISION_URL: "https://cp.example/",
      MOLECULE_CP_URL: "https://other.example",
      PROVISION_SHARED_SECRET: "second",
      MOLECULE_CP_SHARED_SECRET: "first",
    }),
  ).toMatchObject({
    baseUrl: "https://cp.example",
    platformUrl: "https://molecule.example",
    sharedSecret: "first",
    consoleToken: undefined,
    agentPort: 8_000,
    orgId: null,
  });
  expect(read({ ...PLATFORM, MOLECULE_CP_URL: "http://cp" })?.baseUrl).toBe("http://cp");
  const urls = { PLATFORM_URL: "http://10.0.0.1:8080", EXTERNAL_PLATFORM_URL: "https://e.example" };
  const cp = { MOLECULE_CP_URL: "http://cp" };
  expect(read({ ...PLATFORM, ...urls, ...cp })?.platformUrl).toBe("http://10.0.0.1:8080");
});

it("refuses a service whose machines could not find the platform, and an address that is none", () => {
  expect(() => read({ MOLECULE_CP_URL: "http://cp" })).toThrow("PUBLIC_URL");
  expect(() => read({ ...PLATFORM, MOLECULE_CP_URL: "file:///etc/passwd" })).toThrow();
});

it("is where new workspaces run when there is an organisation, unless another one is wanted", () => {
  const offers = [
    { name: "docker", isAvailable: true, note: "" },
    { name: "control-plane", isAvailable: true, note: "" },
  ] as const;
  expect(chooseBackend({ wanted: "auto", orgId: "org" }, offers)).toBe("control-plane");
  expect(chooseBackend({ wanted: "auto", orgId: null }, offers)).toBe("docker");
  expect(chooseBackend({ wanted: "process", orgId: "org" }, offers)).toBe("process");
  expect(chooseBackend({ wanted: "auto", orgId: "org" }, offers.slice(0, 1))).toBe("docker");
});
