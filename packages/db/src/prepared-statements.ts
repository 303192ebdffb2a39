import type postgres from "postgres";

/** Shapes kept prepared on each connection. The product has fewer; lists of any length could make more. */
const MAX_PREPARED = 500;
/** Shapes remembered as sent once, before the whole list starts anew. */
const MAX_SEEN = 2_000;

type Client = Pick<postgres.Sql, "unsafe"> & {
  begin?: postgres.Sql["begin"];
  savepoint?: postgres.TransactionSql["savepoint"];
};
// biome-ignore lint/suspicious/noExplicitAny: the driver's overloads have no common type
type Anything = any;

/**
 * Has the statements that come again prepared, once on each connection. Drizzle asks the driver never to
 * prepare, whatever the client is configured with, and then each statement takes two round trips and is
 * planned anew. Source: https://github.com/drizzle-team/drizzle-orm/issues/6096, open as of 0.45.4.
 */
export function prepareRepeated(client: postgres.Sql): void {
  wrap(client, new Shapes());
}

function wrap(client: Client, shapes: Shapes): void {
  const { unsafe, begin, savepoint } = client;
  client.unsafe = ((text: string, parameters?: Anything, options?: Anything) =>
    unsafe(text, parameters ?? [], {
      ...options,
      prepare: options?.prepare === true || shapes.isRepeated(text),
    })) as Anything;
  if (begin !== undefined) client.begin = scoped(begin, shapes);
  if (savepoint !== undefined) client.savepoint = scoped(savepoint, shapes);
}

/** Opens a transaction or savepoint whose own client prepares as well. */
function scoped(open: Anything, shapes: Shapes): Anything {
  return (...args: Anything[]) => {
    const work = args.pop() as (client: Client) => unknown;
    return open(...args, (client: Client) => {
      wrap(client, shapes);
      return work(client);
    });
  };
}

/** Which texts come again; their number is bounded. */
class Shapes {
  readonly #repeated = new Set<string>();
  readonly #seen = new Set<string>();

  /** True from the second time on. */
  isRepeated(text: string): boolean {
    if (this.#repeated.has(text)) return true;
    if (!this.#seen.has(text)) {
      if (this.#seen.size >= MAX_SEEN) this.#seen.clear();
      this.#seen.add(text);
      return false;
    }
    if (this.#repeated.size >= MAX_PREPARED) return false;
    this.#repeated.add(text);
    return true;
  }
}
