import type { Client } from "../mail/client.ts";
import { actorName, type Ground, recordChange } from "./ground.ts";
import { clean, print, printJson, Refused } from "./output.ts";

/** Also one that is disabled. */
export async function findClient(ground: Ground, id: string): Promise<Client | undefined> {
  const { clients } = await ground.registers();
  return (await clients.list()).find((each) => each.id === id.toLowerCase());
}

export async function needClient(ground: Ground, id: string): Promise<Client> {
  const client = await findClient(ground, id);
  if (!client) throw new Refused(`there is no client ${clean(id)}; consentry client list names them`);
  return client;
}

interface Change {
  readonly actor: string | undefined;
  readonly change: string;
  readonly password?: string | undefined;
  readonly old?: Client;
}

/** The entry names the fields that changed, and their values, but never a password. */
export function noteChange(ground: Ground, client: Client, { actor, change, password, old }: Change): Promise<void> {
  const changed = Object.entries(client).filter(
    ([name, value]) => old && JSON.stringify(value) !== JSON.stringify(old[name as keyof Client]),
  );
  const gone = Object.keys(old ?? {}).filter((name) => !(name in client));
  const fields = [...changed.map(([name]) => name), ...gone, ...(password === undefined ? [] : ["password"])];
  return recordChange(ground, {
    event: "client-changed",
    client: client.id,
    actor: actorName(actor),
    evidence: { change, kind: client.kind, ...(fields.length > 0 && { fields: fields.join(" ") }) },
  });
}

/** Says what was done. */
export const said = (options: { json: boolean }, client: Client, what: string): Promise<void> =>
  options.json ? printJson(client) : print(`${client.id}: ${what}`);
