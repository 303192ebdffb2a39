import { DomainError } from "@molecule/domain/errors";
import { LineCounter, parseDocument } from "yaml";

/** Largest YAML file that is read, in bytes. */
export const MAX_YAML_BYTES = 262_144;

/**
 * The mapping that a YAML file is, with JSON values only; an empty file is an empty one.
 * @throws DomainError `bad_request` naming the file and, where there is one, the line.
 */
export function readYamlMapping(file: string, source: string, maxBytes = MAX_YAML_BYTES): unknown {
  if (new TextEncoder().encode(source).length > maxBytes) {
    throw refusedYaml(file, `it is larger than ${maxBytes / 1024} KiB`);
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(source, { lineCounter, prettyErrors: false });
  const error = document.errors[0];
  if (error !== undefined) {
    const { line } = lineCounter.linePos(error.pos[0]);
    throw refusedYaml(file, `line ${line} is not valid YAML`);
  }
  // Aliases are counted by the library: a file that grows a hundredfold when read is refused.
  const value = readDocument(file, () => document.toJS({ maxAliasCount: 100 }));
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw refusedYaml(file, "it must be a list of “key: value” lines");
  }
  // Dates, bigints and other values without a JSON form must not reach the stored document.
  return readDocument(file, () => JSON.parse(JSON.stringify(value)));
}

function readDocument(file: string, read: () => unknown): unknown {
  try {
    return read();
  } catch (cause) {
    throw new DomainError("bad_request", `${file} cannot be read: it refers to itself.`, { cause });
  }
}

/** The refusal of a file, with the reason as the end of a sentence. */
export function refusedYaml(file: string, why: string): DomainError {
  return new DomainError("bad_request", `${file} cannot be read: ${why}.`, {
    next: "Correct the file and save it again.",
  });
}
