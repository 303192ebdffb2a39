import type { Stage } from "@molecule/domain/sets";
import { sql } from "drizzle-orm";
import { attempts } from "../schema/workspaces.ts";

/** The columns that put an attempt into a stage and remember when; for `.set()` on `attempts`. */
export function stageMarked(stage: Stage) {
  return {
    stage,
    stages: sql`${attempts.stages} || jsonb_build_array(jsonb_build_object('stage', ${stage}::text, 'at', to_char(cp_now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))`,
  };
}
