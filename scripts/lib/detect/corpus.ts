/**
 * The labelled mails, read the way the relay reads them. What a label allows is a set of manners, because most corpora
 * say "spam" and not whether it sold something: training then leaves that to the model.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Headers } from "../../../src/mail/headers.ts";
import { emptyText } from "../../../src/mail/text.ts";
import { cleanText } from "../../../src/mail/text-clean.ts";
import type { ReadMail } from "../../../src/signals/features.ts";
import { readMail } from "../../../src/signals/read.ts";
import { ownMails } from "./own.ts";

/** Manners as bits, in the order of MANNERS. Of ordinary mail most labels do not say which of its two manners it has. */
const TALK = 1;
export const ADVERTISING = 2;
export const FRAUD = 4;
const NOTICE = 8;
export const ORDINARY = TALK | NOTICE;

export interface Sample {
  readonly set: string;
  readonly id: string;
  readonly label: string;
  /** Manners that the label allows. */
  readonly allowed: number;
  readonly mail: ReadMail;
  /** The raw mail; absent for texts that never were one. */
  readonly path?: string;
}

/** By set and label. Labels that are not listed are not used. */
const LABELS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "zh-lists-modern": {
    ad: ADVERTISING,
    ham: ORDINARY,
    phish: FRAUD,
    scam: FRAUD,
    propaganda: FRAUD,
    backscatter: ORDINARY | FRAUD,
  },
  "zh-ccert": { spam: ADVERTISING | FRAUD, ham: ORDINARY },
  "en-spamassassin": { spam: ADVERTISING | FRAUD, ham: ORDINARY },
  "en-csdmc2010": { spam: ADVERTISING | FRAUD, ham: ORDINARY },
  "en-lists-modern": {
    ad: ADVERTISING,
    scam: FRAUD,
    phish: FRAUD,
    "fake-po": FRAUD,
    backscatter: ORDINARY | FRAUD,
    ham: ORDINARY,
  },
  "en-phishing-pot": { "phish-or-spam": ADVERTISING | FRAUD },
  // "ham" here means solicited, which many promotions of shops are.
  "zh-sms": { spam: ADVERTISING | FRAUD, ham: NOTICE | ADVERTISING },
  "vi-sms-qc": {
    "ad-qc-label": ADVERTISING,
    "promo-tb-label": ADVERTISING,
    "promo-no-label": ADVERTISING,
    smishing: FRAUD,
    "notice-or-personal": NOTICE,
  },
  "vi-social-spam": { spam: ADVERTISING | FRAUD, ham: TALK },
  "vi-mail": { ad: ADVERTISING, scam: FRAUD, "bulk-commercial-or-notice": ORDINARY | ADVERTISING },
  "ja-confusion": { "ja-mixed": ORDINARY | FRAUD },
  newsletters: { "opt-in-bulk": ORDINARY | ADVERTISING, "transactional-or-list": ORDINARY },
};

const SETS: readonly string[] = Object.keys(LABELS);

/** Where the corpora lie: beside the checkout, or where CORPUS says. */
export const corpusDir = (): string =>
  process.env.CORPUS ?? new URL("../../../../shared/corpus", import.meta.url).pathname;

/** All samples of the sets, in the order of their lists. A set that is not there is left out. */
export function readCorpus(dir: string, sets: readonly string[] = SETS): Sample[] {
  return sets.flatMap((set) => (existsSync(join(dir, set, "labels.tsv")) ? readSet(dir, set) : []));
}

function readSet(dir: string, set: string): Sample[] {
  const texts = readTexts(join(dir, set, "messages.tsv"));
  const samples: Sample[] = [];
  for (const line of readFileSync(join(dir, set, "labels.tsv"), "utf8").split("\n")) {
    const [id, label, , sender = ""] = line.split("\t");
    const allowed = LABELS[set]?.[label ?? ""];
    if (!id || !label || allowed === undefined) continue;
    const text = texts.get(id);
    if (text !== undefined) samples.push(sortOut({ set, id, label, allowed, mail: textMail(text) }, sender));
    else samples.push({ set, id, label, allowed, ...readFile(join(dir, set, id)) });
  }
  return samples;
}

function readTexts(path: string): Map<string, string> {
  if (!existsSync(path)) return new Map();
  const lines = readFileSync(path, "utf8").split("\n");
  return new Map(lines.map((line) => [line.slice(0, line.indexOf("\t")), line.slice(line.indexOf("\t") + 1)]));
}

/** A text that never was a mail: no Subject, no markup. */
function textMail(raw: string, subject = ""): ReadMail {
  const { text, zeroWidth, lookAlikes } = cleanText(raw);
  return { subject: cleanText(subject).text, text: { ...emptyText(), text, zeroWidth, lookAlikes }, own: [] };
}

function readFile(path: string): Pick<Sample, "mail" | "path"> {
  const bytes = readFileSync(path);
  // The Vietnamese mails that survive only as lists of words join the syllables of a word by an underscore.
  if (path.endsWith(".txt")) return { mail: textMail(bytes.toString("utf8").replaceAll("_", " ")) };
  return { mail: readMail(Headers.parse(bytes), bytes), path };
}

/** Notices among the solicited Chinese text messages: codes, account movements, orders, tickets. */
const NOTICE_WORDS =
  /验证码|校验码|注册码|尾号|账单|余额|订单|订座|影票|航班|快件|出票|余量|截至到?|截止|登录|登机|气温|开奖号码|套餐|合同号|服务费|通话费|功能费|短信费|搭乘|飞信/;
const PROMOTION = /抢|优惠|券|惠|狂享|大促|特价|立减|红包|折|专家推荐|理财|流量来袭/;

/** Where a set's own label is too wide: what a person's number sent is talk, and what is plainly a notice is one. */
function sortOut(sample: Sample, sender: string): Sample {
  if (sample.label === "notice-or-personal" && sender === "personal_number") return { ...sample, allowed: TALK };
  if (sample.set !== "zh-sms" || sample.label !== "ham") return sample;
  const { text } = sample.mail.text;
  return NOTICE_WORDS.test(text) && !PROMOTION.test(text) ? { ...sample, label: "notice", allowed: NOTICE } : sample;
}

/** The texts of our own, as samples. */
export const ownSamples = (): Sample[] =>
  ownMails().map(({ language, label, line, subject, text }) => {
    const plain = textMail(text.text, subject);
    return {
      set: `own-${language}`,
      id: String(line),
      label,
      allowed: label === "ad" ? ADVERTISING : ORDINARY,
      mail: { ...plain, text: { ...text, text: plain.text.text } },
    };
  });
