/** DNS messages as a server might send them. */
import { decodeMessage, encodeName, followAliases } from "../../../../src/resolver/packet.ts";
import { CODES, writeAnswer, type ZoneRecord } from "../../dns/records.ts";
import { hold, type Target } from "../target.ts";

const RECORDS_MAX = 1000;
const NAME_CHARS_MAX = 2 * 255;

export const dns: Target = {
  name: "dns",
  what: "DNS messages: names, compression, records, aliases",
  bytesMax: 65_535,
  words: [
    ...[
      "\xc0\x0c",
      "\xc0\x00",
      "\xff\xff",
      "\x00\x10\x00\x01",
      "\x00\x0f\x00\x01",
      "\x00\x05\x00\x01",
      "\x00\x06\x00\x01",
      "\x00\x1c\x00\x01",
      "\x00\x0c\x00\x01",
    ],
    ...[
      "\x84\x00",
      "\x86\x00",
      "\x00\x01",
      "\x03www",
      "\x07example\x00",
      "\x3f",
      "\x40",
      "\x80",
      "\x00\x00\x0e\x10",
      "\x00\x04\x7f\x00\x00\x01",
      "\x0bv=spf1 -all",
    ],
  ],
  made: madeAnswers,
  open: () => ({
    run(bytes) {
      const message = decodeMessage(bytes);
      if (!message) return;
      hold(message.answers.length <= RECORDS_MAX, "more records than the bound");
      for (const { name, ttl } of message.answers) {
        hold(name.length <= NAME_CHARS_MAX, "a name longer than names are");
        hold(Number.isInteger(ttl) && ttl >= 0, "a time to live that is none");
      }
      for (const type of ["A", "AAAA", "MX", "TXT", "PTR"] as const) followAliases(message.answers, message.name, type);
    },
  }),
};

/** Answers of our own server. */
function madeAnswers(): Buffer[] {
  const name = "www.example.com";
  const records: readonly ZoneRecord[] = [
    { type: "A", value: "192.0.2.1" },
    { type: "AAAA", value: "2001:db8::1" },
    { type: "MX", value: [10, "mx.example.com"] },
    { type: "TXT", value: [Buffer.from("v=spf1 -all"), Buffer.from("more")] },
    { type: "PTR", value: "host.example.com" },
    { type: "CNAME", value: "other.example.com" },
  ];
  const question = (type: number) => {
    const bytes = Buffer.concat([encodeName(name) ?? Buffer.alloc(0), Buffer.from([0, type, 0, 1])]);
    return { id: 7, name, type, bytes, udpBytesMax: 1232 };
  };
  return records.flatMap((record) =>
    [0, 1, 3].map((count) =>
      writeAnswer(question(CODES[record.type]), {
        rcode: count === 0 ? 3 : 0,
        records: Array.from({ length: count }, () => ({ name, record })),
        ttl: 300,
      }),
    ),
  );
}
