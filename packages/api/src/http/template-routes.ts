import { collectMap } from "@molecule/templates/archive/collect-files";
import { MAX_ARCHIVE_BYTES, readArchive } from "@molecule/templates/archive/read-archive";
import { z } from "zod";
import { actorOf } from "../context.ts";
import { importTemplate, removeTemplate } from "../services/templates/import-template.ts";
import { listOrgTemplateRows } from "../services/templates/list-org-templates.ts";
import { listTemplateRows } from "../services/templates/list-templates.ts";
import { isArchive } from "./archive-body.ts";
import { ADMIN } from "./guards.ts";
import { readBytes, readJson } from "./read-body.ts";
import { parseBody, type RequestContext } from "./request-context.ts";
import { json, ok } from "./respond.ts";
import { type Route, route, streaming } from "./router.ts";

/** Source: wire contract §11.1. */
const importBody = z.object({
  name: z.string().max(255).nullish(),
  files: z.record(z.string(), z.string()),
});
const nameQuery = z.string().max(255);

/** Templates of workspaces and teams for scripts. Source: wire contract §11.1, §11.2. */
export const templateRoutes: readonly Route[] = [
  route("GET", "/templates", ADMIN, async ({ deps }) => ok(await listTemplateRows(deps))),
  route("GET", "/org/templates", ADMIN, async ({ deps }) => ok(await listOrgTemplateRows(deps))),
  streaming(route("POST", "/templates/import", ADMIN, take)),
  route("DELETE", "/templates/:templateId", ADMIN, async ({ deps, auth, params }) => {
    const id = params.templateId ?? "";
    await removeTemplate(deps, actorOf(auth), id);
    return ok({ status: "deleted", id });
  }),
];

/** `{name, files}` as JSON, or an archive as the body with its name in the query. */
async function take({ deps, auth, req, query }: RequestContext): Promise<Response> {
  const wish = isArchive(req) ? await fromArchive(req, query.get("name")) : await fromMap(req);
  const imported = await importTemplate(deps, actorOf(auth), wish);
  return json(201, {
    status: "imported",
    id: imported.id,
    name: imported.name,
    files: imported.fileCount,
    left_out: imported.left,
  });
}

async function fromMap(req: Request) {
  const { name, files } = parseBody(importBody, await readJson(req));
  return { name: emptyAsNull(name), collected: collectMap(files) };
}

async function fromArchive(req: Request, name: string | null) {
  const wanted = emptyAsNull(name === null ? null : nameQuery.parse(name));
  return { name: wanted, collected: await readArchive(await readBytes(req, MAX_ARCHIVE_BYTES)) };
}

function emptyAsNull(text: string | null | undefined): string | null {
  return text === undefined || text === null || text.trim() === "" ? null : text;
}
