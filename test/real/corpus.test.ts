/** Real mail and hostile MIME, where they lie beside the checkout: all of it through `check` and through the door. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { rehearse } from "../../src/doors/check/rehearsal.ts";
import { readFileMail } from "../../src/doors/check/wire.ts";
import type { Spoken } from "../../src/pipeline/verdict.ts";
import { recipientOf, senderOf, sessionOf } from "../helpers/described.ts";
import { type RunningService, startService } from "../helpers/service.ts";
import { openTalk } from "../helpers/smtp-talk.ts";
import { tempDir } from "../helpers/temp.ts";

const CORPUS = join(import.meta.dirname, "../../../shared/corpus");
const SESSIONS = 8;
const TIMEOUT_MS = 240_000;
/** Nothing is refused by a rule or a limit, so that what comes out can be held against what went in. */
const OPEN = {
  rules: { default: "watch", "advertising/detect": { fromStrangers: { "cn-2006": "note" } } },
  limits: {
    lineBytesMax: 1_000_000,
    headerBytesMax: 10_000_000,
    headersMax: 100_000,
    receivedMax: 1_000,
    idleTimeoutMs: 60_000,
  },
};

const mails = (): string[] =>
  readdirSync(CORPUS, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".eml"))
    .map((name) => join(CORPUS, name))
    .sort();

/** As it would travel: every line ended by CRLF. */
const onTheWire = (path: string): string => {
  const text = readFileSync(path, "latin1").replace(/\r\n|\r|\n/g, "\r\n");
  return text.endsWith("\r\n") ? text : `${text}\r\n`;
};

/** Sends every n-th mail over one connection, each to a recipient of its own. @returns what came out wrong */
async function send(service: RunningService, paths: readonly string[], from: number): Promise<string[]> {
  const talk = await openTalk(service.smtp);
  await talk.say("EHLO mx.sender.example");
  const wrong: string[] = [];
  for (let index = from; index < paths.length; index += SESSIONS) {
    const content = onTheWire(paths[index] as string);
    const recipient = `m${index}@example.com`;
    await talk.sayAll("MAIL FROM:<a@sender.example> BODY=8BITMIME", `RCPT TO:<${recipient}>`, "DATA");
    const { code } = await talk.data(Buffer.from(content, "latin1"));
    const [delivered] = service.mailsTo(recipient);
    const whole = delivered?.endsWith(content) && isFront(delivered.slice(0, -content.length));
    const refused = code === 550 && delivered === undefined && content.includes("\0");
    if (!(code === 250 && whole) && !refused) wrong.push(`${paths[index]}: ${code}`);
  }
  return wrong;
}

const isDetected = ({ rule, finding }: Spoken): boolean => rule.id === "advertising/detect" && finding.kind === "note";

const isFront = (text: string): boolean =>
  /^Return-Path: [^\n]*\nDelivered-To: [^\n]*\nReceived: (?:[^\n]*\n)(?:\t[^\n]*\n)+$/.test(text);

describe.skipIf(!existsSync(CORPUS))("the corpus of real and hostile mail (beside the checkout)", () => {
  it(
    "goes through the SMTP door into a Maildir, every byte as it was behind our header, or is refused for a NUL",
    async () => {
      const paths = mails();
      expect(paths.length).toBeGreaterThan(1_000);
      const service = await startService(OPEN);
      const sessions = Array.from({ length: SESSIONS }, (_, from) => send(service, paths, from));
      expect((await Promise.all(sessions)).flat()).toEqual([]);
      expect(service.leftovers()).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    "is judged by every rule without one of them failing",
    async () => {
      const detect = { fromStrangers: { "cn-2006": "note" } };
      const { house } = await startService({ rules: { "advertising/detect": detect } });
      const { config, site, pipeline } = house.law;
      const bounds = { ...config.limits, spillDir: tempDir() };
      const parts = {
        ...house,
        pipeline,
        hostname: config.hostname,
        isLocal: site.isLocal,
        receivedMax: config.limits.receivedMax,
      };
      const faults: string[] = [];
      let detected = 0;
      for (const path of mails()) {
        const { content, defect } = await readFileMail(Readable.from([readFileSync(path)]), bounds);
        const mail = content ?? defect;
        if (!mail) throw new Error(`${path}: neither read nor refused`);
        const envelope = {
          session: sessionOf(),
          sender: senderOf("a@sender.example"),
          recipients: [recipientOf("b@example.com")],
        };
        const { stages } = await rehearse(parts, { ...envelope, mail, limits: config.limits });
        const failed = stages
          .flatMap(({ verdict }) => verdict.spoken)
          .filter(({ finding }) => finding.evidence?.trouble);
        if (failed.length > 0) faults.push(`${path}: ${failed.map(({ rule }) => rule.id).join(" ")}`);
        detected += stages.filter(({ verdict }) => verdict.spoken.some(isDetected)).length;
        await content?.dispose();
      }
      expect(faults).toEqual([]);
      expect(detected, "among them are hundreds of advertisements").toBeGreaterThan(300);
    },
    TIMEOUT_MS,
  );
});
