import { describe, expect, it } from "vitest";
import { isArchiveName, isTaken, recogniseFolder, tooLarge } from "./picked-files.ts";

const picked = (...paths: string[]) => paths.map((path) => ({ path, file: path }));

describe("a folder", () => {
  it("is a team or an agent by the file at its top", () => {
    expect(recogniseFolder(picked("org.yaml", "workspaces/lead/config.yaml")).kind).toBe("team");
    expect(recogniseFolder(picked("config.yaml", "system-prompt.md")).kind).toBe("agent");
    expect(recogniseFolder(picked("readme.md")).kind).toBe("neither");
    expect(recogniseFolder([]).kind).toBe("neither");
  });

  it("loses the one folder around it, and no more", () => {
    const team = recogniseFolder(picked("acme/org.yaml", "acme/lead/notes.md"));
    expect(team).toEqual({
      kind: "team",
      files: [
        { path: "org.yaml", file: "acme/org.yaml" },
        { path: "lead/notes.md", file: "acme/lead/notes.md" },
      ],
    });
    expect(recogniseFolder(picked("a/acme/org.yaml")).kind).toBe("neither");
    expect(recogniseFolder(picked("acme/config.yaml", "other/readme.md")).kind).toBe("neither");
  });

  it("is taken without what is hidden or installed, but with its .env", () => {
    expect(isTaken("acme/org.yaml")).toBe(true);
    expect(isTaken("acme/lead/.env")).toBe(true);
    expect(isTaken("acme/.git/config")).toBe(false);
    expect(isTaken("acme/.DS_Store")).toBe(false);
    expect(isTaken("acme/node_modules/x/index.js")).toBe(false);
  });

  it("that is too large says so, with what to do", () => {
    expect(tooLarge({ files: 500, bytes: 1 })).toBeNull();
    expect(tooLarge({ files: 501, bytes: 1 })).toContain("more than 500 files");
    expect(tooLarge({ files: 1, bytes: 6 * 1_048_576 })).toContain("more than 5 MB");
  });
});

it("an archive is known by its name", () => {
  expect(["a.zip", "a.tar.gz", "A.TGZ"].every(isArchiveName)).toBe(true);
  expect(["a.tar", "zip", "a.yaml"].some(isArchiveName)).toBe(false);
});
