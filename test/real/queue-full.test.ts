/** A disk that fills up under a queue: clients are put off before they send, what is there stays, and goes on when there is room again. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSpoolDesk } from "../../src/stores/spool/desk.ts";
import { startScripted } from "../helpers/scripted-server.ts";
import { startService } from "../helpers/service.ts";
import { canMount, mountSmallDisk } from "../helpers/small-disk.ts";
import { openSmtp } from "../helpers/smtp-dialogue.ts";
import { until } from "../helpers/wait.ts";

const MB = 1_048_576;

describe.skipIf(!canMount())("a queue on a disk that fills up (needs root, to mount one)", () => {
  it("says 452 at MAIL, loses nothing of what it has, and takes mail again", async () => {
    const disk = mountSmallDisk(64 * MB);
    const hop = await startScripted({ answers: { RCPT: Array.from({ length: 3 }, () => "450 4.2.0 busy") } });
    const service = await startService({
      dataDir: join(disk.dir, "data"),
      nextHop: { to: `smtp://127.0.0.1:${hop.port}`, mode: "queue" },
      // What is short of everything is put off elsewhere, too; here the queue shall say it.
      overload: { diskFreeMb: 0 },
      queue: { processes: 0, reserveMb: 16, retrySeconds: [1], destinationRetrySeconds: [1], jitter: 0 },
    });
    const send = async (): Promise<string> => {
      const client = await openSmtp(service.smtp);
      await client.say("EHLO client.stranger.example");
      const content = `From: a@stranger.example\r\nDate: ${new Date().toUTCString()}\r\n\r\n${"x".repeat(70)}`;
      const heard = await client.mail({ from: "a@stranger.example", to: ["b@example.com"], content });
      client.end();
      return heard.at(-1) ?? "";
    };
    for (let i = 0; i < 3; i += 1) expect(await send()).toMatch(/^250/);
    disk.fill(4 * MB);
    const heard = await until("it is put off", async () => {
      const reply = await send();
      return reply.startsWith("452") ? reply : undefined;
    });
    expect(heard).toMatch(/^452[ -]4\.3\.1/);
    // The reserve is for this: what is in the queue is tried and settled.
    await until("what was there is delivered", () => hop.mails.length >= 3, 30_000);
    disk.clear();
    await until("it takes mail again", async () => (await send()).startsWith("250"));
    await until("that is delivered, too", () => hop.mails.length >= 4, 30_000);
    const desk = openSpoolDesk(join(disk.dir, "data", "spool"), 5_000);
    await until("nothing is left", async () => {
      for await (const _ of desk.list({})) return false;
      return true;
    });
    await desk.close();
    await service.close();
    await hop.stop();
  });
});
