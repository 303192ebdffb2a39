// The least that could be called a proxy that loses nothing: a message is a row before it is sent, its answer
// is in the row before it is passed on, and nobody is asked who may do what. What the real one costs beyond it
// is ours; what it costs itself is the machine's. Arguments: url of the database, url of the agent.
import { Agent, createServer, request } from "node:http";
import postgres from "postgres";

const [databaseUrl = "", agentUrl = ""] = process.argv.slice(2);
const sql = postgres(databaseUrl, { max: 10, onnotice: () => undefined });
await sql`CREATE TABLE IF NOT EXISTS bench_least (id uuid PRIMARY KEY, body jsonb, answer jsonb)`;
const agent = new Agent({ keepAlive: true });

const server = createServer((req, res) => {
  read(req)
    .then(async (body) => {
      const { id } = JSON.parse(body);
      await sql`INSERT INTO bench_least (id, body) VALUES (${id}, ${body}::text::jsonb)`;
      const answer = await ask(body);
      await sql`UPDATE bench_least SET answer = ${answer}::text::jsonb WHERE id = ${id}`;
      res.setHeader("content-type", "application/json").end(answer);
    })
    .catch((error) => res.writeHead(500).end(String(error)));
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();

/** @param {import("node:http").IncomingMessage} message */
async function read(message) {
  const chunks = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** @param {string} body @returns {Promise<string>} */
function ask(body) {
  return new Promise((resolve, reject) => {
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    };
    const sent = request(agentUrl, { method: "POST", agent, headers }, (answer) => {
      read(answer).then(resolve, reject);
    });
    sent.once("error", reject);
    sent.end(body);
  });
}
