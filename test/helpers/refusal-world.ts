/**
 * A small world for one question: can an advertisement reach the next hop after its recipient's refusal was acknowledged? Several workers
 * with intakes of their own share a real store; every step that waits (for the store, the next hop, the time between two
 * looks) stops until the schedule lets it go on, and workers die where the schedule says so. Nothing happens by itself, so
 * one list of numbers is one history.
 */
import { setImmediate as breathe } from "node:timers/promises";
import type { NextHop } from "../../src/delivery/next-hop.ts";
import { createDesk } from "../../src/desk/desk.ts";
import { createIntake, isReply } from "../../src/doors/intake.ts";
import { createIds } from "../../src/kit/ids.ts";
import { createLog } from "../../src/kit/log.ts";
import type { Tables } from "../../src/kit/store.ts";
import { createRecorder } from "../../src/ledger/recorder.ts";
import { createConsentRegister } from "../../src/registers/consents.ts";
import { createFlights, type Flights } from "../../src/registers/flights.ts";
import { recordedConsent } from "../../src/rules/consent/recorded-consent.ts";
import { createMemoryJournal } from "../../src/stores/memory/journal.ts";
import { contextOf, recipientOf, senderOf, sessionOf } from "./described.ts";
import { handClock } from "./hand-clock.ts";
import { contentOf } from "./letters.ts";
import { pipelineOf, settingOf } from "./settings.ts";

export const SHOP = "shop";
/** Longest time the next hop takes for its answer. */
const ANSWER_MS = 20_000;
const TICK_MS = 9_000;
const STEPS_MAX = 3_000;
const WORKERS = 2;
/** One step in so many lets time pass, and one kills a worker. */
const KINDS = 24;
const NOTHING_SPECIAL = 2;
/** Those who refuse come somewhere in the course of a mail. */
const IDLE_MAX = 16;
const AD = "From: news@shop.example\r\nSubject: AD sale\r\nX-Ad: yes\r\n\r\nbuy\r\n";

/** What is left out of the gate, to see that it is missed. */
export type LeftOut = "nothing" | "the last question" | "the wait" | "the flight";

export interface Happened {
  /** Words of the history, in order. */
  readonly history: readonly string[];
  /** An advertisement was taken after the refusal was acknowledged. */
  readonly overtaken: boolean;
  readonly delivered: number;
  readonly acknowledged: boolean;
}

interface Waiting {
  readonly label: string;
  readonly worker: number;
  go(): void;
}

/** Lets one waiting step go on at a time. */
function createSchedule() {
  const waiting: Waiting[] = [];
  let busy = 0;
  return {
    waiting,
    turn: (worker: number, label: string) =>
      new Promise<void>((resolve) => void waiting.push({ label, worker, go: resolve })),
    /** Real work, which nobody schedules. */
    async during<T>(work: () => Promise<T>): Promise<T> {
      busy += 1;
      try {
        return await work();
      } finally {
        busy -= 1;
      }
    },
    /** Until everybody waits for a turn. */
    async quiet(): Promise<void> {
      for (let still = 0; still < 3; still = busy === 0 ? still + 1 : 0) await breathe();
    },
  };
}

type Schedule = ReturnType<typeof createSchedule>;

/** The tables, one worker's: whoever has asked hears the answer when it is his turn. */
function slowTables(tables: Tables, schedule: Schedule, worker: number): Tables {
  const slow = async <T>(label: string, work: () => Promise<T>): Promise<T> => {
    const answer = await schedule.during(work);
    await schedule.turn(worker, label);
    return answer;
  };
  return {
    ...tables,
    get: (table, key) => slow(`get ${table}`, () => tables.get(table, key)),
    getMany: (table, keys) => slow(`getMany ${table}`, () => tables.getMany(table, keys)),
    put: (table, ...rest) => slow(`put ${table}`, () => tables.put(table, ...rest)),
    remove: (table, key) => slow(`remove ${table}`, () => tables.remove(table, key)),
    async *list(table, partition) {
      yield* await slow(`list ${table}`, async () => {
        const rows = [];
        for await (const row of tables.list(table, partition)) rows.push(row);
        return rows;
      });
    },
  };
}

/**
 * One history.
 * @param name tells this history's people from those of others in the same store
 * @param picks which of the waiting steps goes on; when they are used up, the first
 */
