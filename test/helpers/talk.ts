/** Reads test/talks/*.talk; the format is described in test/talks/README.md. */
import { parse } from "yaml";
import { CLIENT_KINDS, type Client, type ClientKind } from "../../src/mail/client.ts";
import type { Standing } from "../../src/registers/consents.ts";

export interface GivenClient {
  readonly client: Client;
  readonly password?: string;
}

export interface GivenConsent extends Pick<Standing, "limit" | "hours"> {
  readonly recipient: string;
  readonly advertiser: string;
  readonly refused: boolean;
  readonly topics: readonly string[];
}

export interface GivenCode {
  readonly code: string;
  readonly holder: string;
  readonly state: "valid" | "expired" | "revoked";
}

/** What must be heard: a code, perhaps an enhanced code, and fragments that the text must hold. */
export interface Expected {
  readonly code: number;
  readonly enhanced?: string;
  readonly fragments: readonly string[];
}

export interface ClientStep {
  readonly kind: "client";
  readonly ip: string;
  readonly helo: string;
  readonly login?: string;
  readonly password?: string;
  readonly port: "smtp" | "submission";
}

/** One command line as it goes over the wire. */
export interface SayStep {
  readonly kind: "say";
  readonly command: string;
}

export interface ContentStep {
  readonly kind: "content";
  /** Lines without their ends, one character a byte, placeholders still in them. */
  readonly lines: readonly string[];
}

export type Step = (ClientStep | SayStep | ContentStep) & { readonly line: number; readonly expected?: Expected };

export interface ExpectedEntry {
  readonly event: string;
  /** "-": none. */
  readonly recipient: string;
  readonly rules: readonly string[];
  readonly articles: readonly string[];
}

export interface Talk {
  readonly title: string;
  readonly clients: readonly GivenClient[];
  readonly consents: readonly GivenConsent[];
  readonly codes: readonly GivenCode[];
  readonly config: Readonly<Record<string, unknown>>;
  /** Why a door cannot play it, by the door's name. */
  readonly skips: ReadonlyMap<string, string>;
  readonly steps: readonly Step[];
  readonly ledger: readonly ExpectedEntry[];
  readonly delivered: readonly string[];
  readonly arrivesWith: readonly string[];
  readonly arrivesWithout: readonly string[];
}

interface Draft {
  clients: GivenClient[];
  consents: GivenConsent[];
  codes: GivenCode[];
  yaml: string[];
  skips: Map<string, string>;
  steps: Step[];
  ledger: ExpectedEntry[];
  delivered: string[] | undefined;
  arrivesWith: string[];
  arrivesWithout: string[];
}

type Reader = (draft: Draft, match: readonly string[], line: number) => void;

const listOf = (text: string): string[] => text.split(", ").map((part) => part.trim());
const at = (match: readonly string[], index: number): string => match[index] ?? "";

