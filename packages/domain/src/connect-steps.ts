/** How far an agent that runs elsewhere has come; ISO text, null where it has not happened. */
export interface ConnectFacts {
  /** When the newest token that is still valid was issued. */
  readonly tokenAt: string | null;
  /** The first registration since the tokens were last replaced. */
  readonly registeredAt: string | null;
  /** The first heartbeat since then; a registration is none. */
  readonly firstBeatAt: string | null;
  /** When the agent first said something: to a person, to another agent, or as an answer. */
  readonly firstMessageAt: string | null;
}

/** One line of the checklist, in the order of a connection. */
export interface ConnectStep {
  readonly key: keyof ConnectFacts;
  readonly title: string;
  /** Null while it is missing. */
  readonly at: string | null;
  /** What to do about it, one sentence; null once it has happened. */
  readonly todo: string | null;
}

/** The four steps of a connection and what is to be done about each that is missing. SPEC: E1, E3. */
export function connectSteps(facts: ConnectFacts): readonly ConnectStep[] {
  const step = (key: keyof ConnectFacts, title: string, todo: string): ConnectStep => ({
    key,
    title,
    at: facts[key],
    todo: facts[key] === null ? todo : null,
  });
  return [
    step("tokenAt", "Token issued", "Rotate the token: none that it was given is valid any more."),
    step(
      "registeredAt",
      "Registered",
      "Start the agent with one of the snippets: it registers itself.",
    ),
    step(
      "firstBeatAt",
      "First heartbeat",
      facts.registeredAt === null
        ? "Comes by itself after the registration; with curl, send the second command."
        : "Let it send POST /registry/heartbeat every 20 to 30 seconds.",
    ),
    step(
      "firstMessageAt",
      "First message",
      "Write to it in the chat: this is done when it answers, or says something by itself.",
    ),
  ];
}

/** True once nothing is missing: then there is no checklist any more. SPEC: E2. */
export function isConnected(facts: ConnectFacts): boolean {
  return connectSteps(facts).every((step) => step.at !== null);
}

/** Why an agent that runs elsewhere is waited for. */
export type WaitedFor = "first_beat" | "silent" | "token_replaced";

/** `lastHeartbeatAt` is kept when the tokens are replaced, the steps are not. SPEC: E4. */
export function whyAwaited(facts: ConnectFacts | null, lastHeartbeatAt: string | null): WaitedFor {
  if (facts === null || lastHeartbeatAt === null) return "first_beat";
  if (facts.firstBeatAt !== null) return "silent";
  return facts.registeredAt === null ? "token_replaced" : "first_beat";
}

/** "2 of 4" for a line that has no room for the list. */
export function connectProgress(facts: ConnectFacts): {
  readonly done: number;
  readonly count: number;
} {
  const steps = connectSteps(facts);
  return { done: steps.filter((step) => step.at !== null).length, count: steps.length };
}
