import { sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";

/**
 * Notes which images nothing needs now, and answers for how long each has been one of them, in ms. An
 * image that is needed again is forgotten, so its time begins anew. SPEC: I21.
 */
export async function noteSuperseded(
  tx: Transaction,
  imageIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const orm = ormOf(tx);
  const ids = JSON.stringify(imageIds);
  await orm.execute(sql`
    DELETE FROM superseded_images
    WHERE image_id NOT IN (SELECT jsonb_array_elements_text(${ids}::jsonb))`);
  await orm.execute(sql`
    INSERT INTO superseded_images (image_id) SELECT jsonb_array_elements_text(${ids}::jsonb)
    ON CONFLICT DO NOTHING`);
  const rows = await orm.execute<{ image_id: string; ms: number }>(sql`
    SELECT image_id, (extract(epoch FROM cp_now() - since) * 1000)::float8 AS ms
    FROM superseded_images`);
  return new Map(rows.map(({ image_id, ms }) => [image_id, ms]));
}
