/** Real mail whose keys and records are long gone: nothing of it can be known, none of it may pass, fail for that, or crash. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { judgeAuthenticity, methodsOf } from "../../src/authenticity/judge.ts";
import { writeResults } from "../../src/authenticity/results.ts";
import { verdictOf } from "../../src/authenticity/verdict.ts";
import { parseAddress } from "../../src/mail/path.ts";
import { contentOf } from "../helpers/letters.ts";
import { namesOf } from "../helpers/names.ts";
import { CORPUS, hasSuite } from "../helpers/suites/corpus.ts";
import { mailOf } from "../helpers/suites/dkim.ts";

describe.skipIf(!hasSuite(""))("real mail without the DNS of its day (beside the checkout)", () => {
  it("cannot be known any more", async () => {
    const names = namesOf([]);
    const strange: string[] = [];
    let signed = 0;
    const paths = readdirSync(CORPUS, { recursive: true, encoding: "utf8" }).filter((name) =>
      /\.(?:eml|msg)$/.test(name),
    );
    for (const path of paths.sort()) {
      const mail = mailOf(readFileSync(`${CORPUS}/${path}`));
      const found = await judgeAuthenticity(names, {
        ip: "192.0.2.1",
        helo: "mx.sender.example",
        session: {},
        sender: parseAddress("a@sender.example") ?? null,
        headers: mail.headers,
        content: contentOf(Buffer.concat([mail.block, mail.body as Buffer])),
        hostname: "relay.example.net",
        nowMs: Date.now(),
        edition: "rfc9989",
        signaturesMax: 10,
        sample: 0,
      });
      if (found.dkim.length > 0) signed += 1;
      const known =
        found.dkim.some(({ result }) => result === "pass" || result === "fail") || found.arc.result === "pass";
      if (known || verdictOf(found, []).kind !== "cannot-know") strange.push(path);
      expect(writeResults("relay.example.net", methodsOf(found)), path).toMatch(/^[\t\r\n\x20-\x7e]*$/);
    }
    console.log(`${paths.length} mails, ${signed} of them signed`);
    expect(strange).toEqual([]);
  }, 120_000);
});
