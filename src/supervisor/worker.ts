/** One of several workers: the same service as alone, told by its supervisor when to start, reload and stop. */
import cluster from "node:cluster";
import { loadConfig } from "../config/load.ts";
import { buildHouse } from "../house.ts";
import { createLog, type Log } from "../kit/log.ts";
import { giveMemoryBack } from "../kit/memory.ts";
import { Misuse } from "../kit/trouble.ts";
import { type Change, openHouse, type Service } from "../main.ts";
import { createNeighbours, type Neighbours } from "./census.ts";
import { createGathering, type Gathering } from "./gathering.ts";
import { type Order, PULSE_MS, type Report } from "./messages.ts";

/** What it needs of the process it is; a test may give another. */
export interface Channel {
  send(report: Report): void;
  onOrder(listener: (order: Order) => void): void;
  /** The supervisor is gone. Before anybody listens for that, the process ends at once. */
  onOrphaned(listener: () => void): void;
  /** Ends the process, whatever is still going on in it. */
  end(): void;
}

/** Beyond limits.drainMs: for what is left to close then. */
const LAST_MS = 10_000;

/** Why a worker ended: it was told to, or there was nobody left to tell it. */
export type Ending = "told" | "orphaned";

/** Runs until it is told to stop, or there is nobody left to tell it. @throws Misuse, or whatever keeps it from starting */
export async function work(channel: Channel): Promise<Ending> {
  // As long as there is one: an orphan has another parent.
  const supervisor = process.ppid;
  const neighbours = createNeighbours((counts) => channel.send({ report: "connections", counts }));
  const { path, text, worker, next } = await started(channel, neighbours);
  const { config, file } = loadConfig(path, process.env, text);
  const log = createLog(config.log.level, config.log.format, worker);
  const house = await buildHouse({ config, file }, log, { worker, supervisor });
  const gathering = createGathering(channel, house.meter);
  const around = { worker, elsewhere: neighbours, gather: gathering.gather };
  const service = await openHouse(house, around).catch(async (error: unknown) => {
    await house.close();
    throw error;
  });
  giveMemoryBack();
  const pulse = setInterval(() => channel.send({ report: "pulse" }), PULSE_MS).unref();
  channel.send({ report: "ready", addresses: service.addresses, nextHop: config.nextHop.to });
  const ending = await untilStopped({ channel, service, log, path, next, gathering, drainMs: config.limits.drainMs });
  clearInterval(pulse);
  return ending;
}

interface Start {
  readonly path: string;
  readonly text: string;
  readonly worker: number;
  /** From now on orders come here. */
  next(listener: (order: Order) => void): void;
}

/** Orders that come before the service is there wait for it. */
function started(channel: Channel, neighbours: Neighbours): Promise<Start> {
  const early: Order[] = [];
  let listener = (order: Order): void => void early.push(order);
  return new Promise((resolve) => {
    channel.onOrder((order) => {
      if (order.order === "elsewhere") return neighbours.learn(order.counts);
      if (order.order !== "start") return listener(order);
      resolve({
        ...order,
        next(taker) {
          listener = taker;
          for (const each of early.splice(0)) taker(each);
        },
      });
    });
  });
}

interface Running extends Pick<Start, "path" | "next"> {
  readonly channel: Channel;
  readonly service: Service;
  readonly log: Log;
  readonly gathering: Gathering;
  readonly drainMs: number;
}

async function untilStopped({ channel, service, log, path, next, gathering, drainMs }: Running): Promise<Ending> {
  const changes = createChanges(service, path);
  const why = await new Promise<string>((resolve) => {
    channel.onOrphaned(() => {
      log.warn("the supervisor is gone: mails in progress may end, then this worker does");
      resolve("orphaned");
    });
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
    next((order) => {
      if (order.order === "stop") return resolve("told to");
      if (order.order === "snapshot") return gathering.tell(order.id);
      if (order.order === "gathered") return gathering.hear(order);
      if (order.order === "prepare" || order.order === "commit" || order.order === "drop") {
        void changes(order).then((problem) =>
          channel.send({ report: "done", id: order.id, ...(problem !== undefined && { problem }) }),
        );
      }
    });
  });
  log.debug({ why }, "stopping: mails in progress may end");
  // Nobody is left who would end it, if the supervisor is gone.
  setTimeout(channel.end, drainMs + LAST_MS).unref();
  await service.close();
  return why === "orphaned" ? "orphaned" : "told";
}

type Changing = Extract<Order, { order: "prepare" | "commit" | "drop" }>;

/** @returns what answers an order about another configuration: with what is wrong with it, if anything is */
function createChanges(service: Service, path: string): (order: Changing) => Promise<string | undefined> {
  let prepared: Change | undefined;
  const obey = async (order: Changing): Promise<void> => {
    const ready = prepared;
    prepared = undefined;
    if (order.order === "commit") {
      if (!ready) throw new Error("nothing is prepared");
      return ready.commit();
    }
    ready?.drop();
    if (order.order === "prepare") prepared = await service.prepare(loadConfig(path, process.env, order.text));
  };
  return async (order) => {
    try {
      await obey(order);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };
}

/** The channel of a real worker process. @param end ends it */
export function channelOfProcess(end: () => void): Channel {
  const { worker } = cluster;
  let orphaned = end;
  process.once("disconnect", () => orphaned());
  if (!process.connected) end();
  // Otherwise Node ends a worker the moment its supervisor dies, in the middle of its mails.
  if (worker) worker.exitedAfterDisconnect = true;
  // The channel breaks before it is known to be closed, and that is told next; unheard, this would end it with a trace of node:cluster.
  worker?.on("error", () => undefined);
  return {
    send(report) {
      if (process.connected) process.send?.(report, undefined, undefined, () => undefined);
    },
    onOrder: (listener) => void process.on("message", listener),
    onOrphaned(listener) {
      orphaned = listener;
    },
    end,
  };
}

export const lastWords = (error: unknown): Report => ({
  report: "failed",
  why: error instanceof Misuse ? error.message : ((error as Error)?.stack ?? String(error)),
  misuse: error instanceof Misuse,
});
