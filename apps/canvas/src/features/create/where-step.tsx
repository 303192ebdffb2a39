"use client";
import type { TemplateView } from "@molecule/contracts/workspaces";
import type { Backend } from "@molecule/domain/sets";
import { Field, Select } from "../../ui/field.tsx";
import { useNodesShallow, useOrganisation } from "../store/node-store.tsx";
import { backendNote, EXTERNAL } from "./draft.ts";
import { Step, type StepProps } from "./step.tsx";

const BACKEND_TITLES: Readonly<Record<Backend, string>> = {
  process: "Process on this machine",
  docker: "Docker container",
  ec2: "EC2 instance",
  "control-plane": "Another service's machine",
  external: "Elsewhere",
};
const SIZES = [
  { tier: 1, title: "1 · small" },
  { tier: 2, title: "2 · medium" },
  { tier: 3, title: "3 · large" },
  { tier: 4, title: "4 · extra large" },
] as const;

/** Team, size and backend, with what the backend means. */
export function WhereStep({
  draft,
  change,
  template,
}: StepProps & { template: TemplateView | null }) {
  const platform = useOrganisation()?.platform;
  const teams = useNodesShallow((state) =>
    Object.values(state.byId).sort((a, b) => a.name.localeCompare(b.name)),
  );
  const isExternal = draft.templateId === EXTERNAL;
  const backends = platform?.backends.filter((backend) => backend.name !== "external") ?? [];
  return (
    <Step title="Where">
      <Field label="Team">
        {(ids) => (
          <Select
            {...ids}
            value={draft.parentId ?? ""}
            onChange={(event) => change({ parentId: event.target.value || null })}
          >
            <option value="">On its own</option>
            {teams.map((team) => (
              <option key={team.id} value={team.id}>
                Under {team.name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {isExternal ? (
        <p className="text-xs text-muted">
          You get an address and a token after creating it. The platform cannot start or stop it.
        </p>
      ) : (
        <div className="grid grid-cols-[1fr_140px] gap-3">
          <Field label="Runs as" hint={backendNote(platform, draft.backend)}>
            {(ids) => (
              <Select
                {...ids}
                value={draft.backend ?? platform?.defaultBackend ?? "process"}
                onChange={(event) =>
                  change({
                    backend:
                      backends.find((each) => each.name === event.target.value)?.name ?? null,
                  })
                }
              >
                {backends.map((backend) => (
                  <option
                    key={backend.name}
                    value={backend.name}
                    disabled={!backend.isAvailable}
                    title={backend.note}
                  >
                    {BACKEND_TITLES[backend.name]}
                    {backend.isAvailable ? "" : " (not available)"}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Field label="Size">
            {(ids) => (
              <Select
                {...ids}
                value={draft.tier ?? template?.tier ?? 2}
                onChange={(event) => change({ tier: Number(event.target.value) })}
              >
                {SIZES.map(({ tier, title }) => (
                  <option key={tier} value={tier}>
                    {title}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
      )}
    </Step>
  );
}
