/**
 * The milter door: what Postfix or Sendmail tells of a session becomes the same views the SMTP door fills, and the replies of
 * intake become the MTA's. It decides nothing; the MTA keeps the mail, so the next hop of this door is the MTA itself.
 */
import { isLoopback } from "../../kit/ip.ts";
import type { Log } from "../../kit/log.ts";
import { parsePathWithParams } from "../../mail/path.ts";
import { isPositive, type Reply, writeReply } from "../../mail/replies.ts";
import type { Recipient, Sender, Session } from "../../mail/views.ts";
import type { ClientReader } from "../../registers/clients.ts";
import { createContentWriter } from "../content-writer.ts";
import { type Intake, isReply, type Reception } from "../intake.ts";
import { troubleReply } from "../spoken.ts";
import type { Transaction } from "../transaction.ts";
import type { Edits } from "./edits.ts";
import type { BodyAnswer, MailAnswer, MilterHandler, SessionAnswer } from "./handler.ts";
import type { Macros } from "./macros.ts";
import { createMailText, type MailText, type TextBounds } from "./mail-text.ts";
import { applyPlan, createMtaHop } from "./mta-hop.ts";
import type { ConnectInfo } from "./payload.ts";

export interface MilterDoorParts {
  readonly intake: Intake;
  readonly clients: ClientReader;
  readonly log: Log;
  readonly spillDir: string;
  readonly newSessionId: () => string;
  readonly settings: () => {
    readonly limits: TextBounds & { readonly connectionsMax: number };
    readonly relayNetworks: { has(ip: string): boolean };
  };
  /** Values of {daemon_name} whose sessions are submissions: only clients may send there. */
  readonly submissionDaemons: readonly string[];
}

/** One SMTP session of the MTA's. */
export function createMilterSession(parts: MilterDoorParts): MilterHandler {
  const hop = createMtaHop();
  const id = parts.newSessionId();
  let info: ConnectInfo | undefined;
  let helo: string | undefined;
  let reception: Reception | undefined;
  let transaction: Transaction | undefined;
  let text: MailText | undefined;

  const endMail = (): void => {
    transaction?.abort();
    transaction = undefined;
    void text?.discard();
    text = undefined;
  };
  const reach = async (macros: Macros): Promise<Reception> => {
    const session = await describe(parts, { id, info, helo, macros });
    if (reception) reception.update(session);
    else reception = parts.intake.open(session, hop);
    return reception;
  };
  /** Whatever goes wrong is an answer that leaves the mail with the client. */
  const step = async <T>(work: () => Promise<T>): Promise<T | Reply> =>
    work().catch((error: unknown) => troubleReply(error, parts.log));

  return {
    connect(peer, macros): Promise<SessionAnswer> {
      info = peer;
      // A register that is away does not refuse the connection: the first mail asks again.
      return reach(macros).then(
        async (opened) => (await opened.connect()) ?? "continue",
        () => "continue" as const,
      );
    },
    helo(name): SessionAnswer {
      helo = name.toLowerCase();
      return "continue";
    },
    mail: (args, macros): Promise<MailAnswer> =>
      step(async () => {
        endMail();
        const sender = readSender(args);
        if (!sender) return writeReply("sender-shape");
        const answer = await (await reach(macros)).mail(sender);
        if (isReply(answer)) return answer;
        transaction = answer;
        text = createMailText(parts.settings().limits, () =>
          createContentWriter({ ...parts.settings().limits, spillDir: parts.spillDir }),
        );
        return "continue";
      }),
    rcpt: (args): Promise<MailAnswer> =>
      step(async () => {
        const recipient = readRecipient(args);
        if (!recipient) return { code: 501, enhanced: "5.1.3", lines: ["the recipient cannot be read"] };
        const reply = (await transaction?.rcpt(recipient)) ?? writeReply("local-trouble");
        return isPositive(reply) ? "continue" : reply;
      }),
    data: (): MailAnswer => "continue",
    header(name, value): MailAnswer {
      text?.header(name, value);
      return "continue";
    },
    endOfHeaders(): MailAnswer {
      text?.endOfHeaders();
      return "continue";
    },
    async body(chunk): Promise<BodyAnswer> {
      await text?.body(chunk);
      return text?.defect ? "skip" : "continue";
    },
    endOfMessage: (edits, macros): Promise<MailAnswer> => step(() => finish(edits, macros)),
    unknown: (): SessionAnswer => "continue",
    abort: endMail,
    close: endMail,
  };

  async function finish(edits: Edits, macros: Macros): Promise<MailAnswer> {
    const mail = transaction;
    const received = text;
    transaction = undefined;
    text = undefined;
    if (!mail || !received) return writeReply("local-trouble");
    const queueId = macros.get("i");
    const reply = await judge(mail, received, queueId === undefined ? {} : { queueId });
    if (!isPositive(reply)) return reply;
    applyPlan(hop.plan(), edits);
    return "continue";
  }
}

