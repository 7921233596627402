import { describe, expect, it } from "vitest";
import { decodeEntities } from "../../src/mail/html-entities.ts";

describe("character references of HTML", () => {
  const cases: [title: string, source: string, text: string][] = [
    ["by number", "&#24191;&#21578;", "广告"],
    ["by hexadecimal number, in either case", "&#x5E7F;&#X544a;", "广告"],
    ["by name, case told apart", "&Eacute;&eacute;&amp;", "Éé&"],
    ["without the semicolon, as browsers take them", "&copy 2026 &#65", "© 2026 A"],
    ["of Vietnamese letters that Latin-1 lacks", "&abreve;&dstrok;", "ăđ"],
    ["in the C1 range, which HTML reads as windows-1252", "&#150;&#8364;&#x80;", "–€€"],
    ["of no character at all", "&#0;&#xD800;&#x110000;", "\uFFFD\uFFFD\uFFFD"],
    ["nobody knows stay as they are", "&nosuch; &; AT&T", "&nosuch; &; AT&T"],
  ];
  it.each(cases)("%s", (_, source, text) => expect(decodeEntities(source)).toBe(text));
});
