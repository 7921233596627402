import { describe, expect, it } from "vitest";
import { Unavailable } from "../../src/kit/trouble.ts";
import { emptyText } from "../../src/mail/text.ts";
import { judge } from "../../src/signals/classifier.ts";
import { featuresOf, wordsOf } from "../../src/signals/features.ts";
import { fingerprintOf } from "../../src/signals/fingerprint.ts";
import { type Taught as Label, LESSON_LIMITS, learnFrom, lessonOf, readSketch } from "../../src/signals/learned.ts";
import { createLessonRegister, type NewLesson, reporterOf } from "../../src/signals/lessons.ts";
import { readReports } from "../../src/signals/reports.ts";
import { createTeachings } from "../../src/signals/teachings.ts";
import { createMemoryTables } from "../../src/stores/memory/tables.ts";
import { minutes, sale, shippedModel } from "../helpers/detections.ts";
import { handClock } from "../helpers/hand-clock.ts";

const mailOf = (text: string) => ({ subject: "", text: { ...emptyText(), text }, own: [] });
const scoreOf = async (text: string, learned?: Parameters<typeof judge>[2]) =>
  judge(mailOf(text), shippedModel(), learned).advertising;

function lesson(text: string, label: Label, more: Partial<NewLesson> = {}): NewLesson {
  const mail = mailOf(text);
  const print = fingerprintOf(wordsOf(mail));
  return { ...lessonOf(featuresOf(mail), label, 1), print, batch: "b1", by: "ann", ...more };
}

const report = (text: string, who: string, atMs = 1): NewLesson =>
  lesson(text, "ad", { reporter: reporterOf(who), by: "report", batch: "reports", atMs });

const DOUBTFUL =
  "Dear all, the canteen offers a new lunch menu from Monday: soup, salad and a main course for 9 euro. Tables can be booked with Ann at the front desk.";

function register() {
  const clock = handClock(1_000);
  const tables = createMemoryTables();
  return { clock, tables, lessons: createLessonRegister(tables, clock) };
}

describe("a lesson", () => {
  it("holds no word of the mail", () => {
    const { sketch } = lesson("my secret words about a merger", "not");
    expect(Buffer.from(sketch, "base64").toString("latin1")).not.toMatch(/secret|words|merger/);
  });

  it("is at most so large, however large the mail", () => {
    const { sketch } = lesson(`${sale()}\n${minutes()}`.repeat(50), "ad");
    expect(sketch.length).toBeLessThanOrEqual(4 * LESSON_LIMITS.featuresMax);
    expect(readSketch({ sketch, label: "ad", atMs: 1 }).buckets.length).toBeLessThanOrEqual(LESSON_LIMITS.featuresMax);
  });

  it("moves its own mail and its like, and hardly what has nothing to do with it", async () => {
    const before = await scoreOf(DOUBTFUL);
    const taught = await learnFrom([lesson(DOUBTFUL, before < 0.5 ? "ad" : "not")], shippedModel());
    const after = await scoreOf(DOUBTFUL.replace("Monday", "Tuesday"), taught);
    expect(Math.abs(after - before)).toBeGreaterThan(0.2);
    for (const other of [sale(), minutes()]) {
      expect(Math.abs((await scoreOf(other, taught)) - (await scoreOf(other)))).toBeLessThan(0.1);
    }
  });

  it("is one among others whose order does not matter", async () => {
    const all = [lesson(sale(), "ad"), lesson(minutes(), "not"), lesson(DOUBTFUL, "ad")];
    const one = await learnFrom(all, shippedModel());
    const other = await learnFrom([...all].reverse(), shippedModel());
    expect(await scoreOf(DOUBTFUL, one)).toBe(await scoreOf(DOUBTFUL, other));
  });
});

describe("the register of lessons", () => {
  it("keeps one lesson of a mail: who teaches it again changes it", async () => {
    const { lessons } = register();
    expect(await lessons.teach([lesson(sale(), "not"), lesson(minutes(), "not")])).toEqual({
      added: 2,
      replaced: 0,
      dropped: 0,
    });
    expect(await lessons.teach([lesson(sale(), "ad")])).toEqual({ added: 0, replaced: 1, dropped: 0 });
    expect((await lessons.list()).map(({ label }) => label).sort()).toEqual(["ad", "not"]);
  });

  it("forgets what is picked, and then is as it was before", async () => {
    const { lessons } = register();
    await lessons.teach([lesson(sale(), "ad", { batch: "good" })]);
    await lessons.teach([lesson(minutes(), "ad", { batch: "bad" })]);
    expect(await lessons.forget(({ batch }) => batch === "bad")).toBe(1);
    expect((await lessons.list()).map(({ batch }) => batch)).toEqual(["good"]);
    expect(await lessons.forget(() => false)).toBe(0);
  });

  it("tells by its version that something changed", async () => {
    const { lessons } = register();
    expect(await lessons.version()).toBe(0);
    await lessons.teach([lesson(sale(), "ad")]);
    const first = await lessons.version();
    expect(first).toBeGreaterThan(0);
    await lessons.forget(() => true);
    expect(await lessons.version()).toBeGreaterThan(first);
  });

  it("lets the oldest go, of lessons and of reports each for themselves", async () => {
    const { lessons } = register();
    const record = (n: number, reporter?: string): NewLesson => ({
      label: "ad",
      sketch: Buffer.from(String(n)).toString("base64"),
      print: [],
      atMs: n,
      batch: "b",
      by: "x",
      ...(reporter !== undefined && { reporter }),
    });
    await lessons.teach([record(1, "someone"), record(0, "someone")]);
    const { dropped } = await lessons.teach(
      Array.from({ length: LESSON_LIMITS.lessonsMax + 3 }, (_, n) => record(n + 10)),
    );
    expect(dropped).toBe(3);
    const left = await lessons.list();
    expect(left).toHaveLength(LESSON_LIMITS.lessonsMax + 2);
    expect(left.map(({ atMs }) => atMs).slice(0, 3)).toEqual([0, 1, 13]);
  });
});

