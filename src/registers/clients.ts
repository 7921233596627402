import type { Clock } from "../kit/clock.ts";
import { type IpRanges, ipRanges } from "../kit/ip.ts";
import type { Key, Tables, Value } from "../kit/store.ts";
import { Unavailable } from "../kit/trouble.ts";
import type { Client, Suspension } from "../mail/client.ts";
import { type ClientRecord, checkClient, publicPart, recordSchema } from "./client-record.ts";
import { hashPassword, NOBODY, verifyPassword } from "./password.ts";

/** What doors and intake ask of the client register. @throws Unavailable when it does not answer */
export interface ClientReader {
  /** The enabled client whose registered networks hold this address; the narrowest network wins. */
  byNetwork(ip: string): Promise<Client | undefined>;
  byId(id: string): Promise<Client | undefined>;
  /** The client when the password is its own and it is not disabled. Takes the same time when there is no such client. */
  authenticate(login: string, password: string): Promise<Client | undefined>;
}

const TABLE = "clients";
/** All clients lie in one partition: there are thousands at most, and byNetwork reads them all. */
const keyOf = (id: string): Key => ({ partition: "all", id });

/** Who suspends where no operator does. */
export const OURSELVES = "consentry";

/** How old the list behind byNetwork may get before it is read again. */
const REFRESH_MS = 2_000;
/** A list older than this is no longer believed when the store is away: a disabled client must not relay for long. */
const STALE_MS = 30_000;

export interface ClientRegister extends ClientReader {
  list(): Promise<Client[]>;
  /**
   * Adds or changes a client. Passwords are kept as scrypt hashes only.
   * @throws Misuse naming every field that is wrong
   */
  save(client: Client, password?: string): Promise<void>;
  /** @returns false when there is no such client */
  disable(id: string, disabled: boolean): Promise<boolean>;
  /**
   * Suspends a client, or ends that (undefined). What we noticed ourselves cuts nothing short that an operator said.
   * @returns the client as it is now, or undefined when there is no such client. @throws Misuse
   */
  suspend(id: string, suspended: Suspension | undefined): Promise<Client | undefined>;
}

interface Network {
  readonly client: Client;
  readonly ranges: IpRanges;
}

/** The register of clients on any store. */
export function createClientRegister(tables: Tables, clock: Clock): ClientRegister {
  const record = async (id: string): Promise<ClientRecord | undefined> => {
    const row = await tables.get(TABLE, keyOf(id.toLowerCase()));
    return row && recordSchema.parse(row.value);
  };
  const all = async (): Promise<Client[]> => {
    const found: Client[] = [];
    for await (const row of tables.list(TABLE, "all")) found.push(publicPart(recordSchema.parse(row.value)));
    return found;
  };
  const networks = createNetworkList(all, clock);
  return {
    list: all,
    byNetwork: (ip) => networks.find(ip),
    async byId(id) {
      const found = await record(id);
      return found && !found.disabled ? publicPart(found) : undefined;
    },
    async authenticate(login, password) {
      const found = await record(login);
      const right = await verifyPassword(password, found?.passwordHash ?? NOBODY);
      return found && right && !found.disabled ? publicPart(found) : undefined;
    },
    async save(client, password) {
      const checked = checkClient(client);
      const kept = (await record(client.id))?.passwordHash;
      const passwordHash = password === undefined ? kept : await hashPassword(password);
      await tables.put(TABLE, keyOf(checked.id), {
        ...checked,
        ...(passwordHash && { passwordHash }),
      } as unknown as Value);
      networks.forget();
    },
    async disable(id, disabled) {
      const found = await record(id);
      if (!found) return false;
      await tables.put(TABLE, keyOf(found.id), { ...found, disabled } as unknown as Value);
      networks.forget();
      return true;
    },
    async suspend(id, suspended) {
      const changed = await suspend(tables, id.toLowerCase(), suspended);
      networks.forget();
      return changed;
    },
  };
}

/** Tries until nobody wrote in between. */
async function suspend(tables: Tables, id: string, suspended: Suspension | undefined): Promise<Client | undefined> {
  for (;;) {
    const row = await tables.get(TABLE, keyOf(id));
    if (!row) return undefined;
    const { suspended: old, passwordHash, ...rest } = recordSchema.parse(row.value);
    const now = suspended?.by === OURSELVES && old && old.untilMs > suspended.untilMs ? old : suspended;
    const client = checkClient({ ...(rest as Client), ...(now && { suspended: now }) });
    const record = { ...client, ...(passwordHash !== undefined && { passwordHash }) };
    if (await tables.put(TABLE, keyOf(id), record as unknown as Value, row.version)) return Object.freeze(client);
  }
}

/** Every connection asks by address, so the list is kept in memory and read again every REFRESH_MS. */
function createNetworkList(all: () => Promise<Client[]>, clock: Clock) {
  let known: readonly Network[] = [];
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  const read = async (): Promise<void> => {
    const clients = await all();
    known = clients
      .filter((client) => !client.disabled && client.networks.length > 0)
      .map((client) => ({ client, ranges: ipRanges(client.networks) }));
    readAtMs = clock.now();
  };
  const refresh = async (): Promise<void> => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    const ageMs = clock.now() - readAtMs;
    if (ageMs < STALE_MS) reading.catch(() => undefined);
    else await reading;
  };
  return {
    forget() {
      readAtMs = Number.NEGATIVE_INFINITY;
    },
    /** @throws Unavailable when the list is too old to believe and the store is away */
    async find(ip: string): Promise<Client | undefined> {
      if (clock.now() - readAtMs >= REFRESH_MS) await refresh();
      if (clock.now() - readAtMs >= STALE_MS) throw new Unavailable("store", "the client register is out of date");
      return narrowest(known, ip);
    },
  };
}

function narrowest(networks: readonly Network[], ip: string): Client | undefined {
  let best: { client: Client; bits: number } | undefined;
  for (const { client, ranges } of networks) {
    const bits = ranges.narrowest(ip);
    if (bits !== undefined && (!best || bits > best.bits)) best = { client, bits };
  }
  return best?.client;
}
