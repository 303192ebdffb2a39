// The smallest agent there can be: it answers every message with one word, so that what is measured is the way.
import { createServer } from "node:http";

const server = createServer((req, res) => {
  const chunks = [];
  req.on("data", (chunk) => chunks.push(chunk));
  req.on("end", () => {
    const call = JSON.parse(Buffer.concat(chunks).toString() || "{}");
    const parts = [{ kind: "text", text: "yes" }];
    const result = { kind: "message", role: "agent", messageId: `re-${call.id}`, parts };
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify({ jsonrpc: "2.0", id: call.id ?? null, result }));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