export async function playRefusal(
  tables: Tables,
  name: string,
  { picks, leftOut = "nothing" }: { picks: readonly number[]; leftOut?: LeftOut },
): Promise<Happened> {
  const schedule = createSchedule();
  const clock = handClock();
  const history: string[] = [];
  const ann = `ann-${name}@example.com`;
  const advertiser = `${SHOP}-${name}`;
  const dead = new Set<number>();
  let [acknowledged, overtaken, delivered] = [false, false, 0];
  await createConsentRegister(tables, clock).grant({
    advertiser,
    recipient: ann,
    topics: [],
    proof: { how: "paper" },
    grantedAtMs: clock.now() - 1,
  });

  /** Takes what has been sent in time, whatever became of its sender. */
  async function server(sentAtMs: number): Promise<void> {
    await schedule.turn(SERVER, "the next hop reads the final dot");
    if (clock.now() - sentAtMs > ANSWER_MS) throw new Error("the connection is gone");
    delivered += 1;
    if (acknowledged) overtaken = true;
    history.push(acknowledged ? "DELIVERED AFTER ALL" : "delivered");
  }

  const hopOf = (worker: number): NextHop => ({
    name: "world:",
    begin: () => ({
      rcpt: async () => ({ code: 250, enhanced: "2.1.5", lines: ["ok"] }),
      async data(_parcel, ready) {
        ready.catch(() => {});
        await schedule.turn(worker, "sends the mail");
        await ready;
        await server(clock.now());
        await schedule.turn(worker, "hears the next hop");
        return { replies: [{ code: 250, enhanced: "2.0.0", lines: ["taken"] }] };
      },
      abort: () => undefined,
    }),
    ping: async () => undefined,
    close: async () => undefined,
  });

  const partsOf = (worker: number) => {
    const own = slowTables(tables, schedule, worker);
    const ids = createIds(clock, Buffer.alloc(32, 1));
    const recorder = createRecorder(createMemoryJournal(), ids, clock);
    const flights = withoutSome(
      createFlights(own, clock, { answerMs: () => ANSWER_MS, pause: () => schedule.turn(worker, "waits") }),
      leftOut,
    );
    return { ids, recorder, flights, tables: own, consents: createConsentRegister(own, clock) };
  };

  async function advertise(worker: number): Promise<void> {
    const { consents, flights, ...parts } = partsOf(worker);
    const { pipeline } = pipelineOf([settingOf(recordedConsent)], { context: { ...contextOf(), consents } });
    const forgetful = { ...pipeline, run: forgettingLast(pipeline.run, leftOut) };
    const intake = createIntake({
      ...parts,
      pipeline: forgetful as typeof pipeline,
      flights,
      nextHop: hopOf(worker),
      quotas: { giveBack: async () => undefined },
      clock,
      log: createLog("silent"),
      hostname: "relay.example.net",
      isLocal: () => true,
      receivedMax: 50,
    });
    const session = sessionOf({ client: { id: advertiser, kind: "advertiser" } });
    for (let tries = 0; tries < 3; tries += 1) {
      await schedule.turn(worker, "begins a mail");
      const mail = await intake.open(session).mail(senderOf("news@shop.example"));
      if (isReply(mail)) continue;
      const asked = await mail.rcpt(recipientOf(ann));
      const reply = asked.code === 250 ? await mail.data(contentOf(AD)) : asked;
      history.push(`${worker}: ${reply.code}`);
    }
  }

  async function refuse(worker: number): Promise<void> {
    for (let idle = (picks[worker] ?? 0) % IDLE_MAX; idle > 0; idle -= 1) await schedule.turn(worker, "idles");
    const { consents, flights, tables: own, recorder } = partsOf(worker);
    const outbox = { add: async () => undefined } as never;
    const desk = createDesk({
      ...{ consents, flights, tables: own, recorder, outbox, clock },
      confirms: false,
      languagesOf: () => ["en"],
    });
    for (let tries = 0; tries < 40 && !acknowledged; tries += 1) {
      await schedule.turn(worker, "refuses");
      const word = { advertiser, recipient: ann, how: "one-click" as const };
      await desk.refuse(word).then(
        () => {
          acknowledged = true;
          history.push("acknowledged");
        },
        () => history.push("not yet"),
      );
    }
  }

  for (const actor of [advertise(0), advertise(1), refuse(2), refuse(3)]) actor.catch(() => undefined);
  for (let step = 0; step < STEPS_MAX; step += 1) {
    await schedule.quiet();
    const pick = picks[step] ?? NOTHING_SPECIAL;
    const runnable = schedule.waiting.filter(({ worker }) => !dead.has(worker));
    const next = runnable[Math.floor(pick / KINDS) % runnable.length];
    if (!next) break;
    if (pick % KINDS === 0) {
      await clock.pass(TICK_MS);
      history.push("time passes");
    } else if (pick % KINDS === 1 && next.worker < WORKERS) {
      dead.add(next.worker);
      history.push(`${next.worker} dies`);
      // Whoever sent the mail sends it again, to a worker that lives.
      advertise(next.worker + 10).catch(() => undefined);
    } else {
      schedule.waiting.splice(schedule.waiting.indexOf(next), 1);
      history.push(`${next.worker}: ${next.label}`);
      next.go();
    }
    if (runnable.every(({ label }) => label === "waits")) await clock.pass(TICK_MS);
  }
  return { history, overtaken, delivered, acknowledged };
}

/** What is on the wire is read also when its sender is dead. */
const SERVER = 99;

function withoutSome(flights: Flights, leftOut: LeftOut): Flights {
  const none = { confirm: () => undefined, end: async () => undefined };
  if (leftOut === "the flight") return { ...flights, begin: async () => none };
  if (leftOut === "the wait") return { ...flights, landed: async () => undefined };
  return flights;
}

/** At the handover it says what it would say of a mail that nobody refused. */
const forgettingLast = (run: (stage: never, view: never) => Promise<unknown>, leftOut: LeftOut) =>
  leftOut === "the last question"
    ? (stage: string, view: unknown) =>
        stage === "handover" ? run("connect" as never, view as never) : run(stage as never, view as never)
    : run;
