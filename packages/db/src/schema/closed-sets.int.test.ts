import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import * as sets from "@molecule/domain/sets";
import { BACKENDS, HEALTHS, INTENTS, PHASES, WORKSPACE_STATUSES } from "@molecule/domain/sets";
import { statusOf } from "@molecule/domain/status-of";
import { createTestDatabase } from "@molecule/testing/database";
import { isPgEnum } from "drizzle-orm/pg-core";
import { describe, expect, it } from "vitest";
import * as enums from "./enums.ts";

const CONFIG = {
  model: null,
  provider: null,
  instructions: "",
  description: "",
  requiredEnv: [],
  starterPrompts: [],
  extra: {},
};
/** Sets that no column stores. */
const NOT_STORED = [
  "OPEN_PHASES",
  "FILE_ROOTS",
  "POSTABLE_ACTIVITY_TYPES",
  "SWEEP_ACTIONS",
  "ORG_NODE_ACTIONS",
  "ORG_NODE_STARTS",
  "TUNNEL_FAULTS",
  "FILE_FAULTS",
  "TUNNEL_COUNTS",
];

describe("the closed sets", () => {
  it("are the enums of the migrated database, both ways", async () => {
    await using test = await createTestDatabase();
    const rows = await test.sql`
      SELECT t.typname AS name, array_agg(e.enumlabel::text ORDER BY e.enumsortorder) AS members
      FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.typname`;
    const stored = new Map(rows.map((row) => [String(row.name), row.members as string[]]));
    const typed = new Map(
      Object.values(enums)
        .filter(isPgEnum)
        .map((one) => [one.enumName, [...one.enumValues]]),
    );
    expect([...stored.keys()].sort()).toEqual([...typed.keys()].sort());
    // A migration adds a member at the end of the type whatever its place in the set is.
    for (const [name, members] of typed) {
      expect([...(stored.get(name) ?? [])].sort(), name).toEqual([...members].sort());
    }
  });

  it("have an enum each, unless no column stores them", () => {
    const mirrored = Object.values(enums)
      .filter(isPgEnum)
      .map((one) => JSON.stringify([...one.enumValues]));
    for (const [name, members] of Object.entries(sets)) {
      if (!Array.isArray(members) || NOT_STORED.includes(name)) continue;
      expect(mirrored, name).toContain(JSON.stringify([...members]));
    }
  });

  it("appear in no CHECK of the database but those that name a part of one set", async () => {
    await using test = await createTestDatabase();
    const rows = await test.sql`
      SELECT conname AS name, pg_get_constraintdef(oid) AS def FROM pg_constraint
      WHERE contype = 'c' AND connamespace = 'public'::regnamespace`;
    const known = new Set<string>(
      Object.values(enums)
        .filter(isPgEnum)
        .flatMap((one) => [...one.enumValues]),
    );
    for (const { name, def } of rows) {
      for (const [, literal = ""] of String(def).matchAll(/'([^']*)'/g)) {
        // A pattern for free text names no member.
        if (literal.startsWith("^")) continue;
        expect(known.has(literal), `${name}: ${literal}`).toBe(true);
      }
    }
  });
});

describe("the status view", () => {
  it("says what statusOf says for every combination of facts", async () => {
    await using test = await createTestDatabase();
    const facts = everyFact();
    const expected = new Map<string, string>();
    const rows = facts.map(({ beat, ...fact }, n) => {
      const id = idOf(n);
      expected.set(id, statusOf({ ...fact, isBeating: beat === "fresh" }));
      const runtime = fact.backend === "external" ? "external" : "demo";
      const config = test.sql.json(CONFIG);
      return { id, name: "w", runtime, config, deadline_at: new Date(), ...fact };
    });
    await test.sql`INSERT INTO workspaces ${test.sql(rows)}`;
    const ages = { stale: 91, fresh: 89 } as const;
    for (const [beat, age] of Object.entries(ages)) {
      const ids = facts.flatMap((fact, n) => (fact.beat === beat ? [idOf(n)] : []));
      await test.sql`
        INSERT INTO liveness (workspace_id, last_heartbeat_at)
        SELECT id, cp_now() - ${age} * interval '1 second' FROM unnest(${ids}::uuid[]) AS id`;
    }
    const seen = await test.sql`SELECT workspace_id, status FROM workspace_statuses`;
    expect(seen).toHaveLength(rows.length);
    const statuses = new Set<string>();
    for (const { workspace_id, status } of seen) {
      statuses.add(String(status));
      const row = rows.find((one) => one.id === workspace_id);
      expect(status, JSON.stringify(row)).toBe(expected.get(String(workspace_id)));
    }
    expect([...statuses].sort()).toEqual([...WORKSPACE_STATUSES].sort());
  });

  it("is the only place in SQL that knows the name of a status", () => {
    // Names that other closed sets have as well are told apart by their own columns.
    const shared = new Set(
      Object.values(enums)
        .filter(isPgEnum)
        .filter((one) => one.enumName !== "workspace_status")
        .flatMap((one) => [...one.enumValues]),
    );
    const own = WORKSPACE_STATUSES.filter((status) => !shared.has(status));
    const literal = new RegExp(`'(?:${own.join("|")})'`);
    const root = path.resolve(import.meta.dirname, "../../../..");
    const offenders = [
      ...sqlTexts(path.join(root, "packages/db/src")),
      ...sqlTexts(path.join(root, "drizzle")),
    ].filter(([, text]) => literal.test(text));
    expect(offenders.map(([file]) => file)).toEqual([]);
  });
});

interface Fact {
  readonly intent: (typeof INTENTS)[number];
  readonly phase: (typeof PHASES)[number];
  readonly health: (typeof HEALTHS)[number];
  readonly backend: (typeof BACKENDS)[number];
  readonly beat: "none" | "stale" | "fresh";
}

/** The whole cross product but for what the database itself refuses. */
function everyFact(): Fact[] {
  return INTENTS.flatMap((intent) =>
    PHASES.filter((phase) => phase !== "DELETED" || intent === "deleted").flatMap((phase) =>
      HEALTHS.flatMap((health) =>
        BACKENDS.flatMap((backend) =>
          (["none", "stale", "fresh"] as const).map((beat) => ({
            intent,
            phase,
            health,
            backend,
            beat,
          })),
        ),
      ),
    ),
  );
}

function idOf(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
}

/** SQL in a folder: whole migrations without the view and the type, and the sql`…` of source files. */
function sqlTexts(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).flatMap((name) => {
    const file = path.join(folder, name);
    if (name.endsWith(".sql")) {
      const text = readFileSync(file, "utf8")
        .replace(/CREATE TYPE "public"\."workspace_status"[^;]*;/g, "")
        .replace(/CREATE (?:OR REPLACE )?VIEW workspace_statuses[^;]*;/g, "");
      return [[file, text] satisfies [string, string]];
    }
    if (!name.endsWith(".ts") || name.endsWith(".test.ts")) return [];
    const parts = [...readFileSync(file, "utf8").matchAll(/sql(?:<[^`]*>)?`([^`]*)`/g)];
    return parts.map(([, text = ""]) => [file, text] satisfies [string, string]);
  });
}
