/** /readyz before a queue whose mail other processes deliver. One command: vitest run test/real/ready.test.ts */
import { readFileSync } from "node:fs";
import { it } from "vitest";
import { startServing } from "../helpers/serving.ts";
import { openSmtp } from "../helpers/smtp-dialogue.ts";
import { until } from "../helpers/wait.ts";

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);

it("a relay is ready once somebody delivers, not while nobody does, and again when the next one is there", async () => {
  const relay = await startServing({
    workers: 1,
    listeners: [
      { door: "smtp", listen: "127.0.0.1:0" },
      { door: "metrics", listen: "127.0.0.1:0" },
    ],
    nextHop: { to: "smtp://127.0.0.1:1", mode: "queue" },
    queue: { reserveMb: 1 },
  });
  const ready = async (): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${relay.ports[1]}/readyz`, { signal: AbortSignal.timeout(5_000) });
    const { reason = "" } = (await answer.json()) as { reason?: string };
    return `${answer.status} ${reason}`.trim();
  };
  await until("it is ready", async () => (await ready()) === "200", 20_000);
  for (const pid of childrenOf(relay.program.pid)) process.kill(pid, "SIGKILL");
  await until("it is not", async () => (await ready()).startsWith("503 no process is there that delivers"), 5_000);
  await until("it is again", async () => (await ready()) === "200", 20_000);
});

it("what those count who deliver is in the service's figures", async () => {
  const relay = await startServing({
    workers: 1,
    listeners: [
      { door: "smtp", listen: "127.0.0.1:0" },
      { door: "metrics", listen: "127.0.0.1:0" },
    ],
    nextHop: { to: "maildir:MAIL", mode: "queue" },
    queue: { reserveMb: 1 },
    rules: { default: "off" },
  });
  const client = await openSmtp(relay.port);
  await client.say("EHLO host.stranger.example");
  await client.mail({ from: "a@stranger.example", to: ["b@example.com"], content: "Subject: x\r\n\r\nhello" });
  client.end();
  await until("it is delivered", () => relay.delivered().length === 1, 20_000);
  await until(
    "it is counted",
    async () => {
      const answer = await fetch(`http://127.0.0.1:${relay.ports[1]}/metrics`, { signal: AbortSignal.timeout(5_000) });
      return /^consentry_entries_total\{event="handed-over"\} 1$/m.test(await answer.text());
    },
    20_000,
  );
});