async function judge(mail: Transaction, text: MailText, known: { queueId?: string }): Promise<Reply> {
  if (text.defect) {
    await text.discard();
    return mail.refuse(text.defect.reply, text.defect.detail);
  }
  const content = await text.finish();
  try {
    return await mail.data(content, known);
  } finally {
    await content.dispose();
  }
}

interface Told {
  readonly id: string;
  readonly info: ConnectInfo | undefined;
  readonly helo: string | undefined;
  readonly macros: Macros;
}

/**
 * Mail that did not come by SMTP: from the MTA's own command line or made by itself. Sendmail names no address, Postfix says
 * localhost without a port. It is the operator's own.
 */
const isLocalMail = (info: ConnectInfo | undefined): boolean =>
  !info || info.family === "unknown" || info.family === "unix" || (info.port === 0 && isLoopback(info.address));

/** The session as the MTA tells it. @throws Unavailable when the client register does not answer */
async function describe(parts: MilterDoorParts, { id, info, helo, macros }: Told): Promise<Session> {
  const local = isLocalMail(info);
  const clientIp = local ? "127.0.0.1" : (info?.address ?? "");
  const login = macros.get("auth_authen");
  const client = login === undefined ? await parts.clients.byNetwork(clientIp) : await parts.clients.byId(login);
  const daemon = macros.get("daemon_name");
  const version = macros.get("tls_version");
  return Object.freeze({
    id,
    door: "milter",
    role: daemon !== undefined && parts.submissionDaemons.includes(daemon) ? "submission" : "mx",
    clientIp,
    clientPort: info?.port ?? 0,
    serverIp: macros.get("daemon_addr") ?? macros.get("if_addr") ?? "",
    serverPort: Number(macros.get("daemon_port")) || 0,
    inRelayNetworks: local || parts.settings().relayNetworks.has(clientIp),
    ...(helo !== undefined && { helo }),
    ...(version !== undefined && { tls: `${version} ${macros.get("cipher") ?? ""}`.trim() }),
    ...(login !== undefined && { login }),
    ...(client && { client }),
  } satisfies Session);
}

const bracketed = (path: string): string => (path.startsWith("<") ? path : `<${path}>`);

function readSender([path = "", ...params]: readonly string[]): Sender | undefined {
  const read = parsePathWithParams([bracketed(path), ...params].join(" "));
  if (!read) return undefined;
  const size = Number(read.params.get("SIZE"));
  const ret = read.params.get("RET");
  const envid = read.params.get("ENVID");
  return {
    address: read.path.address,
    eightBit: read.params.get("BODY") === "8BITMIME",
    smtpUtf8: read.params.has("SMTPUTF8"),
    requireTls: read.params.has("REQUIRETLS"),
    ...(size > 0 && { sizeBytes: size }),
    ...((ret === "FULL" || ret === "HDRS") && { ret }),
    ...(typeof envid === "string" && { envid }),
  };
}

function readRecipient([path = "", ...params]: readonly string[]): Recipient | undefined {
  const read = parsePathWithParams([bracketed(path), ...params].join(" "));
  if (!read?.path.address) return undefined;
  const { address, sourceRoute } = read.path;
  return { address, ...(sourceRoute !== undefined && { sourceRoute }) };
}
