import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { listLocalPlugins, readLocalPlugin } from "./local-plugins.ts";

const SHIPPED = path.resolve(import.meta.dirname, "../../plugins-data");
const BY_HAND =
  "find . -type f -not -path '*/.*' | sed 's|^./||' | LC_ALL=C sort | xargs sha256sum | sha256sum";

describe("the plugins that are shipped", () => {
  it("PL6: can all be installed", async () => {
    const found = await listLocalPlugins(SHIPPED);
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter(({ kind }) => kind === "broken")).toEqual([]);
  });

  it("PL6: have the checksum that anybody can reckon", async () => {
    const wanted = { name: "house-style", source: "local://house-style", maxBytes: 100_000 };
    const content = await readLocalPlugin(SHIPPED, wanted);
    const cwd = path.join(SHIPPED, "house-style");
    const { stdout } = await promisify(execFile)("sh", ["-c", BY_HAND], { cwd });
    expect(content?.plugin).toMatchObject({ files: 3, sha256: stdout.slice(0, 64) });
    expect(await readLocalPlugin(SHIPPED, { ...wanted, name: "none" })).toBeNull();
    expect(await listLocalPlugins(path.join(SHIPPED, "nowhere"))).toEqual([]);
  });
});
