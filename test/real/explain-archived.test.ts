/** The page behind a refusal's id, days later: its entries are in the archive, and no longer in the journal. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { buildHouse } from "../../src/house.ts";
import { openHouse } from "../../src/main.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { startService } from "../helpers/service.ts";
import { openSmtp } from "../helpers/smtp-dialogue.ts";
import { until } from "../helpers/wait.ts";

const DAY_MS = 86_400_000;

it("an id of three days ago is explained out of the archive", async () => {
  const clock = handClock();
  const service = await startService(
    {
      listeners: [
        { door: "smtp", listen: "127.0.0.1:0", requireTls: false },
        { door: "http", listen: "127.0.0.1:0" },
      ],
      refusals: { publicUrl: "https://mail.example.net/" },
    },
    clock,
  );
  const smtp = await openSmtp(service.smtp);
  for (const line of ["EHLO host.stranger.example", "MAIL FROM:<a@stranger.example>"]) await smtp.say(line);
  const answer = await smtp.say("RCPT TO:<b@elsewhere.example>");
  const [, id = ""] = /([0-9A-Z]{23})\s*$/.exec(answer) ?? [];
  await service.close();
  await clock.pass(3 * DAY_MS);
  const house = await buildHouse(loadConfig(join(service.dir, "consentry.yaml"), {}), service.house.log, { clock });
  const again = await openHouse(house);
  onTestFinished(() => again.close());
  const journal = join(service.dir, "data", "ledger");
  const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const refusedOn = dayOf(clock.now() - 3 * DAY_MS);
  await until(
    "its hour has left the journal",
    () => !readdirSync(journal).some((name) => name.startsWith(refusedOn) && name.endsWith(".jsonl")),
    60_000,
  );
  const port = Number(/:(\d+)$/.exec(again.addresses[1] ?? "")?.[1]);
  const shown = await fetch(`http://127.0.0.1:${port}/explain/${id}`, { signal: AbortSignal.timeout(10_000) });
  const page = await shown.text();
  expect([shown.status, page.includes(id)]).toEqual([200, true]);
  for (const words of ["Tiếng Việt", "中文", "Order 38 (CN 2006)"]) expect(page).toContain(words);
  expect(page).not.toContain("stranger.example");
});
