/** A service that queues while its clock is hours ahead, and whose clock is then put right. */
import { join } from "node:path";
import { it, onTestFinished } from "vitest";
import { mailDate } from "../../../src/mail/received.ts";
import { openSpoolDesk } from "../../../src/stores/spool/desk.ts";
import { startScripted } from "../../helpers/scripted-server.ts";
import { startService } from "../../helpers/service.ts";
import { openSmtp } from "../../helpers/smtp-dialogue.ts";
import { until } from "../../helpers/wait.ts";

const RIGHT_MS = Date.UTC(2026, 10, 22, 10);
const HOUR_MS = 3_600_000;

it("mail that failed while the clock was five hours ahead is tried again by its schedule, not in five hours", async () => {
  const time = { nowMs: RIGHT_MS + 5 * HOUR_MS };
  const hop = await startScripted({ answers: { RCPT: ["450 4.2.0 busy"] } });
  onTestFinished(() => hop.stop());
  const service = await startService(
    {
      nextHop: { mode: "queue", to: `smtp://127.0.0.1:${hop.port}` },
      queue: { processes: 0, retrySeconds: [600], jitter: 0, reserveMb: 1 },
      rules: { default: "off" },
    },
    { now: () => time.nowMs },
  );
  const client = await openSmtp(service.smtp);
  await client.say("EHLO mx.host.example");
  const content = `From: a@host.example\r\nDate: ${mailDate(time.nowMs)}\r\nSubject: x\r\n\r\nhello`;
  await client.mail({ from: "a@host.example", to: ["b@example.com"], content });
  client.end();
  const [delayed] = await service.entriesSoon(1, { event: "delayed" });
  const desk = openSpoolDesk(join(service.dir, "data", "spool"), 5_000);
  onTestFinished(() => desk.close());
  const nextAt = async () => (await desk.find(delayed?.mailId ?? ""))?.mail.recipients[0]?.nextAt;
  await until("it waits", async () => (await nextAt()) === RIGHT_MS + 5 * HOUR_MS + 600_000);
  time.nowMs = RIGHT_MS;
  await until("it is brought back", async () => (await nextAt()) === RIGHT_MS + 600_000, 15_000);
  time.nowMs += 600_000;
  await until("it is delivered", () => hop.mails.length === 1);
});
