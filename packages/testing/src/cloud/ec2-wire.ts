/** A request of the EC2 query protocol as a tree: `Filter.1.Value.2=x` is `Filter[0].Value[1]`. */
export type Params = { readonly [name: string]: ParamValue };
export type ParamValue = string | Params | readonly ParamValue[];

/** What an answer is made of; an array becomes a list of `<item>`, what is undefined is left out. */
export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue };

/** An error as the API words it. */
export class Ec2Fault extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string) {
    super(message);
    this.name = "Ec2Fault";
    this.code = code;
    this.status = STATUS_OF[code] ?? 400;
  }
}

/** Source: EC2 API, error codes; everything else is 400. */
const STATUS_OF: Readonly<Record<string, number>> = {
  RequestLimitExceeded: 503,
  InsufficientInstanceCapacity: 500,
  InternalError: 500,
  Unavailable: 503,
  AuthFailure: 401,
  UnauthorizedOperation: 403,
};

interface Growing {
  [name: string]: string | Growing;
}

/** The parameters of a form body; list positions need not be in order. */
export function parseParams(body: string): Params {
  const root: Growing = {};
  for (const [name, value] of new URLSearchParams(body)) {
    const steps = name.split(".");
    const last = steps.pop() ?? "";
    let at = root;
    for (const step of steps) {
      const next = at[step];
      const inner: Growing = typeof next === "object" ? next : {};
      at[step] = inner;
      at = inner;
    }
    at[last] = value;
  }
  return settled(root) as Params;
}

function settled(value: string | Growing): ParamValue {
  if (typeof value === "string") return value;
  const names = Object.keys(value);
  if (names.length > 0 && names.every((name) => /^\d+$/.test(name))) {
    return names
      .sort((a, b) => Number(a) - Number(b))
      .map((name) => settled(value[name] as string | Growing));
  }
  return Object.fromEntries(names.map((name) => [name, settled(value[name] as string | Growing)]));
}

/** The text at a path of names; undefined where there is none. */
export function textAt(params: ParamValue | undefined, ...path: readonly string[]) {
  let at: ParamValue | undefined = params;
  for (const name of path) {
    if (at === undefined || typeof at === "string" || Array.isArray(at)) return undefined;
    at = (at as Params)[name];
  }
  return typeof at === "string" ? at : undefined;
}

/** The list of a name; empty where there is none. */
export function listAt(params: ParamValue | undefined, name: string): readonly ParamValue[] {
  if (params === undefined || typeof params === "string" || Array.isArray(params)) return [];
  const found = (params as Params)[name];
  return Array.isArray(found) ? found : [];
}

/** Those of a list that are texts. */
export function textsAt(params: ParamValue | undefined, name: string): readonly string[] {
  return listAt(params, name).filter((one) => typeof one === "string");
}

/** The answer of one action. */
export function answerXml(action: string, requestId: string, body: XmlValue): string {
  const inner = xmlOf(body);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>${requestId}</requestId>${inner}</${action}Response>`;
}

/** What a failed call is answered with. */
export function faultXml(fault: Ec2Fault, requestId: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>${escaped(fault.code)}</Code><Message>${escaped(fault.message)}</Message></Error></Errors><RequestID>${requestId}</RequestID></Response>`;
}

function xmlOf(value: XmlValue): string {
  if (value === undefined) return "";
  if (typeof value !== "object") return escaped(String(value));
  if (Array.isArray(value)) return value.map((one) => `<item>${xmlOf(one)}</item>`).join("");
  return Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .map(([name, inner]) => `<${name}>${xmlOf(inner)}</${name}>`)
    .join("");
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
