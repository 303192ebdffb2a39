import { describe, expect, it } from "vitest";
import { readEc2Settings } from "./ec2-settings.ts";

const SET = {
  AWS_REGION: "eu-central-1",
  MOLECULE_EC2_IMAGE: "ami-1",
  MOLECULE_EC2_PLATFORM_URL: "https://molecule.example/",
};
const read = (over: Record<string, string> = {}) => {
  const found = readEc2Settings({ ...SET, ...over });
  if (found.kind === "unset") throw new Error(found.note);
  return found.settings;
};

describe("readEc2Settings", () => {
  it("says what is missing, one thing at a time", () => {
    const note = (source: Record<string, string>) => {
      const found = readEc2Settings(source);
      return found.kind === "unset" ? found.note : "";
    };
    expect(note({})).toMatch(/MOLECULE_EC2_IMAGE.*MOLECULE_EC2_PLATFORM_URL.*AWS_REGION/);
    expect(note({ ...SET, AWS_REGION: "" })).toContain("AWS_REGION");
    expect(note({ ...SET, MOLECULE_EC2_PLATFORM_URL: "here" })).toContain("PLATFORM_URL");
    expect(note({ ...SET, MOLECULE_EC2_IMAGE: "", MOLECULE_EC2_TYPE: "t3.nano" })).toContain(
      "LAUNCH_TEMPLATE",
    );
    expect(note({ ...SET, MOLECULE_EC2_DATA_GB: "half" })).toContain("DATA_GB");
  });

  it("takes the narrowest setting of a runtime and a tier", () => {
    const settings = read({
      MOLECULE_EC2_TYPE: "a",
      MOLECULE_EC2_TYPE_TIER3: "b",
      MOLECULE_EC2_TYPE_CLAUDE_CODE: "c",
      MOLECULE_EC2_TYPE_CLAUDE_CODE_TIER3: "d",
    });
    expect(settings.shapeOf("demo", 2).type).toBe("a");
    expect(settings.shapeOf("demo", 3).type).toBe("b");
    expect(settings.shapeOf("claude-code", 2).type).toBe("c");
    expect(settings.shapeOf("claude-code", 3).type).toBe("d");
    expect(read().shapeOf("demo", 1).type).toBe("t3.micro");
  });

  it("reads lists, a template's version, and an address without its slash", () => {
    const settings = read({
      MOLECULE_EC2_SECURITY_GROUPS: "sg-1,sg-2",
      MOLECULE_EC2_LAUNCH_TEMPLATE: "lt-1:7",
    });
    expect(settings.platformUrl).toBe("https://molecule.example");
    expect(settings.shapeOf("demo", 1)).toMatchObject({
      securityGroups: ["sg-1", "sg-2"],
      template: { id: "lt-1", version: "7" },
    });
  });
});
