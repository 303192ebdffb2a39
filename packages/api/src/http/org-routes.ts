import { importOrgBody } from "@molecule/contracts/orgs";
import { DomainError } from "@molecule/domain/errors";
import { collectMap } from "@molecule/templates/archive/collect-files";
import { MAX_ARCHIVE_BYTES, readArchive } from "@molecule/templates/archive/read-archive";
import {
  bundleWithoutFiles,
  ORG_LIMITS,
  type OrgBundle,
  readOrgBundle,
} from "@molecule/templates/org-bundle";
import { z } from "zod";
import { actorOf } from "../context.ts";
import { answerImport } from "../services/orgs/answer-import.ts";
import { exportTeam } from "../services/orgs/export-team.ts";
import { importTeam } from "../services/orgs/import-team.ts";
import {
  planTeam,
  previewTeam,
  requireOrgBundle,
  type TeamWish,
} from "../services/orgs/plan-import.ts";
import { parentOf } from "../services/workspaces/create-from-wire.ts";
import { isArchive } from "./archive-body.ts";
import { ADMIN } from "./guards.ts";
import { readBytes, readJson } from "./read-body.ts";
import { parseBody, type RequestContext } from "./request-context.ts";
import { json, ok } from "./respond.ts";
import { type Route, route, streaming } from "./router.ts";

/** A team as JSON, with its files. */
const MAX_TEAM_BYTES = 8 * 1_048_576;

/** Teams for scripts. Source: wire contract §11.2. */
export const orgRoutes: readonly Route[] = [
  streaming(route("POST", "/org/import", ADMIN, take)),
  route("GET", "/org/export", ADMIN, give),
];

/** A team as a bundle without secrets; without `root` the whole organisation. */
async function give({ deps, query }: RequestContext): Promise<Response> {
  const { content, fileName, blanked } = await exportTeam(deps, parentOf(query.get("root")));
  return new Response(new Uint8Array(content), {
    headers: {
      "content-type": "application/gzip",
      "content-length": String(content.length),
      "content-disposition": `attachment; filename="${fileName}"`,
      "cache-control": "no-store",
      "x-blanked-files": String(blanked.length),
    },
  });
}

/** What is asked for, in whichever form it came. */
interface Asked extends TeamWish {
  readonly isDryRun: boolean;
  readonly importId: string | undefined;
}

/** 201 all of it; 207 a part, named; 200 for a dry run, which changes nothing. */
async function take(context: RequestContext): Promise<Response> {
  const { deps, auth, req } = context;
  const actor = actorOf(auth);
  const asked = isArchive(req) ? await fromArchive(context) : await fromJson(context);
  const planned = await planTeam(deps, actor, asked);
  if (asked.isDryRun) return ok({ dry_run: true, preview: previewTeam(planned) });
  const importId = await importTeam(deps, actor, planned, { importId: asked.importId });
  const { status, body } = await answerImport(deps, planned, importId);
  return json(status, body);
}

async function fromJson({ deps, req, query }: RequestContext): Promise<Asked> {
  const body = parseBody(importOrgBody, await readJson(req, MAX_TEAM_BYTES));
  const dir = body.dir === "" ? null : (body.dir ?? null);
  const given = [dir, body.template ?? null, body.files ?? null].filter((one) => one !== null);
  if (given.length !== 1) {
    throw new DomainError(
      "bad_request",
      "Name a team as “dir”, or send one as “template” or “files”.",
      {
        details: { field: "dir" },
      },
    );
  }
  const options = optionsOf(query);
  return {
    bundle: await bundleOf(),
    dir,
    parentId: body.parent_id === undefined ? options.parentId : parentOf(body.parent_id),
    place: null,
    isStaged: body.stage ?? options.isStaged,
    isDryRun: body.dry_run ?? options.isDryRun,
    importId: body.import_id ?? options.importId,
  };

  async function bundleOf(): Promise<OrgBundle> {
    if (dir !== null) return await requireOrgBundle(deps, dir);
    if (body.template !== undefined && body.template !== null) {
      return bundleWithoutFiles(body.template);
    }
    return readOrgBundle(collectMap(body.files ?? {}, ORG_LIMITS));
  }
}

async function fromArchive({ req, query }: RequestContext): Promise<Asked> {
  const collected = await readArchive(await readBytes(req, MAX_ARCHIVE_BYTES), ORG_LIMITS);
  return { bundle: readOrgBundle(collected), dir: null, place: null, ...optionsOf(query) };
}

function optionsOf(query: URLSearchParams) {
  const importId = query.get("import_id");
  return {
    parentId: parentOf(query.get("parent")),
    isStaged: flagOf(query, "stage"),
    isDryRun: flagOf(query, "dry_run"),
    importId: importId === null ? undefined : z.uuid().parse(importId),
  };
}

function flagOf(query: URLSearchParams, name: string): boolean {
  const said = query.get(name);
  if (said === null || said === "false") return false;
  if (said === "true" || said === "") return true;
  throw new DomainError("bad_request", `The parameter “${name}” is true or false.`, {
    details: { field: name },
  });
}
