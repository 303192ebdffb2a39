import { type SQL, sql } from "drizzle-orm";
import { INBOUND_KEY } from "./inbound-secret.ts";
import { GLOBAL_SCOPE } from "./secret-store.ts";

/** A column of sealed records, with the place that each of them was sealed for. */
export interface SealedColumn {
  readonly table: string;
  readonly record: string;
  /** Column of the record's version; null where every record is of the present one. */
  readonly version: string | null;
  readonly scope: SQL;
  readonly key: SQL;
  /** The rows of one place. */
  readonly at: (scope: string, key: string) => SQL;
}

const byWorkspaceAndKey = (scope: string, key: string) =>
  sql`workspace_id = ${scope}::uuid AND key = ${key}`;

/** Every column that a rotation of the key goes through; a test compares them with the schema. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  {
    table: "global_secrets",
    record: "record",
    version: "encryption_version",
    scope: sql`${sql.raw(`'${GLOBAL_SCOPE}'`)}`,
    key: sql`key`,
    at: (_scope, key) => sql`key = ${key}`,
  },
  {
    table: "global_secret_versions",
    record: "record",
    version: "encryption_version",
    scope: sql`${sql.raw(`'${GLOBAL_SCOPE}'`)}`,
    key: sql`key`,
    at: (_scope, key) => sql`key = ${key}`,
  },
  {
    table: "workspace_secrets",
    record: "record",
    version: "encryption_version",
    scope: sql`workspace_id::text`,
    key: sql`key`,
    at: byWorkspaceAndKey,
  },
  {
    table: "workspace_secret_versions",
    record: "record",
    version: "encryption_version",
    scope: sql`workspace_id::text`,
    key: sql`key`,
    at: byWorkspaceAndKey,
  },
  {
    table: "workspaces",
    record: "inbound_secret",
    version: null,
    scope: sql`id::text`,
    key: sql`${sql.raw(`'${INBOUND_KEY}'`)}`,
    at: (scope) => sql`id = ${scope}::uuid`,
  },
];
