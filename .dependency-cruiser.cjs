/** The arrows of ARCHITECTURE.md, held by a machine. */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: "error",
  from: { path: from, pathNot: "\\.(test|fixture)\\.tsx?$" },
  to: { path: "^(packages|apps)/", pathNot: [`${from}`, ...allowed] },
});

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    only("domain-is-a-leaf", "^packages/domain/", [], "domain imports nothing of ours"),
    {
      name: "domain-is-pure",
      comment: "No Node module and no package: rules are functions of their arguments.",
      severity: "error",
      from: { path: "^packages/domain/src", pathNot: "\\.test\\.ts$" },
      to: { dependencyTypes: ["core", "npm", "npm-dev"] },
    },
    only("contracts-arrow", "^packages/contracts/", ["^packages/domain/"], "contracts -> domain"),
    only("db-arrow", "^packages/db/", ["^packages/(domain|contracts)/"], "db -> contracts"),
    only(
      "templates-arrow",
      "^packages/templates/",
      ["^packages/(domain|contracts)/"],
      "data and its loader",
    ),
    only(
      "sdk-arrow",
      "^packages/runtime-sdk/",
      ["^packages/(domain|contracts)/"],
      "sdk -> contracts",
    ),
    only(
      "api-arrow",
      "^packages/api/",
      ["^packages/(domain|contracts|db|templates)/"],
      "api -> db",
    ),
    only(
      "server-arrow",
      "^apps/server/",
      ["^packages/(domain|contracts|db|api|templates)/"],
      "server wires api",
    ),
    only(
      "worker-arrow",
      "^apps/worker/",
      ["^packages/(domain|contracts|db|templates)/"],
      "the worker never imports api",
    ),
    only(
      "runtime-arrow",
      "^apps/runtime/",
      ["^packages/(domain|contracts|runtime-sdk)/"],
      "a runtime needs the sdk only",
    ),
    only(
      "mcp-arrow",
      "^apps/mcp/",
      ["^packages/(domain|contracts|runtime-sdk)/"],
      "mcp needs the sdk only",
    ),
    {
      name: "browser-takes-types-from-api",
      comment: "The browser imports types only from api, values from contracts and domain.",
      severity: "error",
      from: { path: "^apps/canvas/src" },
      to: { path: "^packages/api/", dependencyTypesNot: ["type-only"] },
    },
    only("canvas-arrow", "^apps/canvas/", ["^packages/(domain|contracts|api)/"], "see above"),
    {
      name: "drizzle-stays-in-db",
      severity: "error",
      from: { pathNot: "^packages/db/" },
      to: { path: "node_modules/drizzle-orm" },
    },
    {
      name: "vendors-stay-in-adapters",
      severity: "error",
      from: {
        pathNot: [
          "^apps/worker/src/(adapters|images)/",
          "^packages/templates/src/archive/",
          "\\.test\\.ts$",
        ],
      },
      to: { path: "node_modules/(dockerode|tar-stream|yauzl)" },
    },
    {
      name: "ssh-stays-in-tunnels",
      comment: "Who works on a machine has a lease of a connection, never a client of its own.",
      severity: "error",
      from: { path: "^apps/worker/", pathNot: ["^apps/worker/src/tunnels/", "\\.test\\.ts$"] },
      to: { path: "node_modules/ssh2" },
    },
    {
      name: "testing-in-tests-only",
      severity: "error",
      from: {
        path: "^(apps|packages)/",
        pathNot: [
          "\\.test\\.tsx?$",
          "\\.contract\\.ts$",
          "\\.fixture\\.ts$",
          "^packages/testing/",
          "^apps/bench/",
        ],
      },
      to: { path: "^packages/testing/" },
    },
    {
      name: "fakes-in-tests-only",
      severity: "error",
      from: {
        pathNot: [
          "\\.test\\.tsx?$",
          "\\.contract\\.ts$",
          "\\.fixture\\.ts$",
          "^packages/testing/",
          "/fake-[^/]+$",
          "^apps/bench/",
        ],
      },
      to: { path: "/fake-[^/]+\\.ts$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(/dist/|/out/|\\.next/|/node_modules/\\.)" },
    tsPreCompilationDeps: "specify",
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};
