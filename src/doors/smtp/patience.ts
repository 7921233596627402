/**
 * Looks round the connections of a listener now and then, instead of a timer for each command and mail: who lets a mail trickle in, who
 * never ends a command, who does not read what he is told, and, where room gets short, strangers who hold a place for nothing. A byte now and
 * then is no progress: whole commands are, and whole mails.
 */
import { type ReplyId, writeReply } from "../../mail/replies.ts";
import { Spoken } from "./answers.ts";
import type { RelayConnection } from "./connection.ts";

export interface PatienceLimits {
  readonly dataTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly connectionsMax: number;
}

export interface Patience {
  stop(): void;
}

const LOOK_MS_MAX = 1_000;
const LOOK_MS_MIN = 20;
/** From this share of limits.connectionsMax on, strangers have to be quick … */
const CROWDED = 0.8;
/** … so quick, ms. */
const CROWDED_IDLE_MS = 10_000;
/** Of our answers, bytes: hundreds of them, unread. */
const UNREAD_BYTES_MAX = 262_144;

/** @param connections asked anew each time @param limits in force now */
export function startPatience(connections: () => ReadonlySet<unknown>, limits: () => PatienceLimits): Patience {
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const open = connections();
    const bounds = limits();
    const now = performance.now();
    const isCrowded = open.size > CROWDED * bounds.connectionsMax;
    const round = { ...bounds, now, isCrowded };
    for (const connection of open) lookAt(connection as RelayConnection, round);
    timer = setTimeout(look, everyMs(bounds)).unref();
  };
  timer = setTimeout(look, everyMs(limits())).unref();
  return { stop: () => clearTimeout(timer) };
}

const everyMs = ({ dataTimeoutMs, idleTimeoutMs }: PatienceLimits): number =>
  Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, Math.min(dataTimeoutMs, idleTimeoutMs) / 10));

interface Look extends PatienceLimits {
  readonly now: number;
  readonly isCrowded: boolean;
}

function lookAt(connection: RelayConnection, { now, isCrowded, dataTimeoutMs, idleTimeoutMs }: Look): void {
  const { receivingSince, progressAt, visit } = connection;
  if (connection._socket.writableLength > UNREAD_BYTES_MAX) connection._socket.destroy();
  else if (receivingSince !== undefined) {
    if (now - receivingSince > dataTimeoutMs) void refuseRest(connection);
  } else if (!connection._handlerPending) {
    if (now - progressAt > idleTimeoutMs) hangUp(connection, "idle-timeout");
    else if (isCrowded && now - progressAt > CROWDED_IDLE_MS && !visit.isOwn)
      hangUp(connection, "too-many-connections");
  }
}

const hangUp = (connection: RelayConnection, why: ReplyId): void =>
  connection.send(421, new Spoken(writeReply(why)) as unknown as string);

/** A mail that takes too long is refused as far as it came: written down, told, and its place is free. */
async function refuseRest(connection: RelayConnection): Promise<void> {
  const { visit } = connection;
  const { transaction } = visit;
  connection.receivingSince = undefined;
  connection._handlerPending = true;
  connection._socket.pause();
  visit.transaction = undefined;
  try {
    await transaction?.refuse("data-timeout");
    hangUp(connection, "data-timeout");
  } catch (error) {
    connection.breakOff(error);
  }
}
