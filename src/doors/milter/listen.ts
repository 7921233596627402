import type { Endpoint } from "../../config/schema.ts";
import { Misuse } from "../../kit/trouble.ts";
import type { Door } from "../door.ts";
import { createMilterSession, type MilterDoorParts } from "./door.ts";
import type { MilterFault, NewHandler } from "./handler.ts";
import type { MilterOptions } from "./options.ts";
import { listenMilter } from "./server.ts";
import { SESSION_MACROS } from "./session.ts";

/**
 * Only what is judged is waited for: MAIL, RCPT and the end of the mail. A refused connection is told at MAIL, as Postfix would
 * do itself. Over TCP the steps before the headers are answered too: Postfix sends something small with each, and two such
 * without an answer between them wait 40 ms for our kernel's delayed acknowledgement. Headers and body it sends in one piece.
 */
const STEPS = {
  unix: { connect: "listen", helo: "listen", data: "ignore" },
  tcp: { connect: "answer", helo: "answer", data: "answer" },
} as const;
const EDITS = ["addHeader", "changeHeader", "deleteRecipient", "quarantine"] as const;
/** The queue id: Sendmail knows it from MAIL on, Postfix only at the end. */
const QUEUE_ID = "i";
const MACROS = { ...SESSION_MACROS, mail: [...SESSION_MACROS.mail, QUEUE_ID], endOfMessage: [QUEUE_ID] };
const FRAME_BYTES_MIN = 1_048_576;

/** What is asked of the MTA, and the bounds of a connection. */
export const milterOptions = (
  listen: Endpoint,
  limits: { readonly connectionsMax: number; readonly headerBytesMax: number },
): MilterOptions => ({
  steps: STEPS["path" in listen ? "unix" : "tcp"],
  edits: EDITS,
  macros: MACROS,
  connectionsMax: limits.connectionsMax,
  // A header block that is too large is refused by its size, not by breaking off.
  frameBytesMax: Math.max(FRAME_BYTES_MIN, 2 * limits.headerBytesMax),
});

/**
 * Opens a milter listener.
 * @throws Misuse when the address cannot be listened on
 */
export async function openMilterDoor(listen: Endpoint, parts: MilterDoorParts): Promise<Door> {
  const onFault = ({ kind, during, error }: MilterFault): void => {
    const reason = error instanceof Error ? error.message : String(error);
    if (kind === "handler") parts.log.error({ during, err: error }, "a bug: the mail is deferred");
    else parts.log.warn({ kind, during, reason }, "milter connection");
  };
  const options = { ...milterOptions(listen, parts.settings().limits), onFault };
  const newHandler: NewHandler = (peer) => createMilterSession(parts, peer);
  const server = await listenMilter({ listen, newHandler, options }).catch((error: Error) => {
    throw new Misuse(`cannot listen for milter connections: ${error.message}`);
  });
  const { address } = server;
  return {
    address: "path" in address ? `unix:${address.path}` : `${address.host}:${address.port}`,
    connections: () => server.connections,
    renew: () => undefined,
    close: (drainMs) => server.close(drainMs),
  };
}
