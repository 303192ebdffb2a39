"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import type { Backend, MachineReach } from "@molecule/domain/sets";
import type { ReactNode } from "react";
import { Ago } from "../../clock/moving-time.tsx";
import { modelLabel, RUNTIME_LABELS } from "../../status/model-label.ts";
import { useOrganisation } from "../../store/node-store.tsx";
import { Copyable } from "./copyable.tsx";
import { OverviewSection } from "./overview-section.tsx";

const BACKEND_TEXT: Readonly<Record<Backend, string>> = {
  process: "Local process",
  docker: "Docker container",
  ec2: "EC2 instance",
  "control-plane": "Another service's machine",
  external: "Runs elsewhere",
};

const REACH_TEXT: Readonly<Record<MachineReach | "unknown", string>> = {
  private: "Spoken to at its private address",
  tunnel: "Spoken to through its SSH connection",
  unknown: "Not spoken to yet",
};

/** The plain facts of a workspace, with what its backend means. */
export function FactsSection({ node }: { node: WorkspaceNode }) {
  const platform = useOrganisation()?.platform;
  const { current, next } = modelLabel(node);
  const backend = platform?.backends.find((each) => each.name === node.backend);
  return (
    <OverviewSection title="Facts">
      <dl className="grid grid-cols-[minmax(96px,auto)_1fr] gap-x-4 gap-y-2 text-sm">
        <Fact name="Runs as">
          {BACKEND_TEXT[node.backend]}
          {backend === undefined || backend.note === "" ? null : (
            <span className="block text-xs text-muted">{backend.note}</span>
          )}
        </Fact>
        {node.machine === null ? null : (
          <Fact name="Machine">
            {REACH_TEXT[node.machine.reach ?? "unknown"]}
            <span className="block text-xs text-muted">
              made <Ago atMs={Date.parse(node.machine.since)} />
            </span>
          </Fact>
        )}
        <Fact name="Runtime">{RUNTIME_LABELS[node.runtime]}</Fact>
        <Fact name="Model">
          {current ?? "the runtime's default"}
          {next === null ? null : <span className="text-warn"> → {next} on next restart</span>}
        </Fact>
        {node.template === null ? null : <Fact name="Template">{node.template}</Fact>}
        <Fact name="Last heartbeat">
          {node.lastHeartbeatAt === null ? (
            "none yet"
          ) : (
            <Ago atMs={Date.parse(node.lastHeartbeatAt)} />
          )}
        </Fact>
        <Fact name="Tasks">
          {node.activeTasks} of {node.maxConcurrentTasks} at once
        </Fact>
        <Fact name="Saved / running">
          {node.appliedGen === node.desiredGen
            ? "everything saved is running"
            : `${node.desiredGen - node.appliedGen} saved, not running yet`}
        </Fact>
        {node.waitingForRemoval === 0 ? null : (
          <Fact name="Old instances">{node.waitingForRemoval} waiting to be removed</Fact>
        )}
        <Fact name="Id">
          <Copyable text={node.id} label="Copy id" />
        </Fact>
      </dl>
    </OverviewSection>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 text-ink [overflow-wrap:anywhere]">{children}</dd>
    </>
  );
}
