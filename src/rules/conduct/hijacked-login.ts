import { z } from "zod";
import type { Alarm } from "../../signals/logins.ts";
import { defineRule, type Finding, hold, PASS, skip } from "../define.ts";

const count = (fallback: number) => z.int().positive().max(10_000_000).default(fallback);
const DAY_MS = 86_400_000;

/** Also what the watch over logins goes by (signals/logins.ts). */
export const loginOptions = z.strictObject({
  windowMs: z
    .int()
    .min(60_000)
    .max(DAY_MS)
    .default(3_600_000)
    .describe("over how long networks and recipients are counted"),
  networksMax: count(10).describe("most networks (/24, /48) of one login"),
  regionsMax: count(5).describe("most parts of the address space (/8, /20), which mostly are countries"),
  recipientsMin: count(300).describe("recipients that are never too many"),
  usualTimes: z.number().min(1).max(1_000).default(5).describe("times the greatest hour of the fourteen days before"),
  holdMs: z
    .int()
    .min(60_000)
    .max(30 * DAY_MS)
    .default(DAY_MS)
    .describe("how long the login is held"),
});

export const hijackedLogin = defineRule({
  id: "conduct/hijacked-login",
  title: "A login that behaves as if it were stolen is held",
  why: "Nobody may send through other people's systems. A login that suddenly comes from many networks, or writes to many times\nas many people as in its last fourteen days, is held and named in the log; consentry block remove client:ID releases it.\nWhen the store does not answer the mail waits.",
  sources: [{ cite: "Order 38 (CN 2006) art. 12(1)", confidence: "C3" }],
  falseAlarms: [
    "A firm whose branches share one login",
    "The first large mailing of a new client: raise recipientsMin, or watch for that client",
  ],
  options: loginOptions,
  looks: {
    mail({ session }, { conduct }) {
      if (!session.client || session.login === undefined) return skip("no login");
      const alarm = conduct.alarm(session);
      return alarm instanceof Promise ? alarm.then(finding) : finding(alarm);
    },
  },
});

const finding = (alarm: Alarm | undefined): Finding =>
  alarm
    ? hold("the login behaves as if it were stolen", {
        reply: "login-held",
        detail: "ask the operator",
        evidence: { why: alarm.why, ...alarm.facts },
      })
    : PASS;
