"use client";
import type { ConnectionView } from "@molecule/contracts/procedures";
import { useState } from "react";
import { TabPanel, Tabs } from "../../ui/tabs.tsx";
import { CopyableText } from "./copyable-text.tsx";

/** Ways to connect, with what each needs; one without a snippet is not offered. */
const WAYS = [
  {
    value: "mcp",
    title: "MCP",
    key: "universal_mcp_snippet",
    note: "Goes into the configuration of an MCP client; molecule-mcp registers, beats and offers the platform's tools.",
  },
  {
    value: "python",
    title: "Python",
    key: "python_snippet",
    note: "Python 3.9 or later, nothing to install. Save it as agent.py, then: python3 agent.py",
  },
  {
    value: "typescript",
    title: "TypeScript",
    key: "typescript_snippet",
    note: "Node 20 or later. Save it as agent.mts, then: npx tsx agent.mts",
  },
  {
    value: "curl",
    title: "curl",
    key: "curl_snippet",
    note: "Any shell, one command for each step. Good for a look, not for an agent that stays.",
  },
] as const satisfies readonly {
  value: string;
  key: keyof ConnectionView;
  [more: string]: string;
}[];
type Way = (typeof WAYS)[number]["value"];

/** The snippets of a connection, one tab each. */
export function SnippetTabs(props: {
  connection: ConnectionView;
  onCopied: (() => void) | undefined;
}) {
  const { connection, onCopied } = props;
  const [way, setWay] = useState<Way>("mcp");
  const offered = WAYS.filter(({ key }) => connection[key] !== "");
  return (
    <Tabs
      value={way}
      onValueChange={setWay}
      label="Ways to connect"
      tabs={offered}
      className="-mx-3 shrink-0"
    >
      {offered.map(({ value, title, key, note }) => (
        <TabPanel key={value} value={value} className="px-3 pt-3">
          <p className="mb-2 text-xs text-muted">{note}</p>
          <CopyableText label={title} text={connection[key]} isBlock onCopied={onCopied} />
        </TabPanel>
      ))}
    </Tabs>
  );
}
