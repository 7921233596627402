import { z } from "zod";
import type { Usage } from "../../signals/quotas.ts";
import { defer, defineRule, type Finding, PASS, skip } from "../define.ts";

export const rate = defineRule({
  id: "conduct/rate",
  title: "A client keeps to the rate it is registered with",
  why: "Mails a minute, an hour and a day, as the register of clients has them, counted over all workers and nodes. A mail\ntakes its place when it begins and gives it back when it is not accepted. When the store does not answer it waits.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 12(1)", confidence: "C3" },
    { cite: "RFC 6409 6.2", confidence: "RFC" },
  ],
  falseAlarms: ["A client that has grown: consentry client set ID --per-hour N"],
  options: z.strictObject({}),
  looks: {
    mail({ session, mailId }, { conduct }) {
      if (!session.client) return skip("no client");
      const { id } = session.client;
      const used = conduct.takeMail(session.client, mailId);
      return used instanceof Promise ? used.then((usage) => finding(id, usage)) : finding(id, used);
    },
  },
});

function finding(client: string, usage: Usage | undefined): Finding {
  if (!usage) return PASS;
  const { max, span, taken, freesAtMs } = usage;
  const again = `${new Date(freesAtMs).toISOString().slice(0, 19)}Z`;
  return defer("client-rate", {
    detail: `${max} mails a ${span}; again from ${again}`,
    evidence: { client, span, max, taken },
  });
}
