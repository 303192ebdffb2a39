import { readCron } from "@molecule/domain/cron";
import { z } from "zod";
import { refusedYaml } from "./read-yaml.ts";
import { CONFIG_FILE } from "./render-config.ts";

/** A schedule that a template gives each workspace made from it. */
export interface TemplateSchedule {
  readonly name: string;
  readonly cronExpr: string;
  readonly timezone: string;
  readonly prompt: string;
  readonly enabled: boolean;
}

const MAX_TEMPLATE_SCHEDULES = 20;

const shape = z
  .array(
    z
      .looseObject({
        name: z.string().min(1).max(255),
        cron_expr: z.string().optional(),
        cron: z.string().optional(),
        timezone: z.string().min(1).max(64).default("UTC"),
        prompt: z.string().max(100_000).regex(/\S/, "must say something"),
        enabled: z.boolean().default(true),
      })
      .transform(({ cron_expr, cron, ...rest }) => ({
        ...rest,
        cronExpr: cron_expr ?? cron ?? "",
      })),
  )
  .max(MAX_TEMPLATE_SCHEDULES)
  .nullish();

/**
 * The list `schedules` of a `config.yaml`, or of an agent in the file of a team; [] when it has none. Whether a time zone is known is asked
 * when a workspace is made. @throws DomainError `bad_request` naming the schedule or field.
 */
export function templateSchedules(
  extra: Readonly<Record<string, unknown>>,
  file = CONFIG_FILE,
): TemplateSchedule[] {
  const refused = (why: string) => refusedYaml(file, why);
  const parsed = shape.safeParse(extra.schedules);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = ["schedules", ...(issue?.path ?? [])].map(String).join(".");
    throw refused(`the field “${field}” is not valid: ${issue?.message ?? "unknown shape"}`);
  }
  const names = new Set<string>();
  return (parsed.data ?? []).map(({ name, cronExpr, timezone, prompt, enabled }) => {
    const read = readCron(cronExpr);
    if (read.kind === "wrong") throw refused(`the schedule “${name}”: ${read.sentence}`);
    if (names.has(name)) throw refused(`two schedules are called “${name}”`);
    names.add(name);
    return { name, cronExpr, timezone, prompt, enabled };
  });
}