describe("reports of recipients", () => {
  const readAll = async (news: readonly NewLesson[], reportersMin = 3, sinceMs = 0) => {
    const { lessons } = register();
    await lessons.teach(news);
    return readReports(await lessons.list(), { reportersMin, sinceMs });
  };

  it("of copies of one text are counted together, by different people", async () => {
    const reports = await readAll([
      report(sale("A", 1), "a@x.example"),
      report(sale("B", 2), "b@x.example"),
      report(sale("A", 1), "A@x.example"),
    ]);
    expect(reports.reportersOf(report(sale("C", 3), "").print)).toBe(2);
    expect(reports.reportersOf(report(minutes(), "").print)).toBe(0);
    expect(reports.lessons).toEqual([]);
  });

  it("of enough people make one lesson of a text", async () => {
    const reports = await readAll(["a", "b", "c", "d"].map((who, n) => report(sale(who, n), `${who}@x.example`)));
    expect(reports.lessons.map(({ label }) => label)).toEqual(["ad"]);
  });

  it("of one person about everything make none", async () => {
    const texts = [sale(), minutes(), DOUBTFUL];
    expect((await readAll(texts.map((text) => report(text, "enemy@x.example")))).lessons).toEqual([]);
  });

  it("no longer count after their time", async () => {
    const news = ["a", "b", "c"].map((who, n) => report(sale(who, n), `${who}@x.example`, 5));
    expect((await readAll(news, 3, 6)).reportersOf(report(sale(), "").print)).toBe(0);
  });
});

describe("what was taught", () => {
  const teachingsOf = (
    { clock, lessons }: Pick<ReturnType<typeof register>, "clock" | "lessons">,
    faults: unknown[] = [],
  ) =>
    createTeachings({ lessons, model: shippedModel(), clock, reportersMin: 3, onFault: (error) => faults.push(error) });

  it("is known with the first mail, and a change within seconds, on every worker", async () => {
    const house = register();
    const [one, other] = [teachingsOf(house), teachingsOf(house)];
    expect((await one.current()).learned.lessons).toBe(0);
    await house.lessons.teach([lesson(DOUBTFUL, "ad")]);
    expect((await other.current()).learned.lessons).toBe(1);
    expect((await one.current()).learned.lessons, "not asked at every mail").toBe(0);
    await house.clock.pass(6_000);
    void one.current();
    await expect.poll(async () => (await one.current()).learned.lessons).toBe(1);
    await house.lessons.forget(() => true);
    await house.clock.pass(6_000);
    void one.current();
    await expect.poll(async () => (await one.current()).learned.lessons).toBe(0);
  });

  it("holds while the store is away, and is nothing before it was ever there", async () => {
    const { clock, lessons } = register();
    await lessons.teach([lesson(DOUBTFUL, "ad")]);
    let away = true;
    const sometimes = {
      version: () => (away ? Promise.reject(new Unavailable("store", "away")) : lessons.version()),
      list: lessons.list,
    };
    const faults: unknown[] = [];
    const teachings = createTeachings({
      lessons: sometimes,
      model: shippedModel(),
      clock,
      reportersMin: 3,
      onFault: (error) => faults.push(error),
    });
    expect((await teachings.current()).learned.lessons).toBe(0);
    away = false;
    await clock.pass(6_000);
    void teachings.current();
    await expect.poll(async () => (await teachings.current()).learned.lessons).toBe(1);
    away = true;
    await clock.pass(6_000);
    void teachings.current();
    await expect.poll(async () => (await teachings.current()).learned.lessons).toBe(1);
    expect(faults).toEqual([]);
  });

  it("that cannot be read is told, and the model is used as it came", async () => {
    const { clock, lessons } = register();
    const faults: unknown[] = [];
    const broken = {
      version: lessons.version.bind(lessons),
      list: () => Promise.reject(new Error("a record of tomorrow")),
    };
    await lessons.teach([lesson(sale(), "ad")]);
    const teachings = createTeachings({
      lessons: broken,
      model: shippedModel(),
      clock,
      reportersMin: 3,
      onFault: (error) => faults.push(error),
    });
    expect((await teachings.current()).learned.lessons).toBe(0);
    expect(faults).toHaveLength(1);
  });
});
