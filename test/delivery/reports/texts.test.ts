import { describe, expect, it } from "vitest";
import { OWN_WORDS } from "../../../src/delivery/queue/own-words.ts";
import { PHRASES } from "../../../src/delivery/reports/texts.ts";
import { LANGUAGES } from "../../../src/mail/language.ts";

const told = { arrived: "ARRIVED", until: "UNTIL", mailId: "MAILID", hostname: "HOSTNAME" };

describe.each(LANGUAGES)("the texts of reports in %s", (language) => {
  const { letters, ask, more, own } = PHRASES[language];

  it("say when the mail came, which it is, and until when it is tried", () => {
    for (const letter of Object.values(letters)) expect(letter(told).opening).toContain("ARRIVED");
    expect(letters.delayed(told).closing).toContain("UNTIL");
    expect(ask(told)).toMatch(/MAILID.*HOSTNAME/);
    expect(more(7)).toContain("7");
  });

  it.skipIf(language === "en")("have all that we say ourselves", () => {
    expect(Object.keys(OWN_WORDS).filter((word) => !(word in own))).toEqual([]);
    expect(Object.keys(own).filter((word) => !(word in OWN_WORDS))).toEqual([]);
  });
});
