"use client";
import type { ConnectionView } from "@molecule/contracts/procedures";
import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { TabPanel, Tabs } from "../../ui/tabs.tsx";

const TABS = [
  { value: "mcp", title: "MCP" },
  { value: "python", title: "Python" },
  { value: "curl", title: "curl" },
] as const;
type Way = (typeof TABS)[number]["value"];

export interface ConnectDetailsProps {
  name: string;
  connection: ConnectionView;
  onClose: () => void;
}

/** How an agent that runs elsewhere connects. The token is here once and never again. */
export function ConnectDetails({ name, connection, onClose }: ConnectDetailsProps) {
  const [way, setWay] = useState<Way>("mcp");
  const snippets: Readonly<Record<Way, string>> = {
    mcp: connection.universal_mcp_snippet,
    python: connection.python_snippet,
    curl: connection.curl_register_template,
  };
  return (
    <Dialog
      open
      kind="sheet"
      onOpenChange={onClose}
      title={`Connect ${name}`}
      description="The token is shown this once. Keep it where your agent finds it."
      footer={
        <Button variant="primary" onClick={onClose}>
          I have kept the token
        </Button>
      }
    >
      <div className="flex flex-col gap-5">
        <Copyable label="Workspace" text={connection.workspace_id} />
        <Copyable label="Token" text={connection.auth_token} />
        <Copyable label="Platform" text={connection.platform_url} />
        <Tabs
          value={way}
          onValueChange={setWay}
          label="Ways to connect"
          tabs={TABS}
          className="-mx-3"
        >
          {TABS.map((tab) => (
            <TabPanel key={tab.value} value={tab.value} className="px-3 pt-3">
              <Copyable label={tab.title} text={snippets[tab.value]} isBlock />
            </TabPanel>
          ))}
        </Tabs>
      </div>
    </Dialog>
  );
}

function Copyable({
  label,
  text,
  isBlock = false,
}: {
  label: string;
  text: string;
  isBlock?: boolean;
}) {
  const [isCopied, setIsCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setIsCopied(true);
  };
  return (
    <div className="flex min-w-0 flex-col gap-1.5">
      <div className="flex items-center justify-between">
        <span className="text-sm font-medium text-ink">{label}</span>
        <Button
          variant="ghost"
          size="sm"
          icon={
            isCopied ? (
              <Check size={13} aria-hidden="true" />
            ) : (
              <Copy size={13} aria-hidden="true" />
            )
          }
          onClick={() => void copy()}
        >
          {isCopied ? "Copied" : "Copy"}
        </Button>
      </div>
      <pre
        className={`overflow-x-auto rounded-md border bg-page px-3 py-2 font-mono text-xs text-ink select-text ${isBlock ? "max-h-72 whitespace-pre" : "whitespace-pre-wrap break-all"}`}
      >
        {text}
      </pre>
    </div>
  );
}
