/**
 * What gives a stolen login away: suddenly it comes from many networks, from many parts of the address space, or writes to many
 * times as many people as it ever did. Its own past is the measure: the greatest hour of each of the last fourteen days.
 *
 * Recipients are counted in memory and told to the store in batches that nobody waits for; a network costs one question when it
 * is first seen in this process, and none for as long as that is recent.
 */
import type { Clock } from "../kit/clock.ts";
import { networkOf } from "../kit/ip.ts";
import { createRecent } from "../kit/recent.ts";
import type { Key, Store, Value } from "../kit/store.ts";
import type { Session } from "../mail/views.ts";
import type { BlockReader } from "./blocks.ts";
import { clientSubject } from "./subject.ts";
import type { Facts, Warden } from "./warden.ts";

/** Thresholds; the options of the rule conduct/hijacked-login. */
export interface LoginOptions {
  readonly windowMs: number;
  readonly networksMax: number;
  readonly regionsMax: number;
  readonly recipientsMin: number;
  readonly usualTimes: number;
  readonly holdMs: number;
}

export interface LoginSetting {
  readonly options: LoginOptions;
  /** Does the operator enforce, for this client? */
  readonly acts: (client: string) => boolean;
}

/** Why a login is thought to be in other hands. */
export interface Alarm {
  readonly why: "networks" | "regions" | "recipients";
  readonly facts: Facts;
}

export interface LoginWatch {
  /** Looks at a mail that a login begins: at once, unless its network is new here. @throws Unavailable */
  look(session: Session): Alarm | undefined | Promise<Alarm | undefined>;
  /** A mail of a client was accepted for so many recipients. */
  sent(session: Session, recipients: number): void;
}

export interface LoginParts {
  readonly store: Pick<Store, "windows" | "marks" | "tables">;
  readonly clock: Clock;
  readonly blocks: BlockReader;
  readonly warden: Warden;
  readonly setting: () => LoginSetting;
  readonly onTrouble: (error: unknown) => void;
}

/** A network a host cannot easily leave. */
const NETWORK = { v4: 24, v6: 48 } as const;
/** What registries give away in one piece: different ones are mostly different countries. */
const REGION = { v4: 8, v6: 20 } as const;
const KNOWN_MAX = 20_000;
/** Recipients told to the store in one piece, and how long they may wait for the next mail to be told. */
const BATCH = 20;
const TELL_MS = 1_000;
const DAY_MS = 86_400_000;
const DAYS = 14;
const UNBOUNDED = Number.MAX_SAFE_INTEGER;

/** The greatest hour of each day: [day since the epoch, recipients]. */
type Days = readonly (readonly [number, number])[];

interface Account {
  untold: number;
  toldAtMs: number;
  telling: boolean;
  days: Days | undefined;
  alarm: (Alarm & { readonly atMs: number }) | undefined;
}

export const createLoginWatch = (parts: LoginParts): LoginWatch => new Watch(parts);

class Watch implements LoginWatch {
  private readonly parts: LoginParts;
  private readonly accounts = createRecent<Account>(KNOWN_MAX);
  /** Networks that were told to the store a moment ago. */
  private readonly seen = createRecent<true>(KNOWN_MAX);

  constructor(parts: LoginParts) {
    this.parts = parts;
  }

  look(session: Session): Alarm | undefined | Promise<Alarm | undefined> {
    const { client, login } = session;
    if (!client || login === undefined) return undefined;
    const standing = this.parts.blocks.of(session);
    if (standing instanceof Promise) return standing.then(({ sinceMs }) => this.lookAt(session, client.id, sinceMs));
    return this.lookAt(session, client.id, standing.sinceMs);
  }

  sent(session: Session, recipients: number): void {
    const { client, login } = session;
    if (!client || login === undefined) return;
    const { clock, onTrouble } = this.parts;
    const account = this.accountOf(client.id);
    account.untold += recipients;
    const due = account.untold >= BATCH || clock.now() - account.toldAtMs >= TELL_MS;
    if (!due || account.telling) return;
    account.telling = true;
    this.tell(session, client.id)
      .catch(onTrouble)
      .finally(() => {
        account.telling = false;
      });
  }

  private lookAt(session: Session, id: string, sinceMs: number): Alarm | undefined | Promise<Alarm | undefined> {
    const key = `${id} ${networkOf(session.clientIp, NETWORK)} ${sinceMs}`;
    const old = this.alarmOf(id, sinceMs);
    if (this.seen.get(key, this.parts.clock.now())) return old;
    return this.countNetworks(session, id, sinceMs).then((alarm) => {
      this.seen.set(key, true, this.parts.clock.now() + Math.ceil(this.parts.setting().options.windowMs / 4));
      return alarm ?? old;
    });
  }

