import { expect, it } from "vitest";
import { byteRangeOf } from "./byte-range.ts";

const part = (first: number, last: number) => ({ kind: "part", first, last });
const whole = { kind: "whole" };
const unsatisfiable = { kind: "unsatisfiable" };

it.each([
  [null, 10, whole],
  ["", 10, whole],
  ["bytes=0-0", 10, part(0, 0)],
  ["bytes=2-5", 10, part(2, 5)],
  ["bytes=2-", 10, part(2, 9)],
  ["bytes=2-99", 10, part(2, 9)],
  ["bytes=-3", 10, part(7, 9)],
  ["bytes=-99", 10, part(0, 9)],
  ["bytes=-0", 10, unsatisfiable],
  ["bytes=10-", 10, unsatisfiable],
  ["bytes=10-12", 10, unsatisfiable],
  ["bytes=0-", 0, unsatisfiable],
  ["bytes=-1", 0, unsatisfiable],
  ["bytes=5-2", 10, whole],
  ["bytes=0-1,3-4", 10, whole],
  ["bytes=-", 10, whole],
  ["bytes=a-b", 10, whole],
  ["lines=0-1", 10, whole],
  ["bytes=99999999999999999999-", 10, whole],
])("KF5: %s of %i bytes", (header, size, expected) => {
  expect(byteRangeOf(header, size)).toEqual(expected);
});
