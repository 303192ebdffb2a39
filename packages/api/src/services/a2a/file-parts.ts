import { fields, list } from "../../a2a/agent-reply.ts";

/** The JSON-RPC call that carries a message. */
type Body = Readonly<Record<string, unknown>>;

/** A file part of a message. */
export interface NamedFile {
  /** Its place among the parts. */
  readonly at: number;
  readonly uri: string;
  readonly name: string | null;
  readonly mimeType: string | null;
}

/** A file as its receiver has it. */
export interface Copy {
  readonly uri: string;
  readonly mimeType: string | null;
  /** In bytes; null when the receiver did not say. */
  readonly size: number | null;
}

/** The files whose uri is one of the wanted, in their order; of A2A 0.3 and 1.0. */
export function filesIn(body: Body, isWanted: (uri: string) => boolean): readonly NamedFile[] {
  const { parts } = fields(fields(body.params).message);
  return list(parts).flatMap((part, at) => {
    const { file, url, filename, mediaType } = fields(part);
    const { uri, name, mimeType } = fields(file);
    const own = textOf(uri) ?? textOf(url);
    if (own === null || !isWanted(own)) return [];
    return [
      {
        at,
        uri: own,
        name: textOf(name) ?? textOf(filename),
        mimeType: textOf(mimeType) ?? textOf(mediaType),
      },
    ];
  });
}

/** The same call with the copies in place of the files; as many of one as of the other. */
export function withCopies(body: Body, found: readonly NamedFile[], copies: readonly Copy[]): Body {
  const params = fields(body.params);
  const message = fields(params.message);
  const parts = list(message.parts).map((part, at) => {
    const index = found.findIndex((file) => file.at === at);
    const copy = copies[index];
    return copy === undefined ? part : withCopy(fields(part), copy);
  });
  return { ...body, params: { ...params, message: { ...message, parts } } };
}

function withCopy(part: Body, copy: Copy): Body {
  if (textOf(part.url) !== null) return { ...part, url: copy.uri };
  const file = fields(part.file);
  return {
    ...part,
    file: {
      ...file,
      uri: copy.uri,
      ...(file.mimeType === undefined && copy.mimeType !== null ? { mimeType: copy.mimeType } : {}),
      ...(copy.size === null ? {} : { size: copy.size }),
    },
  };
}

/** A text with something in it; null for everything else. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
