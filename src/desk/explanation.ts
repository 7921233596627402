/**
 * What a refusal meant, for whoever was refused: from the ledger's entries of one mail to words in three languages. It has no address, no
 * score and no evidence in it: those stay with the operator's timeline (ledger/timeline.ts).
 */
import { type Pack, packName } from "../law/pack.ts";
import { type Confidence, sourceSchema } from "../law/source.ts";
import type { Entry } from "../ledger/entry.ts";
import { REPLIES, type ReplyId } from "../mail/replies.ts";
import { replyWords, type WordLanguage } from "../mail/reply-words.ts";
import type { Rule } from "../rules/define.ts";

export interface Explanation {
  readonly id: string;
  /** When it was said, ms since the epoch. */
  readonly at: number;
  /** Put off (the sender's server tries again), or refused for good. */
  readonly temporary: boolean;
  /** The replies of ours that were said; none where the next server refused. */
  readonly replies: readonly { readonly id: ReplyId; readonly detail?: string }[];
  readonly articles: readonly { readonly cite: string; readonly confidence?: Confidence }[];
  /** Laws in whose name, "vn-2020: Decree 91/2020/ND-CP". */
  readonly packs: readonly string[];
}

/** How sure we are of each article that a rule or pack cites. */
export type Certainties = ReadonlyMap<string, Confidence>;

export function certaintiesOf(packs: Iterable<Pack>, rules: readonly Rule[]): Certainties {
  const found = new Map<string, Confidence>();
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const source = sourceSchema.safeParse(value);
    if (source.success) found.set(source.data.cite, source.data.confidence);
    else for (const part of Object.values(value)) walk(part);
  };
  for (const { sources } of rules) walk(sources);
  for (const pack of packs) walk(pack);
  return found;
}

/** @param entries of one mail. @returns undefined when nothing of it was refused or put off */
export function explanationOf(
  id: string,
  entries: readonly Entry[],
  law: { readonly certainties: Certainties; readonly packs: Iterable<Pack> },
): Explanation | undefined {
  const refusals = entries.filter(({ event, reply }) => REFUSING.has(event) && reply);
  const [first] = refusals;
  if (!first) return undefined;
  const replies = new Map(
    refusals.flatMap(({ reply = "" }) => repliesIn(reply).map((each) => [each.id, each] as const)),
  );
  const cites = new Set(refusals.flatMap(({ articles }) => articles ?? []));
  const named = new Set(refusals.flatMap(({ packs }) => packs ?? []));
  return {
    id,
    at: first.at,
    temporary: refusals.every(({ reply }) => reply?.startsWith("4")),
    replies: [...replies.values()],
    articles: [...cites].map((cite) => {
      const confidence = law.certainties.get(cite);
      return { cite, ...(confidence && { confidence }) };
    }),
    packs: [...named].map((name) => [...law.packs].find((pack) => packName(pack) === name)?.title ?? name),
  };
}

/** At the door, and later in the queue. */
const REFUSING: ReadonlySet<Entry["event"]> = new Set(["refused", "deferred", "bounced", "delayed"]);

/** The ledger keeps a reply as it was said: "550 5.7.1 what was wrong / accepted: what would be: particulars / article - id". */
function repliesIn(reply: string): Explanation["replies"] {
  const lines = reply.replace(/^\d{3} (?:\d\.\d+\.\d+ )?/, "").split(" / ");
  return (Object.keys(REPLIES) as ReplyId[]).flatMap((id) => {
    const { wrong, accepted } = REPLIES[id];
    const at = lines.indexOf(wrong);
    if (at < 0) return [];
    const detail = lines[at + 1]?.startsWith(`accepted: ${accepted}: `)
      ? lines[at + 1]?.slice(`accepted: ${accepted}: `.length)
      : undefined;
    // Whoever knows an id need not know who was written to.
    return [{ id, ...(detail !== undefined && !detail.includes("@") && { detail }) }];
  });
}

interface Frame {
  readonly name: string;
  readonly refused: (at: string) => string;
  readonly putOff: (at: string) => string;
  readonly wrong: string;
  readonly accepted: string;
  readonly article: string;
  readonly law: string;
  readonly elsewhere: string;
  readonly ask: (postmaster: string, id: string) => string;
  readonly certainty: (confidence: Confidence) => string;
}

