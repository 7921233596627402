import { z } from "zod";
import type { Clock } from "../kit/clock.ts";
import { type IpRanges, ipRanges, isIpRange } from "../kit/ip.ts";
import type { Key, Tables, Value } from "../kit/store.ts";
import { Misuse, Unavailable } from "../kit/trouble.ts";
import { CLIENT_KINDS, type Client } from "../mail/client.ts";
import { hashPassword, NOBODY, verifyPassword } from "./password.ts";

/** What doors and intake ask of the client register. @throws Unavailable when it does not answer */
export interface ClientReader {
  /** The enabled client whose registered networks hold this address; the narrowest network wins. */
  byNetwork(ip: string): Promise<Client | undefined>;
  byId(id: string): Promise<Client | undefined>;
  /** The client when the password is its own and it is not disabled. Takes the same time when there is no such client. */
  authenticate(login: string, password: string): Promise<Client | undefined>;
}

const clientSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9._@-]{0,99}$/, "lower case letters, digits and . _ @ -, at most 100"),
  kind: z.enum(CLIENT_KINDS),
  networks: z.array(z.string().refine(isIpRange, "an IP address or CIDR range")),
  domains: z.array(z.string().min(1)),
  licence: z.string().optional(),
  code: z.string().optional(),
  packs: z.array(z.string()).optional(),
  ratePerMinute: z.int().positive().optional(),
  ratePerHour: z.int().positive().optional(),
  ratePerDay: z.int().positive().optional(),
  disabled: z.boolean(),
});
const recordSchema = z.strictObject({ ...clientSchema.shape, passwordHash: z.string().optional() });
type ClientRecord = z.infer<typeof recordSchema>;

const TABLE = "clients";
/** All clients lie in one partition: there are thousands at most, and byNetwork reads them all. */
const keyOf = (id: string): Key => ({ partition: "all", id });

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
      await tables.put(TABLE, keyOf(checked.id), { ...checked, ...(passwordHash && { passwordHash }) } as Value);
      networks.forget();
    },
    async disable(id, disabled) {
      const found = await record(id);
      if (!found) return false;
      await tables.put(TABLE, keyOf(found.id), { ...found, disabled } as Value);
      networks.forget();
      return true;
    },
  };
}

function checkClient(client: Client): Client {
  const result = clientSchema.safeParse(client);
  if (result.success) return result.data as Client;
  throw new Misuse(
    "this client cannot be recorded:",
    result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`),
  );
}

const publicPart = ({ passwordHash: _, ...client }: ClientRecord): Client => Object.freeze(client as Client);

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
