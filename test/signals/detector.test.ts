import { describe, expect, it } from "vitest";
import { Unavailable } from "../../src/kit/trouble.ts";
import { type BulkCounter, createBulkCounter } from "../../src/signals/bulk.ts";
import { createDetector, type DetectorParts } from "../../src/signals/detector.ts";
import { UNTAUGHT } from "../../src/signals/learned.ts";
import { createMemoryMarks } from "../../src/stores/memory/marks.ts";
import { type Described, viewsOf } from "../helpers/described.ts";
import { minutes, sale, shippedModel } from "../helpers/detections.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { contentOf } from "../helpers/letters.ts";

const UTF8 = "From: a@b.example\nContent-Type: text/plain; charset=utf-8\nSubject: x";
const letter = (body: string, more: Partial<Described> = {}) => viewsOf({ header: UTF8, body, ...more }).body;
const detectorWith = (more: Partial<DetectorParts> = {}) =>
  createDetector({ model: shippedModel(), copiesMin: 100, ...more });
const counting = (): BulkCounter => createBulkCounter(createMemoryMarks(handClock(0)), 1_000_000);

describe("the detector", () => {
  it("tells an advertisement from ordinary mail, and why", async () => {
    const ad = await detectorWith().detect(letter(sale()));
    expect(ad.score).toBeGreaterThan(0.9);
    expect(ad.evidence()).toContain("prices and ordering words");
    const none = await detectorWith().detect(letter(minutes()));
    expect(none.score).toBeLessThan(0.3);
  });

  it("reads each mail once, however many rules ask", async () => {
    let seen = 0;
    const bulk = counting();
    const detector = detectorWith({ bulk: { see: (sighting) => bulk.see(sighting).finally(() => (seen += 1)) } });
    const view = letter(sale());
    const [one, two] = await Promise.all([detector.detect(view), detector.detect({ ...view })]);
    expect(two).toBe(one);
    expect(seen).toBe(1);
  });

  it("reads a mail that lies on disk as it reads one in memory", async () => {
    const view = letter(sale());
    const onDisk = { ...view, content: contentOf(view.content.whole ?? "", 100) };
    const [large, small] = await Promise.all([onDisk, letter(sale())].map((each) => detectorWith().detect(each)));
    expect(large?.score).toBe(small?.score);
    expect(large?.evidence()).toEqual(small?.evidence());
  });

  it("notices the two-hundredth copy, with other names, numbers and links", async () => {
    const detector = detectorWith({ bulk: counting() });
    const copy = (n: number) => detector.detect(letter(sale(`顾客${n}`, n), { to: [`r${n}@example.com`] }));
    for (let n = 1; n < 200; n += 1) await copy(n);
    const last = await copy(200);
    expect(last.copies.recipients).toBeGreaterThan(190);
    expect(last.evidence()[0]).toMatch(/^same text to (?:19\d|200) recipients$/);
  });

  it("lets copies from everywhere weigh more than copies from one place, and neither make an advertisement of ordinary mail", async () => {
    const fixed = (recipients: number, senders: number, networks: number): BulkCounter => ({
      see: async () => ({ recipients, senders, networks }),
    });
    const text = "Dear all, the canteen offers a new lunch menu from Monday: soup, salad and a main course for 9 euro.";
    const scores = await Promise.all(
      [fixed(1, 1, 1), fixed(200, 1, 1), fixed(200, 50, 30)].map(
        async (bulk) => (await detectorWith({ bulk }).detect(letter(text))).score,
      ),
    );
    const [few = 0, many = 0, scattered = 0] = scores;
    expect(many).toBeGreaterThan(few);
    expect(scattered).toBeGreaterThan(many);
    const plain = await detectorWith({ bulk: fixed(10_000, 500, 300) }).detect(letter(minutes()));
    expect(plain.score).toBeLessThan(0.65);
    expect(plain.evidence()[0]).toBe("same text to 10000 recipients from 500 senders in 300 networks");
  });

  it("lets reports of several people weigh, and says so", async () => {
    const reported = (people: number) => ({ current: () => ({ learned: UNTAUGHT, reportersOf: () => people }) });
    const view = (): ReturnType<typeof letter> => letter(minutes());
    const none = await detectorWith({ teachings: reported(0) }).detect(view());
    const one = await detectorWith({ teachings: reported(1) }).detect(view());
    const five = await detectorWith({ teachings: reported(5) }).detect(view());
    expect(five.score).toBeGreaterThan(one.score);
    expect(one.score).toBeGreaterThan(none.score);
    expect(one.evidence()).toContain("reported by 1 recipient");
    expect(five.evidence()).toContain("reported by 5 recipients");
  });

  it("judges the words alone when the store is away", async () => {
    const away: BulkCounter = { see: () => Promise.reject(new Unavailable("store", "away")) };
    expect((await detectorWith({ bulk: away }).detect(letter(sale()))).score).toBeGreaterThan(0.9);
    const broken: BulkCounter = { see: () => Promise.reject(new Error("a bug")) };
    await expect(detectorWith({ bulk: broken }).detect(letter(sale()))).rejects.toThrow("a bug");
  });

  it.each([
    ["an empty mail", ""],
    ["nothing but blanks", "   \n\n "],
    ["bytes that are no text", "\u0000\u0001\u0002".repeat(100)],
  ])("says something of %s", async (_, body) => {
    const { score } = await detectorWith({ bulk: counting() }).detect(letter(body));
    expect(score).toBeGreaterThanOrEqual(0);
    expect(score).toBeLessThanOrEqual(1);
  });
});