  private async countNetworks(session: Session, id: string, sinceMs: number): Promise<Alarm | undefined> {
    const { store, setting } = this.parts;
    const { windowMs, networksMax, regionsMax } = setting().options;
    const distinct = (what: string, network: string): Promise<number> =>
      store.marks.distinct({ partition: clientSubject(id), id: `${what} ${sinceMs}` }, network, windowMs);
    const [networks, regions] = await Promise.all([
      distinct("networks", networkOf(session.clientIp, NETWORK)),
      distinct("regions", networkOf(session.clientIp, REGION)),
    ]);
    const why = networks > networksMax ? "networks" : regions > regionsMax ? "regions" : undefined;
    if (!why) return undefined;
    const alarm = { why, facts: { client: id, networks, regions } } as const;
    await this.raise(id, alarm);
    return alarm;
  }

  private async tell(session: Session, id: string): Promise<void> {
    const { blocks, clock, store, setting } = this.parts;
    const account = this.accountOf(id);
    const n = account.untold;
    account.untold = 0;
    account.toldAtMs = clock.now();
    const { sinceMs } = await blocks.of(session);
    const { windowMs, recipientsMin, usualTimes } = setting().options;
    const partition = clientSubject(id);
    const key = { partition, id: `sent ${sinceMs}` };
    const { taken } = await store.windows.take(key, { max: UNBOUNDED, windowMs, n });
    const habit = { partition, id: "usual" };
    const days = account.days ?? (await recall(this.parts, habit));
    const usual = greatestBefore(days, today(clock));
    const isUsual = taken <= Math.max(recipientsMin, usual * usualTimes);
    account.days = isUsual ? await remember(this.parts, habit, { days, taken }) : days;
    if (!isUsual) await this.raise(id, { why: "recipients", facts: { client: id, recipients: taken, usual } });
  }

  private async raise(id: string, alarm: Alarm): Promise<void> {
    const { clock, setting, warden } = this.parts;
    this.accountOf(id).alarm = { ...alarm, atMs: clock.now() };
    const { options, acts } = setting();
    if (!acts(id)) return;
    await warden.block({
      subject: clientSubject(id),
      action: "hold",
      reason: "hijacked-login",
      forMs: options.holdMs,
      atMostMs: options.holdMs,
      facts: { ...alarm.facts, why: alarm.why },
    });
  }

  /** The alarm that stands: neither too old nor from before somebody let the login off. */
  private alarmOf(id: string, sinceMs: number): Alarm | undefined {
    const { clock, setting } = this.parts;
    const account = this.accounts.get(id, clock.now());
    const alarm = account?.alarm;
    if (!account || !alarm) return undefined;
    const isOver = alarm.atMs + setting().options.windowMs <= clock.now() || alarm.atMs < sinceMs;
    if (isOver) account.alarm = undefined;
    return account.alarm;
  }

  private accountOf(id: string): Account {
    const nowMs = this.parts.clock.now();
    const found = this.accounts.get(id, nowMs);
    if (found) return found;
    const fresh: Account = { untold: 0, toldAtMs: nowMs, telling: false, days: undefined, alarm: undefined };
    this.accounts.set(id, fresh, nowMs + DAY_MS);
    return fresh;
  }
}

const today = (clock: Clock): number => Math.floor(clock.now() / DAY_MS);

/** The greatest hour of the days before this one: what was usual until now. */
const greatestBefore = (days: Days, day: number): number =>
  Math.max(0, ...days.filter(([each]) => each < day).map(([, recipients]) => recipients));

const TABLE = "logins";

const recall = async ({ store: { tables } }: LoginParts, key: Key): Promise<Days> =>
  ((await tables.get(TABLE, key))?.value as Days | undefined) ?? [];

/** Writes a new greatest hour down, in steps of a tenth, so that a busy hour costs some dozens of writes. */
async function remember(
  { store: { tables }, clock }: LoginParts,
  key: Key,
  { days: known, taken }: { readonly days: Days; readonly taken: number },
): Promise<Days> {
  const day = today(clock);
  const before = known.find(([each]) => each === day)?.[1] ?? 0;
  if (taken <= before * 1.1) return known;
  const fresh = known.filter(([each]) => each !== day && each > day - DAYS);
  const days: Days = [...fresh, [day, taken]];
  await tables.put(TABLE, key, days as unknown as Value);
  return days;
}
