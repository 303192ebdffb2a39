import type { AgentCard } from "@a2a-js/sdk";

/** What an agent says about itself. */
export interface CardFacts {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  /** Where its JSON-RPC is served. */
  readonly url: string;
  readonly skills: readonly CardSkill[];
}

/** Something the agent can do, for people and other agents. */
interface CardSkill {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
}

/** The card as the protocol serves it, for both protocol versions. */
export function a2aCard(facts: CardFacts): AgentCard {
  const onVersion = (protocolVersion: string) => ({
    url: facts.url,
    protocolBinding: "JSONRPC",
    tenant: "",
    protocolVersion,
  });
  return {
    name: facts.name,
    description: facts.description,
    supportedInterfaces: [onVersion("1.0"), onVersion("0.3")],
    provider: undefined,
    version: facts.version,
    capabilities: { streaming: true, pushNotifications: false, extensions: [] },
    securitySchemes: {},
    securityRequirements: [],
    defaultInputModes: ["text/plain"],
    defaultOutputModes: ["text/plain"],
    skills: facts.skills.map((skill) => ({
      ...skill,
      tags: [...skill.tags],
      examples: [],
      inputModes: [],
      outputModes: [],
      securityRequirements: [],
    })),
    signatures: [],
  };
}

/** The card as it is registered with the platform. Source: wire contract §5.1. */
export function registeredCard(facts: CardFacts): Readonly<Record<string, unknown>> {
  return {
    ...facts,
    capabilities: { streaming: true, pushNotifications: false },
  };
}
