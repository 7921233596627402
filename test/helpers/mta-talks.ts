/**
 * Talks through a real MTA that asks consentry as its milter. The MTA is configured to take everything, so that consentry decides;
 * what it says and writes in its own words is left out of the comparison, by name, in the tables below.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parsePathWithParams } from "../../src/mail/path.ts";
import { startMilterService } from "./milter-door.ts";
import type { TalkConnection, TalkDoor } from "./play-talk.ts";
import type { ScriptedServer } from "./scripted-server.ts";
import type { RunningService } from "./service.ts";
import { type ClientStep, parseTalk, type Step, type Talk } from "./talk.ts";

/** A real MTA with its milter socket in a directory, and a sink behind it. */
export interface Mta {
  /** Where consentry has to listen: milter.sock in this directory. */
  readonly socketDir: string;
  readonly sink: ScriptedServer;
  /** Who may log in, asked anew for each talk. */
  logins(authenticate: (login: string, password: string) => Promise<boolean>): void;
  connect(client: ClientStep): Promise<TalkConnection>;
  /** Resolves when its queue is empty. */
  settled(): Promise<void>;
}

/** What an MTA says itself where the talk has consentry's code. */
export interface OwnAnswer {
  readonly talk: string;
  /** The command, or CONTENT. */
  readonly after: RegExp;
  readonly code: number;
  readonly reason: string;
}

const folder = join(import.meta.dirname, "../talks");

export const TALKS: readonly { readonly name: string; readonly talk: Talk }[] = readdirSync(folder)
  .filter((name) => name.endsWith(".talk"))
  .map((file) => ({ name: file.slice(0, -".talk".length), talk: parseTalk(readFileSync(join(folder, file), "utf8")) }));

/** What only our own trace line, or a Maildir, can hold: through a milter the trace is the MTA's. */
const OUR_TRACE = /^Received: from|with (ESMTP|UTF8SMTP)|^for <|^\(\[|^Return-Path:/;

/** The same talk, held only to what a milter decides. */
export function throughMilter({ name, talk }: (typeof TALKS)[number], own: readonly OwnAnswer[]): Talk {
  const ours = (text: string): boolean => !OUR_TRACE.test(text);
  return {
    ...talk,
    steps: talk.steps.map((step) =>
      expectedOf(
        step,
        own.find((each) => each.talk === name && each.after.test(said(step))),
      ),
    ),
    arrivesWith: talk.arrivesWith.filter(ours),
    arrivesWithout: talk.arrivesWithout.filter(ours),
  };
}

const said = (step: Step): string =>
  step.kind === "say" ? step.command : step.kind === "content" ? "CONTENT" : `client ${step.ip}`;

/** A yes is in the MTA's words; a no is in ours, unless the table says whose it is. */
function expectedOf(step: Step, own: OwnAnswer | undefined): Step {
  if (own) return { ...step, expected: { code: own.code, fragments: [] } };
  if (!step.expected || step.expected.code >= 400) return step;
  return { ...step, expected: { code: step.expected.code, fragments: [] } };
}

/** The door of one talk: a fresh consentry behind the same MTA. */
export async function openThrough(mta: Mta, talk: Talk): Promise<TalkDoor> {
  const service = await startMilterService(talk.config, mta.socketDir);
  await furnish(service, talk);
  mta.logins(async (login, password) => (await service.house.clients.authenticate(login, password)) !== undefined);
  const seen = mta.sink.mails.length;
  const copies = () =>
    mta.sink.mails
      .slice(seen)
      .flatMap(({ recipients, body }) =>
        recipients.map((to) => ({ to: addressee(to), body: body.toString("latin1") })),
      );
  return {
    entries: service.entries,
    connect: mta.connect,
    settled: mta.settled,
    mails: () => copies().map(({ body }) => body),
    mailsTo: (address) =>
      copies()
        .filter(({ to }) => to === address)
        .map(({ body }) => body),
    lastId: async () => (await service.entries()).at(-1)?.mailId ?? "",
  };
}

/** Of a RCPT line, as the ledger writes it. A bare postmaster has got the MTA's own domain. */
function addressee(line: string): string {
  const text = parsePathWithParams(line.slice("RCPT TO:".length))?.path.address?.text ?? line;
  return text.toLowerCase().replace(/^postmaster@(postfix\.test|\[127\.0\.0\.1\])$/, "postmaster");
}

export async function furnish(
  { house }: RunningService,
  { clients, consents, codes }: Pick<Talk, "clients" | "consents" | "codes">,
): Promise<void> {
  for (const { client, password } of clients) await house.clients.save(client, password);
  for (const { recipient, advertiser, refused, ...agreed } of consents) {
    if (refused) await house.consents.withdraw(advertiser, recipient);
    else await house.consents.grant({ recipient, advertiser, ...agreed, proof: { how: "paper" } });
  }
  for (const { code, holder, state } of codes) {
    const nowMs = house.clock.now();
    const issuedAtMs = nowMs - 100 * DAY_MS;
    const expiresAtMs = state === "expired" ? nowMs - DAY_MS : nowMs + DAY_MS;
    const terms = { validYears: 3, renewDaysBefore: 30 };
    await house.codes.issue({ code, holder, issuedAtMs, expiresAtMs, published: true }, terms);
    if (state === "revoked") await house.codes.revoke(code, "sanction", nowMs - DAY_MS);
  }
}

const DAY_MS = 86_400_000;
