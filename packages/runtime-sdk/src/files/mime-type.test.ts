import { describe, expect, it } from "vitest";
import { mimeTypeOf, mimeTypeOfContent } from "./mime-type.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const PNG = bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0);
const ZIP = bytes(0x50, 0x4b, 0x03, 0x04, 0);
const TEXT = new TextEncoder().encode("grüß Gott");

describe("the media type of a file", () => {
  it.each([
    ["picture.png", PNG, "image/png"],
    ["really-a-picture.txt", PNG, "image/png"],
    ["no-extension", PNG, "image/png"],
    ["letter.docx", ZIP, mimeTypeOf("a.docx")],
    ["parcel", ZIP, "application/zip"],
    ["notes.md", TEXT, "text/markdown"],
    ["README", TEXT, "text/plain"],
    ["unknown.qqq", bytes(1, 0, 2), "application/octet-stream"],
    ["broken", bytes(0xff, 0xfe, 0x41), "application/octet-stream"],
    ["empty", bytes(), "text/plain"],
  ])("%s is told from content and name", (name, content, expected) => {
    expect(mimeTypeOfContent(name, content)).toBe(expected);
  });
});
