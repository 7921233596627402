/**
 * What has the mails of the spool tried, built by hand: the ways out, the reports, the gate, the runner. In the process of the service, or in one
 * that only delivers (deliverer.ts).
 */
import { join } from "node:path";
import { carrierOf, reporterOf } from "./carriage.ts";
import type { Config } from "./config/schema.ts";
import { bindingSource, createFlightGate } from "./delivery/flight-gate.ts";
import { gathering } from "./delivery/queue/gathering.ts";
import type { Carrier, Gate } from "./delivery/queue/queued.ts";
import { type Runner, startRunner } from "./delivery/queue/runner.ts";
import type { House } from "./house.ts";
import { createFlights } from "./registers/flights.ts";
import { type OpenSpool, openSpool, type SpoolOptions } from "./stores/spool/open.ts";
import { nameOf as processName } from "./stores/spool/owners.ts";
import type { WereEntered } from "./stores/spool/recovery.ts";

const MB = 1_048_576;
/** Of what becomes of mails, so much is written down together. */
const GATHER_MS = 10;

export const spoolDir = ({ dataDir }: Pick<Config, "dataDir">): string => join(dataDir, "spool");

export interface Delivering extends Pick<Runner, "wake" | "bring"> {
  close(graceMs: number): Promise<void>;
}

/**
 * Delivers what is in the spool of a service that runs in another process.
 * @param onOver a mail that was brought needs nobody else's care any more
 */
export async function openDelivery(house: House, onOver: (id: string) => void): Promise<Delivering> {
  const carrier = carrierOf(house, house.law.config);
  const spool = await openSpool(spoolOptions(house, "helper"));
  const running = runQueue(house, { spool, carrier, onOver });
  return {
    wake: running.wake,
    bring: running.bring,
    async close(graceMs) {
      await running.close(graceMs);
      await carrier.close(graceMs);
      await spool.close();
    },
  };
}

export interface QueueParts {
  readonly spool: OpenSpool;
  readonly carrier: Carrier;
  readonly onOver?: (id: string) => void;
}

/** Has the mails of the spool tried by this process. */
export function runQueue(house: House, { spool, carrier, onOver }: QueueParts): Delivering {
  const { clock, log, ids, recorder } = house;
  const settings = () => house.law.config.queue;
  const runner = startRunner({
    spool,
    carrier,
    recorder: gathering(recorder, GATHER_MS),
    log,
    ids,
    now: clock.now,
    times: settings,
    hostname: () => house.law.config.hostname,
    isLocal: (domain) => house.law.site.isLocal(domain),
    attemptMaxMs: settings().attemptMaxMs,
    gate: refusalGate(house, settings().attemptMaxMs),
    deliveriesMax: settings().deliveriesMax,
    reporter: reporterOf(house),
    onBlock: () => house.meter.count("consentry_blocks_total"),
    tellsHoldEnd: () => settings().holdNotice,
    ...(onOver && { onOver }),
  });
  return {
    wake: runner.wake,
    bring: runner.bring,
    async close(graceMs) {
      const left = await runner.stop(graceMs);
      if (left.length > 0) await spool.giveBack(left).catch(() => undefined);
    },
  };
}

/** Refusals that come while advertising waits, or is being tried; then what else customers' mail is asked. */
const refusalGate = (house: House, attemptMaxMs: number): Gate =>
  createFlightGate({
    ...house,
    flights: createFlights(house.store.tables, house.clock, { answerMs: () => attemptMaxMs }),
    inner: house.gate,
    sourceOf: bindingSource(() => house.law),
    attemptMaxMs,
  });

export function spoolOptions(house: House, role: SpoolOptions["role"]): SpoolOptions {
  const { config } = house.law;
  const { timeoutMs, inlineBytesMax, reserveMb, mailsMax } = config.queue;
  return {
    dir: spoolDir(config),
    timeoutMs,
    inlineBytesMax,
    mailsMax,
    reserveBytes: reserveMb * MB,
    now: house.clock.now,
    steadyMs: house.clock.steadyMs,
    role,
    // One service are the workers of one supervisor. Those of one that was killed may end their mails while the next one's begin.
    ...(house.supervisor !== undefined && { service: processName(house.supervisor), keeper: house.supervisor }),
    wereEntered: enteredIn(house),
  };
}

/** A clock may have been set back meanwhile. */
const MARGIN_MS = 3_600_000;

/** Asks the journal: an hour leaves it a minute after its end at the earliest, and arriving mails are settled within seconds. */
const enteredIn =
  ({ journal }: House): WereEntered =>
  async (ids, sinceMs) => {
    const found = new Set<string>();
    for await (const { event, mailId } of journal.find({ sinceMs: sinceMs - MARGIN_MS })) {
      if ((event === "received" || event === "held") && mailId !== undefined && ids.has(mailId)) found.add(mailId);
    }
    return found;
  };
