/** What the platform calls an instance: shown short, copied as a person would type it. */
interface InstanceText {
  readonly name: string;
  readonly shown: string;
  readonly copied: string;
}

/** A process is known by its number, a container by its id. Source: the backends' own references. */
export function instanceText(backend: string, providerRef: string): InstanceText {
  if (backend === "process") {
    const pid = providerRef.split(":")[0] ?? providerRef;
    return { name: "Process", shown: `pid ${pid}`, copied: pid };
  }
  if (backend === "docker") {
    return { name: "Container", shown: providerRef.slice(0, 12), copied: providerRef };
  }
  return { name: "Instance", shown: providerRef, copied: providerRef };
}
