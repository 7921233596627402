import type { Entry } from "../ledger/entry.ts";
import type { Happening } from "../ledger/recorder.ts";
import type { Block } from "../signals/blocks.ts";
import { isClientSubject } from "../signals/subject.ts";
import type { Facts } from "../signals/warden.ts";

/** The entry of a block that was made or ended. */
export const blockEntry = (
  event: "block-added" | "block-removed",
  block: Block,
  by: string,
  facts: Facts = {},
): Happening => ({
  event,
  actor: by,
  articles: [block.article],
  ...subjectPart(block.subject),
  evidence: {
    subject: block.subject,
    action: block.action,
    reason: block.reason,
    until: new Date(block.untilMs).toISOString(),
    times: block.times,
    ...(block.note !== undefined && { note: block.note }),
    ...facts,
  },
});

/** So that a search for a client, or an address, finds its blocks. */
function subjectPart(subject: string): Partial<Entry> {
  if (isClientSubject(subject)) return { client: subject.slice("client:".length) };
  const [ip = "", bits] = subject.split("/");
  return bits === (ip.includes(":") ? "128" : "32") ? { clientIp: ip } : {};
}
