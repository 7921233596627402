/** What judging a mail costs: from bytes to score, on mails of our own making, so that it can be measured anywhere. */
import { readFileSync } from "node:fs";
import { Headers } from "../../../src/mail/headers.ts";
import { judge } from "../../../src/signals/classifier.ts";
import { loadModel, type Model } from "../../../src/signals/model.ts";
import { readMail } from "../../../src/signals/read.ts";
import { ownMails } from "./own.ts";

export interface Cost {
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds of CPU for one mail: the median of distinct mails, and the slowest of them. */
  readonly median: number;
  readonly slowest: number;
}

const KINDS: readonly { name: string; bytes: number; make(text: string, bytes: number): Buffer }[] = [
  { name: "4 KB of plain text", bytes: 4_096, make: plain },
  { name: "4 KB of base64", bytes: 4_096, make: base64 },
  { name: "30 KB of HTML", bytes: 30_720, make: html },
  { name: "1 MB of HTML", bytes: 1_048_576, make: html },
];

const HEAD =
  "From: a@b.example\r\nTo: c@d.example\r\nSubject: =?utf-8?B?5aSP5a2j5paw5ZOB?= offer\r\nMIME-Version: 1.0\r\n";

function plain(text: string, bytes: number): Buffer {
  return Buffer.from(`${HEAD}Content-Type: text/plain; charset=utf-8\r\n\r\n${text}`).subarray(0, bytes);
}

function base64(text: string, bytes: number): Buffer {
  const body = Buffer.from(text).toString("base64").replace(/.{76}/g, "$&\r\n");
  const head = `${HEAD}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n`;
  return Buffer.from(`${head}${body}`).subarray(0, bytes);
}

/** Newsletters: a third of the bytes is text, the rest tables, styles and links. */
function html(text: string, bytes: number): Buffer {
  const rows: string[] = [];
  let length = 0;
  for (let at = 0; length < bytes; at += 60) {
    const words = text.slice(at % text.length, (at % text.length) + 60);
    const row = `<tr><td style="font-family:Arial;font-size:14px;color:#333333;padding:8px"><a href="https://shop.example/p/${at}?u=1">${words}</a></td></tr>\r\n`;
    rows.push(row);
    length += row.length;
  }
  const head = `${HEAD}Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><table>`;
  return Buffer.from(`${head}${rows.join("")}`).subarray(0, bytes);
}

const DISTINCT = 60;
/** The kernel counts CPU in coarse steps: each mail is judged so often, and the sum divided. */
const REPEATS = 20;

/** Distinct mails of each size, every one judged some times. */
export function measureCost(model: Model): Cost[] {
  const texts = ownMails().map(({ text }) => text.text);
  return KINDS.map(({ name, bytes, make }) => {
    const mails = Array.from({ length: DISTINCT }, (_, at) => {
      const start = (at * 13) % texts.length;
      const order = [...texts.slice(start), ...texts.slice(0, start)];
      return make(order.join("\n").slice(0, 60_000), bytes);
    });
    for (const mail of mails) cpuMs(model, mail, 1);
    const repeats = bytes > 100_000 ? 2 : REPEATS;
    const times = mails.map((mail) => cpuMs(model, mail, repeats)).sort((a, b) => a - b);
    return { name, bytes, median: times[times.length >> 1] ?? 0, slowest: times.at(-1) ?? 0 };
  });
}

/** CPU of the whole process, its collector and compiler among it. */
function cpuMs(model: Model, mail: Buffer, repeats: number): number {
  const before = process.cpuUsage();
  for (let round = 0; round < repeats; round += 1) judge(readMail(Headers.parse(mail), mail), model);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / repeats;
}

export interface Footprint {
  readonly fileKb: number;
  readonly loadMs: number;
  readonly memoryMb: number;
}

const megabytes = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1_048_576;
};

export function measureFootprint(path: string): { model: Model; footprint: Footprint } {
  const file = readFileSync(path);
  loadModel(file);
  globalThis.gc?.();
  const before = megabytes();
  const start = performance.now();
  const model = loadModel(file);
  const loadMs = performance.now() - start;
  globalThis.gc?.();
  return { model, footprint: { fileKb: file.length / 1024, loadMs, memoryMb: megabytes() - before } };
}
