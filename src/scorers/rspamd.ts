/**
 * rspamd by its HTTP protocol: the mail as the body of POST /checkv2, the envelope in headers, the answer as JSON. One
 * deadline for the whole question; connections are kept. Whatever goes wrong is `Unavailable`: the rule says what follows.
 */
import { Agent, type IncomingMessage, request } from "node:http";
import { pipeline } from "node:stream/promises";
import { Unavailable } from "../kit/trouble.ts";
import type { BodyView } from "../mail/views.ts";
import type { SpamScore } from "../rules/content/scorers.ts";

export interface RspamdOptions {
  /** "http://127.0.0.1:11333": its normal worker. */
  readonly url: string;
  /** For the whole question, ms. */
  readonly timeoutMs: number;
  /** Larger mails are not sent to it. */
  readonly bytesMax: number;
  readonly connectionsMax: number;
  readonly password?: string;
}

const ANSWER_BYTES_MAX = 1_048_576;
const NAMES_MAX = 10;
const IDLE_MS = 30_000;

export function createRspamd(options: RspamdOptions) {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connectionsMax, timeout: IDLE_MS });
  return {
    async score(view: BodyView): Promise<SpamScore | undefined> {
      if (view.content.bytes > options.bytesMax) return undefined;
      const late = AbortSignal.timeout(options.timeoutMs);
      try {
        return readAnswer(await ask(view, { ...options, agent, late }));
      } catch (error) {
        const why = late.aborted ? `no answer in ${options.timeoutMs} ms` : (error as Error).message;
        throw new Unavailable("scorer", `rspamd: ${why}`, error);
      }
    },
  };
}

type Asking = RspamdOptions & { readonly agent: Agent; readonly late: AbortSignal };

async function ask(view: BodyView, { url, agent, late, password }: Asking): Promise<Buffer> {
  const headers = { ...envelopeHeaders(view), "content-length": view.content.bytes, ...(password && { password }) };
  const question = request(new URL("/checkv2", url), { method: "POST", agent, headers, signal: late });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    question.once("response", resolve).once("error", reject);
  });
  const sent = pipeline(view.content.read(), question);
  // It may answer and hang up before it has read all.
  sent.catch(() => undefined);
  const answer = await answered;
  const body = await readAll(answer);
  if (answer.statusCode !== 200) throw new Error(`it answered ${answer.statusCode}`);
  return body;
}

/** Bytes of UTF-8 as they are: rspamd reads them so, and HTTP allows any but controls. */
const asHeader = (text: string): string => Buffer.from(text.replace(/[\x00-\x1f\x7f]/g, "?")).toString("latin1");

function envelopeHeaders({ session, sender, recipients, mailId }: BodyView) {
  return {
    ip: session.clientIp,
    from: asHeader(`<${sender.address?.text ?? ""}>`),
    rcpt: recipients.map(({ address }) => asHeader(address.text)),
    "queue-id": asHeader(mailId),
    ...(session.helo !== undefined && { helo: asHeader(session.helo) }),
    ...(session.login !== undefined && { user: asHeader(session.login) }),
  };
}

async function readAll(answer: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error("its answer is too long");
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

interface Answer {
  readonly is_skipped?: boolean;
  readonly score?: unknown;
  readonly required_score?: unknown;
  readonly symbols?: Readonly<Record<string, { readonly score?: number } | undefined>>;
}

function readAnswer(body: Buffer): SpamScore {
  const { score, required_score: required, symbols } = JSON.parse(body.toString("utf8")) as Answer;
  if (typeof score !== "number" || !Number.isFinite(score)) throw new Error("its answer has no score");
  const found = Object.entries(symbols ?? {})
    .map(([name, symbol]) => ({ name, weight: symbol?.score ?? 0 }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, NAMES_MAX)
    .map(({ name }) => name.replace(/[^\w.-]/g, "?").slice(0, 40));
  return { score, required: typeof required === "number" ? required : Number.POSITIVE_INFINITY, found };
}
