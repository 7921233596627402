import { z } from "zod";
import { type Hop, parseReceived } from "../../mail/received.ts";
import { defineRule, note, PASS, reject } from "../define.ts";

const HOUR_MS = 3_600_000;

export const receivedForged = defineRule({
  id: "envelope/received-forged",
  title: "Received lines tell the way the mail came",
  why: "The trace is envelope information: origin, destination and path (Order 38 art. 26). Every passage through this server\nhas an id sealed with its secret; a line that claims one without such an id was invented.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 13(1)", confidence: "C5" },
    { cite: "RFC 5321 4.4", confidence: "RFC" },
  ],
  falseAlarms: [
    "Mail that passed this server before its secretFile was replaced",
    "Another product under the same host name",
  ],
  options: z.strictObject({
    futureHoursMax: z.number().positive().default(48).describe("how far ahead of our clock a passage may be, hours"),
  }),
  looks: {
    header({ headers }, { site, clock, options }) {
      const hops = headers.all("received").map(parseReceived);
      const invented = hops.findIndex((hop) => claims(hop, site.hostname) && !(hop.id && site.isOurId(hop.id)));
      if (invented >= 0) return reject("received-forged", { evidence: { line: invented + 1 } });
      const latest = clock.now() + options.futureHoursMax * HOUR_MS;
      const ahead = hops.findIndex((hop) => hop.atMs !== undefined && hop.atMs > latest);
      return ahead >= 0 ? note("a Received line from the future", { evidence: { line: ahead + 1 } }) : PASS;
    },
  },
});

/** A name without a dot, such as "localhost", is anybody's. */
const claims = ({ by }: Hop, hostname: string): boolean => hostname.includes(".") && by.includes(hostname);
