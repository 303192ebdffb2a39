import { fillPlaceholders, type Query, type SQL } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";

const dialect = new PgDialect();

/**
 * A statement whose text never changes: it is put together once instead of at each call, which for the
 * statements of every message costs more than sending them. `values` fill its `sql.placeholder(name)`s.
 */
export function fixedStatement<Values extends Readonly<Record<string, unknown>>>(
  statement: SQL<unknown>,
): (values: Values) => SQL<unknown> {
  let built: Query | undefined;
  return (values) => {
    built ??= dialect.sqlToQuery(statement);
    const query: Query = { ...built, params: fillPlaceholders(built.params, values) };
    // All that drizzle asks of what it executes; it puts nothing together any more.
    const made = { getSQL: () => made, toQuery: () => query };
    return made as unknown as SQL<unknown>;
  };
}
