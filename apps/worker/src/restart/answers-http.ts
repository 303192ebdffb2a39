const TIMEOUT_MS = 5_000;

/** True when anything answers HTTP at host:port within five seconds, with whatever status. */
export async function answersHttp(address: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}/.well-known/agent-card.json`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: "manual",
    });
    await response.body?.cancel();
    return true;
  } catch {
    // Refused, reset or too slow: each is the answer to the question.
    return false;
  }
}
