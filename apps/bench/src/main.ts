import { configRows } from "./config/rows.ts";
import { createRows } from "./create.ts";
import { memoryRows } from "./memory.ts";
import { messageRows } from "./message.ts";
import { orgImportRows } from "./org-import.ts";
import { compareRestarts } from "./restart/compare.ts";
import { runtimeRows } from "./runtime/rows.ts";
import { scaleRows } from "./scale.ts";
import { startRows } from "./start.ts";
import { isMet, printTable, type Row, writeJson } from "./table.ts";

/** Groups of rows by the name given to `npm run bench -- NAME`. */
const GROUPS: Readonly<Record<string, () => Promise<Row[]>>> = {
  start: startRows,
  create: createRows,
  message: messageRows,
  memory: memoryRows,
  runtime: runtimeRows,
  scale: scaleRows,
  "org-import": orgImportRows,
  config: configRows,
};

/** Prints a table of its own: the predecessor's algorithms beside ours. */
const COMPARISON = "restart";

const args = process.argv.slice(2);
const jsonAt = args.indexOf("--json");
const jsonFile = jsonAt === -1 ? undefined : args[jsonAt + 1];
const names = args.filter((arg, at) => !arg.startsWith("--") && (jsonAt < 0 || at !== jsonAt + 1));
const known = [...Object.keys(GROUPS), COMPARISON];
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`No such row group: ${unknown.join(", ")}. There are ${known.join(", ")}.`);
  process.exit(2);
}

const rows: Row[] = [];
let isEveryPromiseKept = true;
for (const name of names.length > 0 ? names : known) {
  console.log(`measuring ${name} …`);
  if (name === COMPARISON) isEveryPromiseKept = await compareRestarts();
  rows.push(...((await GROUPS[name]?.()) ?? []));
}
if (rows.length > 0) printTable(rows);
if (jsonFile !== undefined) await writeJson(jsonFile, rows);
process.exitCode = rows.every(isMet) && isEveryPromiseKept ? 0 : 1;
