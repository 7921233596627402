import { describe, expect, it } from "vitest";
import { createPerAddress } from "../../src/doors/smtp/per-address.ts";
import { createCensus, createNeighbours } from "../../src/supervisor/census.ts";
import type { Counts } from "../../src/supervisor/messages.ts";
import { until } from "../helpers/wait.ts";

describe("the census of connections", () => {
  it("tells each worker what all the others hold", () => {
    const census = createCensus();
    for (const worker of [1, 2, 3]) census.enter(worker);
    census.note(1, [["192.0.2.1", 2]]);
    census.note(2, [["192.0.2.1", 5]]);
    const news = census.note(3, [["192.0.2.1", 1]]);
    expect(Object.fromEntries(news)).toEqual({ 1: [["192.0.2.1", 6]], 2: [["192.0.2.1", 3]] });
  });

  it("forgets a worker that is gone, and tells a new one where the others stand", () => {
    const census = createCensus();
    census.enter(1);
    census.enter(2);
    census.note(1, [["192.0.2.1", 2]]);
    census.note(2, [["192.0.2.9", 4]]);
    expect(Object.fromEntries(census.leave(1))).toEqual({ 2: [["192.0.2.1", 0]] });
    expect(census.enter(1)).toEqual([["192.0.2.9", 4]]);
  });

  it("hears nothing of one it does not know, as after its end", () => {
    expect(createCensus().note(7, [["192.0.2.1", 1]]).size).toBe(0);
  });
});

describe("connections of one address over two workers", () => {
  it("are one bound, and room is found again where one of them ends", async () => {
    const census = createCensus();
    const workers = [1, 2].map((number) => {
      const neighbours = createNeighbours((counts) => {
        for (const [other, news] of census.note(number, counts)) all.get(other)?.learn(news);
      });
      return { number, neighbours, perAddress: createPerAddress(() => 3, neighbours) };
    });
    const all = new Map(workers.map(({ number, neighbours }) => [number, neighbours]));
    for (const { number } of workers) census.enter(number);
    const [one, two] = workers;
    expect([one?.perAddress.enter("192.0.2.1"), one?.perAddress.enter("192.0.2.1")]).toEqual([true, true]);
    await until("the second knows", () => two?.neighbours.count("192.0.2.1") === 2);
    expect([two?.perAddress.enter("192.0.2.1"), two?.perAddress.enter("192.0.2.1")]).toEqual([true, false]);
    expect(two?.perAddress.enter("192.0.2.2"), "another address").toBe(true);
    one?.perAddress.leave("192.0.2.1");
    await until("the second knows of the end", () => two?.neighbours.count("192.0.2.1") === 1);
    expect(two?.perAddress.enter("192.0.2.1")).toBe(true);
  });

  it("are told together, and one that came and went not at all", async () => {
    const sent: Counts[] = [];
    const neighbours = createNeighbours((counts) => sent.push(counts));
    neighbours.tell("192.0.2.1", 1);
    neighbours.tell("192.0.2.1", 0);
    neighbours.tell("192.0.2.2", 1);
    neighbours.tell("192.0.2.2", 2);
    neighbours.tell("192.0.2.3", 1);
    await until("they are told", () => sent.length > 0);
    expect(sent).toEqual([
      [
        ["192.0.2.2", 2],
        ["192.0.2.3", 1],
      ],
    ]);
  });
});
