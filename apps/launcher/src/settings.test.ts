import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { claimPort, originOf, readSettings } from "./settings.mjs";

describe("settings", () => {
  test("an empty variable counts as absent", () => {
    const settings = readSettings({ PORT: "", DATABASE_URL: "", ADMIN_TOKEN: "", HOST: "" });
    expect(settings).toMatchObject({ port: 8080, host: "127.0.0.1", backend: "auto" });
    expect(settings.databaseUrl).toBeUndefined();
    expect(settings.adminToken).toBeUndefined();
  });

  test.each([
    [{ PORT: "70000" }, "PORT=70000"],
    [{ PORT: "http" }, "PORT=http"],
    [{ MOLECULE_BACKEND: "podman" }, "MOLECULE_BACKEND=podman"],
    [{ PUBLIC_URL: "molecule.example.org" }, "PUBLIC_URL=molecule.example.org"],
    [{ PUBLIC_URL: "https://example.org/molecule" }, "PUBLIC_URL"],
  ])("names the variable that cannot be used: %o", (env, words) => {
    expect(() => readSettings(env)).toThrow(words);
  });

  test.each([
    [{}, "http://127.0.0.1:8080"],
    [{ HOST: "0.0.0.0" }, "http://127.0.0.1:8080"],
    [{ HOST: "::1" }, "http://[::1]:8080"],
    [{ PUBLIC_URL: "https://molecule.example.org/" }, "https://molecule.example.org"],
  ])("gives an origin that a browser can open for %o", (env, origin) => {
    expect(originOf(readSettings(env), 8080)).toBe(origin);
  });

  test("refuses a port that is taken and names a way out", async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, "127.0.0.1", () => {
        const address = other.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    await expect(claimPort("127.0.0.1", port)).rejects.toMatchObject({
      message: `Port ${port} on 127.0.0.1 is taken by another program.`,
      next: expect.stringContaining(`PORT=${port + 1} npm start`),
    });
    await new Promise((resolve) => other.close(resolve));
    await expect(claimPort("127.0.0.1", port)).resolves.toBe(port);
  });
});
