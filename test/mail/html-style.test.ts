import { describe, expect, it } from "vitest";
import { isUnseen, lookOf, PAGE } from "../../src/mail/html-style.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

const unseen = (tag: string): boolean => isUnseen(lookOf(tag, PAGE));

describe("text that nobody sees", () => {
  const hidden = [
    '<div style="display:none">',
    "<p style='display : NONE !important'>",
    '<span style="visibility:hidden">',
    '<td style="mso-hide:all">',
    '<span style="font-size:0px;">',
    '<font style="font-size: 1px">',
    '<div style="opacity:0">',
    '<div style="max-height:0;overflow:hidden">',
    '<div style="text-indent:-9999px">',
    "<div hidden>",
    '<div class="a" hidden="hidden" id=b>',
    '<span style="color:#fff">',
    '<span style="color: white">',
    '<font color="#FFFFFE">',
    '<p style="color:rgb(255, 255, 250)">',
    '<td bgcolor="#000" style="color:black">',
    '<td style="background-color:#336699;color:#336698">',
  ];
  it.each(hidden)("%s", (tag) => expect(unseen(tag)).toBe(true));
});

describe("text that is seen", () => {
  const shown = [
    "<div>",
    '<div style="display:block">',
    '<div style="overflow: hidden !important">',
    '<div title="a hidden treasure">',
    '<span style="font-size:10px">',
    '<span style="font-size:1.2em">',
    '<div style="opacity:0.8">',
    '<td bgcolor="#000000" style="color:#ffffff">',
    '<td bgcolor="#cc0000"><font color=white>',
    '<td style="background:url(sky.png);color:white">',
    '<a style="color:#0000ff">',
    '<p style="color:nosuchcolour">',
  ];
  it.each(shown)("%s", (tag) => expect(unseen(tag)).toBe(false));

  it("what is inside something hidden stays hidden, whatever its own colours", () => {
    const outer = lookOf('<div style="display:none">', PAGE);
    expect(isUnseen(lookOf('<p style="color:red">', outer))).toBe(true);
  });

  it("white text is seen where an enclosing element painted the ground", () => {
    const ground = lookOf('<table bgcolor="#003366">', PAGE);
    expect(isUnseen(lookOf('<span style="color:white">', ground))).toBe(false);
  });
});

it("a tag full of blanks costs no more than its length", () => {
  const tags = [`<p bgcolor=${" ".repeat(4_000)}>`, `<p style="color:${" ".repeat(4_000)}">`];
  for (const tag of tags) {
    expect(
      cpuTimeMs(() => {
        for (let round = 0; round < 50; round += 1) lookOf(tag, PAGE);
      }),
    ).toBeLessThan(200);
  }
});
