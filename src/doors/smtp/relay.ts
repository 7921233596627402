/** What a listener is made of, and what a connection asks of it. */
import type { SMTPServer, SMTPServerSession } from "smtp-server";
import type { IpRanges } from "../../kit/ip.ts";
import type { Log } from "../../kit/log.ts";
import type { ContentBounds } from "../content-writer.ts";
import type { DataBounds } from "./data-reader.ts";
import type { PerAddress } from "./per-address.ts";
import type { Visit, VisitParts } from "./visit.ts";

export interface SmtpLimits extends DataBounds, Omit<ContentBounds, "spillDir"> {
  readonly recipientsMax: number;
  readonly connectionsMax: number;
  readonly commandsWithoutMailMax: number;
  readonly authFailuresMax: number;
  readonly idleTimeoutMs: number;
  readonly dataTimeoutMs: number;
  readonly greetingDelayMs: number;
}

/** What a reload may change; asked for anew each time. */
export interface SmtpSettings {
  readonly limits: SmtpLimits;
  readonly relayNetworks: IpRanges;
  readonly trustedProxies: IpRanges;
}

export interface SmtpParts extends VisitParts {
  readonly log: Log;
  readonly settings: () => SmtpSettings;
  readonly spillDir: string;
  /** Connections of each client address, over all listeners. */
  readonly perAddress: PerAddress;
  /** AUTH is offered only over TLS. */
  readonly requireTls: boolean;
  /** Hosts of trustedProxies begin with a PROXY header. */
  readonly proxyHeader: boolean;
}

/** The listener (server.ts), as its connections know it. */
export interface Relay<Connection> extends SMTPServer {
  readonly parts: SmtpParts;
  /** smtp-server keeps one session object for the life of a connection. */
  readonly visits: WeakMap<SMTPServerSession, Visit>;
  /** Counts the connection and lets it in, at once or, for a stranger where the operator wants it, after a moment. */
  admit(connection: Connection, ready: () => void): void;
}
