/** The scenarios about the queue. */
import { setTimeout as sleep } from "node:timers/promises";
import { GONE, HELD_WORD, OUR_HOST } from "./queueing-house.ts";
import type { Scenario } from "./scenario.ts";

const PATIENCE_MS = 30_000;

async function soon(isSo: () => boolean | Promise<boolean>): Promise<boolean> {
  const until = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > until) return false;
    await sleep(250);
  }
  return true;
}

const mail = ["--helo", "host.stranger.example", "--from", "me@stranger.example", "--to", "alice@example.com"];
const held = ["--h-Subject", `about a ${HELD_WORD}`];

export const queueing: readonly Scenario[] = [
  {
    title: "queue: answered at once, put off by the next hop, delivered by the next attempt",
    door: "queue",
    swaks: mail,
    code: "250",
    says: "queued - id ",
    async follows(house, { id, messageId }) {
      if (!(await soon(() => house.has(messageId)))) return "it did not arrive";
      const life = async (): Promise<string> => (await house.consentry("trace", id)).stdout;
      const isTold = await soon(async () => /delayed[\s\S]*greylisted[\s\S]*handed-over/.test(await life()));
      return isTold ? undefined : "the ledger does not say that it was put off, and then taken";
    },
  },
  {
    title: "bounce: refused for good by the next hop, and its sender is told by a mail",
    door: "queue",
    swaks: ["--helo", "mail.example.com", "--xclient", `ADDR=${OUR_HOST}`, "--from", "boss@example.com", "--to", GONE],
    code: "250",
    says: "queued - id ",
    async follows(house, { id }) {
      const report = `Final-Recipient: rfc822; ${GONE}\r\nAction: failed\r\nStatus: 5.1.1`;
      if (!(await soon(() => house.has(report)))) return "no report came";
      const { stdout } = await house.consentry("trace", id);
      return stdout.includes("bounced") ? undefined : "the ledger does not say that it bounced";
    },
  },
  {
    title: "hold: what a rule holds is kept, and consentry hold list says why and until when",
    door: "queue",
    swaks: [...mail, ...held],
    code: "250",
    says: "queued - id ",
    async follows(house, { id, messageId }) {
      const lists = async (): Promise<string> => (await house.consentry("hold", "list")).stdout;
      if (!(await soon(async () => (await lists()).includes(id)))) return "it is not listed";
      if (!(await lists()).includes("content/prohibited")) return "the rule is not named";
      return house.has(messageId) ? "it was delivered" : undefined;
    },
  },
  {
    title: "hold and release: consentry hold release ID --by li, and it goes to whom it was for",
    door: "queue",
    swaks: [...mail, ...held],
    code: "250",
    says: "queued - id ",
    async follows(house, { id, messageId }) {
      if (!(await soon(async () => (await house.consentry("hold", "release", id, "--by", "li")).status === 0))) {
        return "it could not be released";
      }
      if (!(await soon(() => house.has(messageId)))) return "it did not arrive";
      const { stdout } = await house.consentry("trace", id);
      return stdout.includes("done by li") ? undefined : "the ledger does not say who released it";
    },
  },
];
