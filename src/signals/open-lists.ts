/** The lists of a configuration, kept through reloads: a file is not read again, nor a list in DNS tested, that stays as it was. */
import type { Config } from "../config/schema.ts";
import type { Clock } from "../kit/clock.ts";
import { type NetworkFile, openNetworkFile } from "../kit/network-file.ts";
import { Misuse } from "../kit/trouble.ts";
import { createDnsList } from "./dns-list.ts";
import { type AddressList, createListReader, type ListReader, NO_LISTS } from "./lists.ts";

export interface Lists extends ListReader {
  /** Puts other lists in force, once their files are read. @throws Misuse for a file that cannot be; the old ones stay */
  configure(lists: Config["lists"]): Promise<void>;
  /** The same in two steps: their files are read now, and they come into force when that is said. @throws Misuse */
  prepare(lists: Config["lists"]): Promise<PreparedLists>;
  close(): void;
}

/** Other lists that are ready: one of the two is called, once. */
export interface PreparedLists {
  commit(): void;
  drop(): void;
}

/** What operators are told. */
export interface ListNews {
  readonly list: string;
  readonly problem?: string;
  readonly networks?: number;
}

type Listed = Config["lists"][number];

interface Opened {
  readonly list: AddressList;
  readonly file?: NetworkFile;
}

export function createLists(clock: Clock, onNews: (news: ListNews) => void): Lists {
  let opened = new Map<string, Opened>();
  let reader = NO_LISTS;
  const prepare = async (lists: Config["lists"]): Promise<PreparedLists> => {
    const wanted = new Map<string, Opened>();
    const drop = (): void => {
      for (const [key, { file }] of wanted) if (!opened.has(key)) file?.close();
    };
    try {
      for (const list of lists) {
        const key = JSON.stringify(list);
        wanted.set(key, opened.get(key) ?? (await open(list, clock, onNews)));
      }
    } catch (error) {
      drop();
      throw error;
    }
    return {
      drop,
      commit() {
        for (const [key, { file }] of opened) if (!wanted.has(key)) file?.close();
        opened = wanted;
        reader = createListReader([...wanted.values()].map(({ list }) => list));
      },
    };
  };
  return {
    get isEmpty() {
      return reader.isEmpty;
    },
    look: (ip, names, tests) => reader.look(ip, names, tests),
    async configure(lists) {
      (await prepare(lists)).commit();
    },
    prepare,
    close() {
      for (const { file } of opened.values()) file?.close();
    },
  };
}

async function open(listed: Listed, clock: Clock, onNews: (news: ListNews) => void): Promise<Opened> {
  const { kind, weight, zone, file: path, answers, recheckMs } = listed;
  if (zone !== undefined) {
    const onState = ({ family, dropped }: { family: string; dropped?: string }): void =>
      onNews({ list: `${zone} (${family})`, ...(dropped !== undefined && { problem: dropped }) });
    return { list: { name: zone, kind, weight, dns: createDnsList({ zone, answers, recheckMs }, { clock, onState }) } };
  }
  const name = path?.split("/").at(-1) ?? "";
  let trouble: string | undefined;
  const file = await openNetworkFile({
    path: path ?? "",
    everyMs: FILE_EVERY_MS,
    onRead: ({ networks, badLines, firstBadLine }) =>
      onNews({
        list: name,
        networks,
        ...(badLines > 0 && { problem: `${badLines} lines are no network, the first is line ${firstBadLine}` }),
      }),
    onTrouble(reason) {
      trouble = reason;
      onNews({ list: name, problem: `cannot be read: ${reason}` });
    },
  });
  // Later the old list stays; but there is none to stay with.
  if (!file.table) {
    file.close();
    throw new Misuse(`lists: ${path} cannot be read: ${trouble}`);
  }
  return { list: { name, kind, weight, has: (ip) => file.table?.has(ip) }, file };
}

const FILE_EVERY_MS = 2_000;