/** Every kind of line, and what it adds. */
const LINES: readonly (readonly [RegExp, Reader])[] = [
  [/^given client (\S+): (.+)$/, (draft, match) => void draft.clients.push(clientOf(at(match, 1), at(match, 2)))],
  [
    /^given code (\S+) of ([^\s,]+)(?:, (expired|revoked))?$/,
    (draft, match) => {
      const state = (match[3] ?? "valid") as GivenCode["state"];
      draft.codes.push({ code: at(match, 1), holder: at(match, 2), state });
    },
  ],
  [/^given (\S+) agreed to ([^\s,]+)(?:, (.+))?$/, (draft, match) => void draft.consents.push(consentOf(match, false))],
  [/^given (\S+) refused (\S+)$/, (draft, match) => void draft.consents.push(consentOf(match, true))],
  [
    /^not through ([\w, -]+): (.+)$/,
    (draft, match) => {
      for (const door of listOf(at(match, 1))) draft.skips.set(door, at(match, 2));
    },
  ],
  [/^client (\S+) greets (\S+?)((?:, .+)?)$/, (draft, match, line) => void draft.steps.push(greeting(match, line))],
  [
    /^(MAIL|RCPT) (<.*)$/,
    (draft, match, line) => {
      const command = `${at(match, 1) === "MAIL" ? "MAIL FROM" : "RCPT TO"}:${at(match, 2)}`;
      draft.steps.push({ kind: "say", command, line });
    },
  ],
  [/^SAY (.+)$/, (draft, match, line) => void draft.steps.push({ kind: "say", command: at(match, 1), line })],
  [/^CONTENT$/, (draft, _, line) => void draft.steps.push({ kind: "content", lines: [], line })],
  [/^(\d*)>(?: (.*))?$/, (draft, match) => addContent(draft, Number(at(match, 1) || 1), at(match, 2))],
  [/^ {2}(\d{3})(?: (\d\.\d+\.\d+))?(?: (.+))?$/, expectOfLast],
  [
    /^ledger (\S+) (\S+)(?: by (.+?))?(?: citing (.+))?$/,
    (draft, match) => {
      const [rules, articles] = [match[3], match[4]].map((text) => (text ? listOf(text) : []));
      draft.ledger.push({ event: at(match, 1), recipient: at(match, 2), rules: rules ?? [], articles: articles ?? [] });
    },
  ],
  [
    /^delivered (.+)$/,
    (draft, match) => {
      if (draft.delivered) throw new Error("one delivered line is enough");
      draft.delivered = at(match, 1) === "nobody" ? [] : listOf(at(match, 1));
    },
  ],
  [/^arrives with (.+)$/, (draft, match) => void draft.arrivesWith.push(at(match, 1))],
  [/^arrives without (.+)$/, (draft, match) => void draft.arrivesWithout.push(at(match, 1))],
];

const isTalkLine = (text: string): boolean => text === "given config" || LINES.some(([form]) => form.test(text));

/** @throws Error naming the line that cannot be read, or what is missing */
export function parseTalk(text: string): Talk {
  const lines = text.replace(/\n$/, "").split("\n");
  const title = /^# (.+)$/.exec(lines[0] ?? "")?.[1];
  if (!title) throw new Error("line 1: a talk begins with its title: # …");
  const draft: Draft = {
    clients: [],
    consents: [],
    codes: [],
    yaml: [],
    skips: new Map(),
    steps: [],
    ledger: [],
    delivered: undefined,
    arrivesWith: [],
    arrivesWithout: [],
  };
  const first = lines.findIndex((line, index) => index > 0 && isTalkLine(line));
  let inConfig = false;
  for (const [index, line] of lines.entries()) {
    if (first < 0 || index < first || line.trim() === "") continue;
    if (inConfig && line.startsWith("  ")) {
      draft.yaml.push(line.slice(2));
      continue;
    }
    inConfig = line === "given config";
    if (!inConfig) readLine(draft, line, index + 1);
  }
  return finished(draft, title);
}

function readLine(draft: Draft, text: string, line: number): void {
  for (const [form, read] of LINES) {
    const match = form.exec(text);
    if (!match) continue;
    try {
      return read(draft, match, line);
    } catch (error) {
      throw new Error(`line ${line}: ${(error as Error).message}`);
    }
  }
  throw new Error(`line ${line}: cannot be read: ${text}`);
}

function finished({ yaml, delivered, ...draft }: Draft, title: string): Talk {
  if (!delivered) throw new Error("a talk says who has the mail: delivered …");
  const silent = draft.steps.find(({ kind, expected }) => kind !== "client" && !expected);
  if (silent) throw new Error(`line ${silent.line}: what must be heard?`);
  if (draft.steps[0]?.kind !== "client") throw new Error("a talk begins with a client");
  return { ...draft, title, delivered, config: (parse(yaml.join("\n")) as Record<string, unknown> | null) ?? {} };
}

