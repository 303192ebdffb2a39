/** `20260102T030405Z` without separators, as `expiry-time` of sshd reads it. */
export function grantLine(publicKey: string, seconds: number, now = new Date()): string {
  const until = new Date(now.getTime() + seconds * 1_000);
  const stamp = until.toISOString().replaceAll(/[-:T]/g, "").slice(0, 14);
  return `expiry-time="${stamp}Z" ${publicKey.trim()}\n`;
}
