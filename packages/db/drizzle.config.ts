import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  schema: [
    "./src/schema/enums.ts",
    "./src/schema/workspaces.ts",
    "./src/schema/content.ts",
    "./src/schema/generations.ts",
    "./src/schema/sweep.ts",
    "./src/schema/ledger.ts",
    "./src/schema/fleet.ts",
    "./src/schema/schedules.ts",
    "./src/schema/processes.ts",
    "./src/schema/memory.ts",
    "./src/schema/kept-files.ts",
    "./src/schema/templates.ts",
    "./src/schema/orgs.ts",
    "./src/schema/plugins.ts",
    "./src/schema/tunnels.ts",
  ],
  out: "../../drizzle",
});
