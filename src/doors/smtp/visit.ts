import type { SMTPServerSession } from "smtp-server";
import { Unavailable } from "../../kit/trouble.ts";
import type { Client } from "../../mail/client.ts";
import { isOwn, type Sender, type Session } from "../../mail/views.ts";
import type { ClientReader } from "../../registers/clients.ts";
import type { Intake, Reception } from "../intake.ts";
import type { Transaction } from "../transaction.ts";

export interface VisitParts {
  readonly intake: Intake;
  readonly clients: ClientReader;
  readonly settings: () => { readonly relayNetworks: { has(ip: string): boolean } };
  readonly role: Session["role"];
  /** The listener's. */
  readonly packs?: readonly string[] | undefined;
}

/** How long a client that was looked up is believed, ms: one that was disabled does not relay on over an old connection. */
const BELIEVED_MS = 10_000;

/**
 * What we know of one connection besides what smtp-server keeps: our view of the session, who the client is, and the mail in
 * progress. smtp-server's facts can change under us (HELO, STARTTLS, AUTH, XCLIENT), so they are read anew for each mail.
 */
export class Visit {
  transaction: Transaction | undefined;
  /** TLS version and cipher. */
  tls: string | undefined;
  authFailures = 0;
  commandsSinceMail = 0;
  private readonly parts: VisitParts;
  private reception: Reception | undefined;
  private session: Session | undefined;
  /** What `session` was read from. */
  private facts: readonly unknown[] = [];
  /** The login or address that was last looked up, and who it was. */
  private known: { readonly key: string; readonly client: Client | undefined; readonly untilMs: number } | undefined;

  constructor(parts: VisitParts) {
    this.parts = parts;
  }

  /** Remembers a successful login. */
  login(client: Client): void {
    this.remember(`login ${client.id}`, client);
  }

  /**
   * Our session as it stands now.
   * @throws Unavailable when the client register does not answer
   */
  async reach(smtp: SMTPServerSession): Promise<Reception> {
    const session = this.sessionOf(smtp, await this.clientOf(smtp));
    if (!this.reception) this.reception = this.parts.intake.open(session);
    else this.reception.update(session);
    return this.reception;
  }

  /** Who it is, as far as can be told now: a register that is away makes a stranger of him, until his first mail. */
  async glance(smtp: SMTPServerSession): Promise<Session> {
    try {
      return (await this.reach(smtp)).session;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      return this.sessionOf(smtp, undefined);
    }
  }

  /** A client, or a host that may relay, as far as was found out by now. */
  get isOwn(): boolean {
    return this.session !== undefined && isOwn(this.session);
  }

  endMail(): void {
    this.transaction?.abort();
    this.transaction = undefined;
  }

  private async clientOf({ user, remoteAddress }: SMTPServerSession): Promise<Client | undefined> {
    const { clients } = this.parts;
    const key = user ? `login ${String(user)}` : `network ${remoteAddress}`;
    if (this.known?.key === key && performance.now() < this.known.untilMs) return this.known.client;
    return this.remember(key, user ? await clients.byId(String(user)) : await clients.byNetwork(remoteAddress));
  }

  private remember(key: string, client: Client | undefined): Client | undefined {
    this.known = { key, client, untilMs: performance.now() + BELIEVED_MS };
    return client;
  }

  /** The same frozen value as long as nothing changed, so that what is derived from it is derived once. */
  private sessionOf(smtp: SMTPServerSession, client: Client | undefined): Session {
    const { remoteAddress, remotePort, localAddress, localPort, hostNameAppearsAs, user } = smtp;
    const { relayNetworks } = this.parts.settings();
    const place = [remoteAddress, remotePort, localAddress, localPort];
    const facts = [...place, hostNameAppearsAs, user, this.tls, client, relayNetworks];
    if (!this.session || facts.some((fact, index) => fact !== this.facts[index])) {
      this.facts = facts;
      this.session = Object.freeze(this.describe(smtp, client));
    }
    return this.session;
  }

  private describe(smtp: SMTPServerSession, client: Client | undefined): Session {
    const { role, settings, packs } = this.parts;
    return {
      id: smtp.id,
      door: role === "submission" ? "submission" : "smtp",
      role,
      clientIp: smtp.remoteAddress,
      clientPort: Number(smtp.remotePort) || 0,
      serverIp: smtp.localAddress,
      serverPort: smtp.localPort,
      inRelayNetworks: settings().relayNetworks.has(smtp.remoteAddress),
      ...(smtp.hostNameAppearsAs && { helo: smtp.hostNameAppearsAs }),
      ...(this.tls !== undefined && { tls: this.tls }),
      ...(smtp.user && { login: String(smtp.user) }),
      ...(client && { client }),
      ...(packs && { packs }),
    };
  }
}

/** MAIL FROM's parameters as our own words. */
export function senderOf(smtp: SMTPServerSession, address: Sender["address"], sizeBytes: number | undefined): Sender {
  const { bodyType, smtpUtf8, requireTLS, dsn } = smtp.envelope;
  const ret = dsn?.ret === "FULL" || dsn?.ret === "HDRS" ? dsn.ret : undefined;
  return {
    address,
    eightBit: bodyType === "8bitmime",
    smtpUtf8: smtpUtf8 === true,
    requireTls: requireTLS === true,
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(ret && { ret }),
    ...(dsn?.envid && { envid: dsn.envid }),
  };
}
