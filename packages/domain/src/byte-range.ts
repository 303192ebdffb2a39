/** Which bytes of a file are wanted; `first` and `last` are both among them. */
export type ByteRange =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly first: number; readonly last: number }
  | { readonly kind: "unsatisfiable" };

/**
 * What a `Range` header asks for of a file of `size` bytes. Several ranges, other units and nonsense are
 * no reason to refuse: the whole file is the answer. SPEC: KF5. Source: RFC 9110 §14.
 */
export function byteRangeOf(header: string | null, size: number): ByteRange {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? [];
  if (from === undefined || to === undefined || (from === "" && to === "")) {
    return { kind: "whole" };
  }
  if (from === "") {
    const wanted = Math.min(Number(to), size);
    return wanted === 0
      ? { kind: "unsatisfiable" }
      : { kind: "part", first: size - wanted, last: size - 1 };
  }
  const first = Number(from);
  if (to !== "" && Number(to) < first) return { kind: "whole" };
  if (first >= size) return { kind: "unsatisfiable" };
  const last = to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return { kind: "part", first, last };
}
