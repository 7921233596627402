import { readdirSync, readlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EHLO, letter, MAIL, RCPT } from "../../helpers/letters-now.ts";
import { type RunningService, startService } from "../../helpers/service.ts";
import { openTalk, type SmtpTalk } from "../../helpers/smtp-talk.ts";
import { until } from "../../helpers/wait.ts";

/** Files of the service that this process holds open; large mails in progress have no name. */
const openFiles = (service: RunningService): string[] =>
  readdirSync("/proc/self/fd")
    .flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return [];
      }
    })
    .filter((path) => path.startsWith(service.dir) && /incoming|\/mail\//.test(path));

const isLinux = process.platform === "linux";

async function inTheMiddle(service: RunningService, text: string): Promise<SmtpTalk> {
  const talk = await openTalk(service.smtp);
  await talk.sayAll(EHLO, MAIL, RCPT, "DATA");
  talk.send(text.replace(/\n/g, "\r\n"));
  return talk;
}

describe("a client that vanishes", () => {
  const large = letter("0123456789\n".repeat(20_000));
  const small = letter();
  const limits = { memoryBytesPerMailMax: 4000, headerBytesMax: 4000 };

  it.each([
    ["in the middle of a small mail", small, (talk: SmtpTalk) => talk.vanish()],
    ["in the middle of a large mail", large, (talk: SmtpTalk) => talk.vanish()],
    ["by a reset", large, (talk: SmtpTalk) => talk.reset()],
    ["before the last line end", `${small}\n.`, (talk: SmtpTalk) => talk.vanish()],
    ["after a mail that was refused as it came", `${small}a\rb\n`, (talk: SmtpTalk) => talk.vanish()],
  ])("%s leaves nothing behind", async (_, text, leave) => {
    const service = await startService({ limits });
    const talk = await inTheMiddle(service, text);
    if (isLinux && text.length > 4000) await until("it is on disk", () => openFiles(service).length > 0);
    leave(talk);
    await talk.closed;
    await until("the place is free", async () => (await openTalk(service.smtp)).greeting.code === 220);
    if (isLinux) await until("no file is held open", () => openFiles(service).length === 0);
    expect(service.mails()).toEqual([]);
    expect(service.leftovers()).toEqual([]);
    expect(await service.entries(), "nothing was promised, nothing happened").toEqual([]);
  });

  it("while its mail is judged gets no second chance to break anything: the mail is delivered, once", async () => {
    const service = await startService();
    const talk = await openTalk(service.smtp);
    await talk.sayAll(EHLO, MAIL, RCPT, "DATA");
    talk.send(`${letter().replace(/\n/g, "\r\n")}.\r\n`);
    await until("it is on its way", async () => (await service.entries()).length > 0);
    talk.vanish();
    await until("it is delivered", () => service.mails().length === 1);
    expect((await service.entriesSoon(2)).map(({ event }) => event)).toEqual(["received", "handed-over"]);
  });

  it("does not disturb the others", async () => {
    const service = await startService();
    const steady = await openTalk(service.smtp);
    await steady.sayAll(EHLO, MAIL, RCPT, "DATA");
    for (let i = 0; i < 10; i += 1) (await inTheMiddle(service, small)).reset();
    expect((await steady.data(letter())).code).toBe(250);
    expect(service.mails()).toHaveLength(1);
  });
});

describe("QUIT", () => {
  it("is answered and ends the connection; what was said after it is not", async () => {
    const service = await startService();
    const talk = await openTalk(service.smtp);
    talk.send(`${EHLO}\r\n${MAIL}\r\n${RCPT}\r\nQUIT\r\nDATA\r\n`);
    expect((await talk.rest()).trimEnd().split("\r\n").at(-1)).toMatch(/^221 /);
    expect(service.mails()).toEqual([]);
  });
});

describe("a stop", () => {
  it("lets a mail in progress end, sends the idle away, and takes nobody new", async () => {
    const service = await startService();
    const busy = await inTheMiddle(service, letter());
    const idle = await openTalk(service.smtp);
    const closing = service.close();
    expect((await idle.hear()).text).toMatch(/^421[- ]4\.3\.2 .*going down/);
    await idle.closed;
    await expect(openTalk(service.smtp)).rejects.toThrow();
    busy.send(".\r\n");
    expect((await busy.hear()).code).toBe(250);
    expect((await busy.say("NOOP")).code).toBe(421);
    await closing;
    expect(service.mails()).toHaveLength(1);
  });

  it("does not wait for a mail that does not end", async () => {
    const service = await startService({ limits: { drainMs: 200 } });
    const stuck = await inTheMiddle(service, letter());
    const before = performance.now();
    await service.close();
    expect(performance.now() - before).toBeLessThan(4000);
    expect((await stuck.hear()).code).toBe(421);
    expect(service.mails()).toEqual([]);
  });

  it("is quick when nobody is there", async () => {
    const service = await startService();
    const before = performance.now();
    await service.close();
    expect(performance.now() - before).toBeLessThan(1500);
  });
});

describe("a reload", () => {
  it("is in force for connections that are already there", async () => {
    const service = await startService();
    const talk = await openTalk(service.smtp);
    await talk.sayAll(EHLO, MAIL);
    expect((await talk.say("RCPT TO:<x@new.example>")).code).toBe(550);
    await service.reload({ localDomains: ["new.example"] });
    expect((await talk.say("RCPT TO:<x@new.example>")).code).toBe(250);
    expect((await talk.say(RCPT)).code).toBe(550);
  });

  it("of a wrong configuration changes nothing", async () => {
    const service = await startService();
    await expect(service.reload({ rules: { "no/rule": "off" } })).rejects.toThrow(/no such rule/);
    const talk = await openTalk(service.smtp);
    expect((await talk.sayAll(EHLO, MAIL, RCPT)).code).toBe(250);
  });
});
