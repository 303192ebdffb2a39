import { createRows } from "./create.ts";
import { memoryRows } from "./memory.ts";
import { messageRows } from "./message.ts";
import { startRows } from "./start.ts";
import { isMet, printTable, type Row, writeJson } from "./table.ts";

/** Groups of rows by the name given to `npm run bench -- NAME`. */
const GROUPS: Readonly<Record<string, () => Promise<Row[]>>> = {
  start: startRows,
  create: createRows,
  message: messageRows,
  memory: memoryRows,
};

const args = process.argv.slice(2);
const jsonAt = args.indexOf("--json");
const jsonFile = jsonAt === -1 ? undefined : args[jsonAt + 1];
const names = args.filter((arg, at) => !arg.startsWith("--") && at !== jsonAt + 1);
const unknown = names.filter((name) => !(name in GROUPS));
if (unknown.length > 0) {
  console.error(
    `No such row group: ${unknown.join(", ")}. There are ${Object.keys(GROUPS).join(", ")}.`,
  );
  process.exit(2);
}

const rows: Row[] = [];
for (const name of names.length > 0 ? names : Object.keys(GROUPS)) {
  console.log(`measuring ${name} …`);
  rows.push(...((await GROUPS[name]?.()) ?? []));
}
printTable(rows);
if (jsonFile !== undefined) await writeJson(jsonFile, rows);
process.exitCode = rows.every(isMet) ? 0 : 1;