const confirmed = (confidence: Confidence): number => Number(/^C(\d+)$/.exec(confidence)?.[1] ?? 0);

const FRAMES: Readonly<Record<WordLanguage, Frame>> = {
  en: {
    name: "English",
    refused: (at) => `The mail was refused on ${at}.`,
    putOff: (at) => `The mail was put off on ${at}; the sending server tries again by itself.`,
    wrong: "What was wrong",
    accepted: "What is accepted",
    article: "Article",
    law: "Law",
    elsewhere: "the server behind this one did not take the mail, in its own words",
    ask: (postmaster, id) => `Questions go to ${postmaster}; name the id ${id}.`,
    certainty: (confidence) =>
      ({ doc: "read in its text", RFC: "an Internet standard", DERIVED: "our own reading", GK: "not confirmed" })[
        confidence as "doc"
      ] ?? `confirmed by ${confirmed(confidence)} further sources`,
  },
  zh: {
    name: "中文",
    refused: (at) => `该邮件于 ${at} 被拒收。`,
    putOff: (at) => `该邮件于 ${at} 被暂缓；发送方服务器会自行重试。`,
    wrong: "问题",
    accepted: "可以接受",
    article: "条款",
    law: "法律",
    elsewhere: "后面的服务器没有接收此邮件，答复为其自己的措辞",
    ask: (postmaster, id) => `如有疑问请写信给 ${postmaster}，并注明编号 ${id}。`,
    certainty: (confidence) =>
      ({ doc: "见于其文本", RFC: "互联网标准", DERIVED: "我们的理解", GK: "未经证实" })[confidence as "doc"] ??
      `另有 ${confirmed(confidence)} 个来源证实`,
  },
  vi: {
    name: "Tiếng Việt",
    refused: (at) => `Thư đã bị từ chối lúc ${at}.`,
    putOff: (at) => `Thư đã bị hoãn lúc ${at}; máy chủ gửi sẽ tự thử lại.`,
    wrong: "Lý do",
    accepted: "Được chấp nhận",
    article: "Điều khoản",
    law: "Văn bản",
    elsewhere: "máy chủ phía sau không nhận thư này, với lời lẽ của chính nó",
    ask: (postmaster, id) => `Mọi câu hỏi xin gửi ${postmaster}, nêu mã ${id}.`,
    certainty: (confidence) =>
      ({
        doc: "đọc trong văn bản",
        RFC: "một tiêu chuẩn Internet",
        DERIVED: "cách hiểu của chúng tôi",
        GK: "chưa được xác nhận",
      })[confidence as "doc"] ?? `được ${confirmed(confidence)} nguồn khác xác nhận`,
  },
};

/** One language's page, name and value; without a name: a sentence. */
export interface Told {
  readonly language: WordLanguage;
  readonly name: string;
  readonly lines: readonly (readonly [name: string, value: string])[];
}

/** @param postmaster whom to ask */
export function tell(explanation: Explanation, language: WordLanguage, postmaster: string): Told {
  const frame = FRAMES[language];
  const at = `${new Date(explanation.at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const said = explanation.replies.flatMap(({ id, detail }): [string, string][] => {
    const { wrong, accepted } = replyWords(id, language);
    return [
      [frame.wrong, wrong],
      [frame.accepted, detail === undefined ? accepted : `${accepted}: ${detail}`],
    ];
  });
  return {
    language,
    name: frame.name,
    lines: [
      ["", explanation.temporary ? frame.putOff(at) : frame.refused(at)],
      ...(said.length > 0 ? said : [[frame.wrong, frame.elsewhere] as const]),
      ...explanation.articles.map(({ cite, confidence }): [string, string] => [
        frame.article,
        confidence === undefined ? cite : `${cite} (${frame.certainty(confidence)})`,
      ]),
      ...explanation.packs.map((title): [string, string] => [frame.law, title]),
      ["", frame.ask(postmaster, explanation.id)],
    ],
  };
}
