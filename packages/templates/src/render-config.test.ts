import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { offeredModels, parseConfigYaml } from "./config-yaml.ts";
import { type RenderInput, renderConfigs } from "./render-config.ts";

const input: RenderInput = {
  name: "yes",
  role: "a: b # c",
  tier: 2,
  runtime: "demo",
  config: {
    model: "1.0",
    provider: null,
    instructions: "Be brief.\n",
    description: "- not a list",
    requiredEnv: ["OPENAI_API_KEY"],
    starterPrompts: ["{Hello}"],
    extra: { skills: ["a"], runtime_config: { models: [{ id: "m" }], depth: 3 } },
  },
};
const text = (files: Map<string, Uint8Array>, path: string) =>
  new TextDecoder().decode(files.get(path));

describe("rendering the configuration document", () => {
  it("keeps names that are YAML syntax as text", () => {
    const yaml = parse(text(renderConfigs(input), "config.yaml"));
    expect(yaml).toMatchObject({ name: "yes", role: "a: b # c", model: "1.0" });
  });

  it("keeps unknown keys, also inside runtime_config", () => {
    const yaml = parse(text(renderConfigs(input), "config.yaml"));
    expect(yaml.skills).toEqual(["a"]);
    expect(yaml.runtime_config).toEqual({
      model: "1.0",
      required_env: ["OPENAI_API_KEY"],
      models: [{ id: "m" }],
      depth: 3,
    });
  });

  it("reads back as the document it was rendered from", () => {
    const { instructions, ...config } = input.config;
    const files = renderConfigs(input);
    const parsed = parseConfigYaml(text(files, "config.yaml"));
    expect(parsed.config).toEqual(config);
    expect(parsed).toMatchObject({ name: "yes", role: "a: b # c", tier: 2, runtime: "demo" });
    expect(text(files, "system-prompt.md")).toBe(instructions);
  });

  it("shows the provider that a runtime reads, wherever the file names it", () => {
    const said = (source: string) => parseConfigYaml(source).config;
    expect(said("runtime_config: {provider: acme}")).toMatchObject({ provider: "acme", extra: {} });
    expect(said("provider: own\nruntime_config: {provider: acme}").provider).toBe("own");
    // What came to the further keys by another way decides nothing.
    const extra = { runtime_config: { provider: "acme", model: "m" }, provider: "acme" };
    const config = { ...input.config, model: null, extra };
    const yaml = parse(text(renderConfigs({ ...input, config }), "config.yaml"));
    expect(yaml).not.toHaveProperty("provider");
    expect(yaml.runtime_config).toEqual({ required_env: ["OPENAI_API_KEY"] });
  });

  it("renders equal input to equal bytes", () => {
    expect(renderConfigs(structuredClone(input))).toEqual(renderConfigs(input));
  });
});

describe("reading config.yaml", () => {
  it.each([
    ["name: [a", /line 1 is not valid YAML/],
    ["name: a\n\tb: c", /line 2/],
    ["- a\n- b", /key: value/],
    ["just text", /key: value/],
    ["tier: 9", /tier/],
    ["runtime: warp", /runtime/],
    ["runtime_config: {required_env: [lower]}", /required_env/],
    ["model: [1]", /model/],
    ["a: &a [*a]", /config.yaml/],
  ])("refuses %j with a sentence", (source, sentence) => {
    expect(() => parseConfigYaml(source)).toThrow(sentence);
  });

  it("refuses a file whose aliases explode", () => {
    const bomb = `a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]\n`;
    expect(() => parseConfigYaml(bomb)).toThrow(/config.yaml/);
  });

  it("reads an empty file as a document that says nothing", () => {
    expect(parseConfigYaml("").config).toEqual({
      model: null,
      provider: null,
      description: "",
      requiredEnv: [],
      starterPrompts: [],
      extra: {},
    });
  });

  it("does not let a key of the file reach the prototype", () => {
    parseConfigYaml("__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}");
    expect("polluted" in {}).toBe(false);
  });

  it("takes the model from runtime_config when the top level names none", () => {
    expect(parseConfigYaml("runtime_config: {model: m1}").config.model).toBe("m1");
  });

  it("skips malformed models among the offered ones", () => {
    const models = [{ id: "a" }, 3, { name: "no id" }, { id: "b", name: "B" }];
    expect(offeredModels({ runtime_config: { models } })).toEqual([
      { id: "a", name: "a" },
      { id: "b", name: "B" },
    ]);
  });
});
