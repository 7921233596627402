import { type Zone, zoneOf } from "../../scripts/lib/dns/server.ts";
import type { Answer, NameService, RecordOf, RecordType } from "../../src/kit/names.ts";
import { Unavailable } from "../../src/kit/trouble.ts";

/** Names as a zone has them, without a socket: for tables of cases. Silence is `Unavailable` at once. */
export function namesOf(lines: readonly string[], asked: string[] = []): NameService {
  const zone = zoneOf(lines);
  const ask = async <T extends RecordType>(name: string, type: T): Promise<Answer<RecordOf[T]>> => {
    asked.push(`${type} ${name}`);
    return answerOf(zone, name.toLowerCase(), type);
  };
  return { ask, within: () => ({ ask, known: () => undefined }) };
}

function answerOf<T extends RecordType>(zone: Zone, name: string, type: T): Answer<RecordOf[T]> {
  const entries = zone.get(name);
  if (!entries) return { records: [], exists: [...zone.keys()].some((each) => each.endsWith(`.${name}`)) };
  const silent = entries.some(
    (entry) => "rcode" in entry || ("silence" in entry && (entry.silence === true || entry.silence === type)),
  );
  if (silent) throw new Unavailable("dns", "silence");
  const records = entries.flatMap((entry): unknown[] => {
    if (!("type" in entry) || entry.type !== type) return [];
    if (entry.type === "MX") return [{ preference: entry.value[0], host: entry.value[1].replace(/\.$/, "") }];
    return [entry.type === "TXT" ? entry.value.map((text) => text.toString("latin1")).join("") : entry.value];
  });
  return { records: records as RecordOf[T][], exists: true };
}