function clientOf(id: string, text: string): GivenClient {
  const [kind = "", ...more] = listOf(text);
  if (!CLIENT_KINDS.includes(kind as ClientKind)) throw new Error(`no kind of client: ${kind}`);
  const said = new Map(more.map((part) => [part.split(" ")[0] ?? "", part.split(" ").slice(1)]));
  const unknown = [...said.keys()].find((key) => !["domains", "networks", "password", "rate"].includes(key));
  if (unknown !== undefined) throw new Error(`clients have no ${unknown}`);
  const password = said.get("password")?.[0];
  return {
    client: {
      id,
      kind: kind as ClientKind,
      domains: said.get("domains") ?? [],
      networks: said.get("networks") ?? [],
      ...(said.has("rate") && { ratePerMinute: Number(said.get("rate")?.[0]) }),
      disabled: false,
    },
    ...(password !== undefined && { password }),
  };
}

function consentOf(match: readonly string[], refused: boolean): GivenConsent {
  const parts = match[3] === undefined ? [] : listOf(match[3]);
  const said = (form: RegExp): RegExpExecArray | undefined =>
    parts.map((part) => form.exec(part) ?? undefined).find(Boolean);
  const limit = said(/^(\d+) in (\d+) hours$/);
  const hours = said(/^from (.+)$/)?.[1];
  const topics = said(/^for (.+)$/)?.[1]?.split(" and ") ?? [];
  if ([limit, hours, topics.length > 0].filter(Boolean).length !== parts.length)
    throw new Error(`nobody agrees to ${match[3]}`);
  return {
    recipient: at(match, 1),
    advertiser: at(match, 2),
    refused,
    topics,
    ...(limit && { limit: { max: Number(limit[1]), windowMs: Number(limit[2]) * 3_600_000 } }),
    ...(hours !== undefined && { hours }),
  };
}

function greeting(match: readonly string[], line: number): Step {
  const more = listOf(at(match, 3)).filter((part) => part !== "");
  const login = more.map((part) => /^logs in as (\S+) with (\S+)$/.exec(part)).find(Boolean);
  const rest = more.filter((part) => part !== "on submission" && !part.startsWith("logs in as "));
  if (rest.length > 0) throw new Error(`clients do not ${rest.join(", ")}`);
  return {
    kind: "client",
    ip: at(match, 1),
    helo: at(match, 2),
    port: more.includes("on submission") ? "submission" : "smtp",
    ...(login && { login: at(login, 1), password: at(login, 2) }),
    line,
  };
}

function lastStep(draft: Draft): Step {
  const step = draft.steps.at(-1);
  if (!step) throw new Error("nothing was said yet");
  return step;
}

function addContent(draft: Draft, times: number, text: string): void {
  const step = lastStep(draft);
  if (step.kind !== "content" || step.expected) throw new Error("content stands below CONTENT");
  const lines = [...step.lines, ...Array.from({ length: times }, () => bytesOf(text))];
  draft.steps[draft.steps.length - 1] = { ...step, lines };
}

/** UTF-8, one character a byte, with `\xB9` and `\\` undone. */
const bytesOf = (text: string): string =>
  Buffer.from(text, "utf8")
    .toString("latin1")
    .replace(/\\(?:x([0-9A-Fa-f]{2})|\\)/g, (_, hex: string | undefined) =>
      hex === undefined ? "\\" : String.fromCharCode(Number.parseInt(hex, 16)),
    );

function expectOfLast(draft: Draft, match: readonly string[]): void {
  const step = lastStep(draft);
  if (step.expected) throw new Error("one expectation for each thing said");
  const enhanced = match[2];
  const expected: Expected = {
    code: Number(match[1]),
    fragments: match[3]?.split(" / ") ?? [],
    ...(enhanced !== undefined && { enhanced }),
  };
  draft.steps[draft.steps.length - 1] = { ...step, expected };
}
