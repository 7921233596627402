import type { Entry } from "../ledger/entry.ts";
import { clean } from "./output.ts";

/** One entry in one line, what it is about first. */
export function inWords(entry: Entry): string {
  const { at, event, sender, recipient, clientIp, verdict, rules, articles, reply, mailId, actor, client, evidence } =
    entry;
  const who = [sender === "" ? "<>" : sender, recipient].filter((text) => text !== undefined).join(" → ");
  const parts = [
    new Date(at).toISOString(),
    event.padEnd(17),
    who,
    clientIp,
    client && `client ${client}`,
    verdict,
    rules?.join(" "),
    articles?.join("; "),
    reply,
    evidence && factsOf(evidence),
    actor && `by ${actor}`,
    mailId,
  ];
  return clean(parts.filter((part) => part !== undefined && part !== "").join("  "));
}

/** Facts as words: "advertiser shop, recipients 3". */
export const factsOf = (facts: Readonly<Record<string, string | number | boolean>>): string =>
  Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
