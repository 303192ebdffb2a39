import { describe, expect, it } from "vitest";
import { codenameOf, findDebianSource } from "./debian-source.ts";

const deb822 = {
  name: "/etc/apt/sources.list.d/debian.sources",
  content: `Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
`,
};

describe("the machine's Debian source", () => {
  it("is read from the newer format, with its key ring", () => {
    expect(findDebianSource("bookworm", [deb822])).toEqual({
      suite: "bookworm",
      mirror: "http://mirror.example/debian",
      keyring: "/usr/share/keyrings/debian-archive-keyring.gpg",
    });
  });

  it("is read from the one-line format", () => {
    const content = `# deb http://commented.example bookworm main
deb-src http://src.example/debian bookworm main
deb [arch=amd64 signed-by=/etc/apt/keyrings/d.gpg] https://mirror.example/debian bookworm main non-free # why
`;
    expect(findDebianSource("bookworm", [{ name: "/etc/apt/sources.list", content }])).toEqual({
      suite: "bookworm",
      mirror: "https://mirror.example/debian",
      keyring: "/etc/apt/keyrings/d.gpg",
    });
  });

  it.each([
    ["another release", "deb http://m.example/debian trixie main"],
    ["a vendor's own suite", "deb http://m.example/node nodistro main"],
    ["a component without the base system", "deb http://m.example/debian bookworm contrib"],
    ["a disc", "deb cdrom:[Debian]/ bookworm main"],
  ])("is not %s", (_what, content) => {
    expect(findDebianSource("bookworm", [{ name: "x.list", content }])).toBeNull();
  });

  it("is not one that is switched off", () => {
    const content = deb822.content.replace("Types: deb\n#", "Enabled: no\nTypes: deb\n#");
    expect(findDebianSource("bookworm", [{ ...deb822, content }])).toBeNull();
  });

  it("is for the release that this machine says it is", () => {
    expect(codenameOf('NAME="Debian"\nVERSION_CODENAME=bookworm\nID=debian\n')).toBe("bookworm");
    expect(codenameOf("NAME=Alpine\n")).toBeNull();
  });
});
