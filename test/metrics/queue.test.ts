import { expect, it } from "vitest";
import { readMetrics } from "../../src/metrics/read.ts";
import { startService } from "../helpers/service.ts";
import { openSmtp } from "../helpers/smtp-dialogue.ts";
import { until } from "../helpers/wait.ts";

const MAIL =
  "From: <a@stranger.example>\r\nDate: Sat, 01 Aug 2026 10:00:00 +0000\r\nMessage-ID: <m@x.example>\r\n\r\nhello";

it("the queue is told with its length and how late it is, and one that is nearly full puts strangers off", async () => {
  const listeners = ["smtp", "metrics"].map((door) => ({ door, listen: "127.0.0.1:0" }));
  const service = await startService({ listeners, nextHop: { to: "smtp://127.0.0.1:1", mode: "queue" } });
  const [, port] = service.ports;
  const figures = async () => readMetrics(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  const figure = async (name: string) => (await figures()).find((sample) => sample.name === name)?.value;
  await until("it is told", async () => (await figure("consentry_queue_mails")) === 0);
  const smtp = await openSmtp(service.smtp);
  await smtp.say("EHLO host.stranger.example");
  expect((await smtp.mail({ from: "a@stranger.example", to: ["b@example.com"], content: MAIL })).at(-1)).toMatch(
    /^250/,
  );
  await until("it is counted", async () => (await figure("consentry_queue_mails")) === 1);
  expect(await figure("consentry_queue_late_seconds")).toBeGreaterThanOrEqual(0);
  expect(await figure("consentry_queue_leased")).toBeLessThanOrEqual(1);
  await service.reload({ queue: { mailsMax: 1 } });
  await until("it is short", async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    return ((await answer.json()) as { reason?: string }).reason === "overloaded: queue";
  });
  smtp.end();
});
