import { expect, it } from "vitest";
import { keptFileOf, keptFileUri } from "./kept-files.ts";

const file = {
  workspaceId: "11111111-1111-4111-8111-111111111111",
  fileId: "22222222-2222-4222-8222-222222222222",
};

it("KF1: a kept file is named by a path below the platform, and nothing else is taken for one", () => {
  const uri = keptFileUri(file);
  expect(uri).toBe(`platform:/workspaces/${file.workspaceId}/chat/uploads/${file.fileId}`);
  expect(keptFileOf(uri)).toEqual(file);
  for (const other of [
    `${uri}/x`,
    `${uri}?a=b`,
    uri.replace("platform:", "https://evil.example"),
    uri.replace("platform:", "platform://evil.example"),
    uri.replace(file.workspaceId, ".."),
    uri.replace(file.fileId, "../../../registry"),
    "workspace:/workspace/a.txt",
    "",
  ]) {
    expect(keptFileOf(other), other).toBeNull();
  }
});
