"use client";
import type { TemplateView } from "@molecule/contracts/workspaces";
import { useMutation } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "../../ui/button.tsx";
import { removeTemplate } from "../import/send-template.ts";

/** Takes an imported template out of the gallery, once it is confirmed; absent for the operator's own. */
export function RemoveTemplate(props: { template: TemplateView; onRemoved: () => void }) {
  const { template, onRemoved } = props;
  const [isAsked, setIsAsked] = useState(false);
  const remove = useMutation({
    mutationFn: () => removeTemplate(template.id),
    onSuccess: () => toast(`The template “${template.name}” is removed`),
    onError: (error) => {
      setIsAsked(false);
      toast.error(`“${template.name}” was not removed`, { description: error.message });
    },
    onSettled: onRemoved,
  });
  if (!template.isImported) return null;
  if (!isAsked) {
    return (
      <p className="flex items-center justify-between gap-3 text-xs text-muted">
        <span className="min-w-0 truncate">“{template.name}” was imported.</span>
        <Button
          size="sm"
          variant="ghost"
          aria-label={`Remove the template ${template.name}`}
          icon={<Trash2 size={13} aria-hidden="true" />}
          onClick={() => setIsAsked(true)}
        >
          Remove
        </Button>
      </p>
    );
  }
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center gap-2 rounded-md bg-danger-tint px-3 py-2"
    >
      <p className="min-w-40 flex-1 text-xs text-ink">
        Remove the template “{template.name}”? Agents made from it stay as they are.
      </p>
      <Button size="sm" variant="ghost" autoFocus onClick={() => setIsAsked(false)}>
        Keep
      </Button>
      <Button size="sm" variant="danger" isBusy={remove.isPending} onClick={() => remove.mutate()}>
        Remove template
      </Button>
    </div>
  );
}
