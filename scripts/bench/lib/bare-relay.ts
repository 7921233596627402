/**
 * The peer: smtp-server and nodemailer and nothing else, one process, no rules, no ledger. Two ways to write it, chosen by the
 * second argument: `stream` pipes each mail into an SMTPConnection kept for each client connection (the quicker one),
 * `pool` collects the mail and gives it to nodemailer's pooled transport (what most people write).
 */
import { createTransport } from "nodemailer";
import SMTPConnection from "nodemailer/lib/smtp-connection/index.js";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";

const [listenPort = "0", style = "stream", sinkPort = "0"] = process.argv.slice(2);
const next = { host: "127.0.0.1", port: Number(sinkPort), ignoreTLS: true };

type Done = (error?: Error | null, message?: string) => void;
const envelopeOf = (session: SMTPServerSession) => ({
  from: session.envelope.mailFrom ? session.envelope.mailFrom.address : "",
  to: session.envelope.rcptTo.map((recipient) => recipient.address),
});

const kept = new Map<string, Promise<SMTPConnection>>();

function connectionFor(session: SMTPServerSession): Promise<SMTPConnection> {
  const known = kept.get(session.id);
  if (known) return known;
  const opened = new Promise<SMTPConnection>((resolve, reject) => {
    const connection = new SMTPConnection(next);
    connection.once("error", reject);
    connection.connect(() => resolve(connection));
  });
  kept.set(session.id, opened);
  return opened;
}

async function stream(mail: SMTPServerDataStream, session: SMTPServerSession, done: Done): Promise<void> {
  const connection = await connectionFor(session);
  connection.send(envelopeOf(session), mail, (error: Error | null) => done(error));
}

const pool = createTransport({ ...next, pool: true, maxConnections: 20, maxMessages: Number.POSITIVE_INFINITY });

function collect(mail: SMTPServerDataStream, session: SMTPServerSession, done: Done): void {
  const chunks: Buffer[] = [];
  mail.on("data", (chunk: Buffer) => chunks.push(chunk));
  mail.on("end", () => {
    pool.sendMail({ envelope: envelopeOf(session), raw: Buffer.concat(chunks) }, (error: Error | null) => done(error));
  });
}

const server = new SMTPServer({
  authOptional: true,
  disableReverseLookup: true,
  disabledCommands: ["STARTTLS", "AUTH"],
  logger: false,
  onData: (mail, session, done) =>
    style === "stream" ? void stream(mail, session, done) : collect(mail, session, done),
  onClose: (session) => {
    void kept.get(session.id)?.then((connection) => connection.quit());
    kept.delete(session.id);
  },
});
server.on("error", () => undefined);
server.listen(Number(listenPort), "127.0.0.1");
process.once("SIGTERM", () => process.exit(0));
