/**
 * Connections that were handed to a worker which died before it took them. node:cluster waits for that worker's word for ever: nobody
 * would greet the client, nobody would close its connection, and the supervisor would keep its descriptor.
 */
import type { ChildProcess } from "node:child_process";

/** What node:cluster sends with a connection, and what the worker says when it has it. */
interface Handing {
  readonly act?: string;
  readonly seq?: number;
  readonly ack?: number;
}

interface Connection {
  close(): void;
}

/** @returns closes what the worker has not taken: to be called when it is gone, so that its clients hear of it and come again */
export function followHandings(worker: ChildProcess): () => void {
  const untaken = new Map<number, Connection>();
  const send = worker.send.bind(worker) as (...all: unknown[]) => boolean;
  const follow = (...all: unknown[]): boolean => {
    const [message, connection] = all as [Handing, Connection | undefined];
    if (message.act === "newconn" && message.seq !== undefined && connection) untaken.set(message.seq, connection);
    return send(...all);
  };
  worker.send = follow as ChildProcess["send"];
  worker.on("internalMessage", ({ ack }: Handing) => {
    if (ack !== undefined) untaken.delete(ack);
  });
  return () => {
    for (const connection of untaken.values()) connection.close();
    untaken.clear();
  };
}
