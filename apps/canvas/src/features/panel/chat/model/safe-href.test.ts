import { expect, test } from "vitest";
import { safeHref } from "./safe-href.ts";

test.each(["https://a.example/x?y#z", "http://a.example", "mailto:a@b.example"])(
  "%s stays a link",
  (href) => {
    expect(safeHref(href)).toBe(href);
  },
);

test.each([
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  " javascript:alert(1)",
  "java\nscript:alert(1)",
  "data:text/html,x",
  "vbscript:x",
  "file:///etc/passwd",
  "/workspaces/x/restart",
  "//evil.example",
  "x",
  "",
])("%j is no link", (href) => {
  expect(safeHref(href)).toBe("");
});
