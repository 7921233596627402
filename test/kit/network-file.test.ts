import { renameSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openNetworkFile, readNetworks } from "../../src/kit/network-file.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";
import { tempDir } from "../helpers/temp.ts";
import { until } from "../helpers/wait.ts";

async function* piecesOf(text: string, bytes = 7): AsyncGenerator<Buffer> {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes);
}

const read = (text: string, bytes?: number) => readNetworks(piecesOf(text, bytes));

describe("a list of networks", () => {
  it.each([
    ["addresses", "192.0.2.1\n192.0.2.2\n", ["192.0.2.1", "192.0.2.2"], ["192.0.2.3"]],
    ["networks", "192.0.2.0/24\r\n2001:db8::/32\r\n", ["192.0.2.9", "2001:db8::9"], ["192.0.3.1", "2001:db9::"]],
    ["ranges", "192.0.2.3-192.0.2.9\n", ["192.0.2.3", "192.0.2.9"], ["192.0.2.2", "192.0.2.10"]],
    ["a wide range", "9.0.0.0 - 9.255.255.255", ["9.0.0.0", "9.255.255.255", "9.9.9.9"], ["8.255.255.255", "10.0.0.0"]],
    ["columns", "192.0.2.1,VN,2021-06-01\n192.0.2.2;x\n192.0.2.3\tx\n", ["192.0.2.1", "192.0.2.2", "192.0.2.3"], []],
    ["comments and blank lines", "# list\n\n; more\n 192.0.2.1 # why\n", ["192.0.2.1"], []],
    ["a byte order mark", "\uFEFF192.0.2.1\n", ["192.0.2.1"], []],
    ["no line end at its end", "192.0.2.1\n192.0.2.2", ["192.0.2.2"], []],
  ])("may hold %s", async (_, text, inside, outside) => {
    for (const bytes of [1, 7, 65_536]) {
      const { table, badLines } = await read(text, bytes);
      expect(badLines).toBe(0);
      for (const ip of inside) expect(table.has(ip), ip).toBe(true);
      for (const ip of outside) expect(table.has(ip), ip).toBe(false);
    }
  });

  it.each([
    "hello",
    "192.0.2.256",
    "192.0.2.1/33",
    "192.0.2",
    "1.2.3.4.5",
    "192.0.2.9-192.0.2.1",
    "::1-::9",
    "192.0.2.1x",
    "0.0.0.0/0",
    "10.0.0.0/7",
    "2000::/3",
    "0.0.0.0-255.255.255.255",
    "::1/129",
  ])("tells of a line that is none: %s", async (line) => {
    expect(await read(`192.0.2.1\n${line}\n`)).toMatchObject({ badLines: 1, firstBadLine: 2 });
  });

  it("without line ends is none, and takes no memory", async () => {
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) yield Buffer.alloc(65_536, "1");
    }
    await expect(readNetworks(endless())).rejects.toThrow("no end");
  });
});

describe("1.2 million networks", () => {
  /** Spread over the whole address space, as a published list of senders is: single addresses, some networks. */
  const address = (i: number): string => {
    const value = Math.imul(i + 1, 2_654_435_761) >>> 0;
    return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
  };
  async function* list(count: number): AsyncGenerator<Buffer> {
    for (let from = 0; from < count; from += 4_000) {
      const lines = Array.from({ length: Math.min(4_000, count - from) }, (_, i) => {
        const at = from + i;
        return at % 10 === 0 ? `${address(at)}/${20 + (at % 9)}` : address(at);
      });
      yield Buffer.from(`${lines.join("\n")}\n`);
    }
  }
  const lookUpMs = (table: { has(ip: string): boolean }, from: number): number => {
    const asked = Array.from({ length: 20_000 }, (_, i) => address(from + i * 7));
    return cpuTimeMs(() => {
      for (const ip of asked) table.has(ip);
    });
  };

  it("take few bytes each, are all found, and are looked up as fast as a thousand", { timeout: 120_000 }, async () => {
    const { table, badLines } = await readNetworks(list(1_200_000));
    expect(badLines).toBe(0);
    expect(table.bytes, "memory, bounded by the number of lines").toBeLessThan(32 * 1024 * 1024);
    for (let i = 0; i < 1_200_000; i += 997) expect(table.has(address(i))).toBe(true);
    const { table: small } = await readNetworks(list(1_000));
    const times = { large: [] as number[], small: [] as number[] };
    for (let round = 0; round < 3; round += 1) {
      times.large.push(lookUpMs(table, 5_000_000 + round));
      times.small.push(lookUpMs(small, 5_000_000 + round));
    }
    // The large one misses the processor's caches; a linear search would take a thousand times as long.
    expect(Math.min(...times.large)).toBeLessThan(Math.min(...times.small) * 8 + 20);
  });
});

describe("a file of networks", () => {
  async function opened(text: string) {
    const path = join(tempDir(), "list.txt");
    writeFileSync(path, text);
    const told: string[] = [];
    const file = await openNetworkFile({
      path,
      everyMs: 20,
      onRead: ({ networks, badLines }) => told.push(`${networks} networks, ${badLines} bad`),
      onTrouble: (reason) => told.push(reason),
    });
    onTestFinished(file.close);
    return { path, told, file };
  }

  it("is read again when it changes, and when another takes its place", async () => {
    const { path, told, file } = await opened("192.0.2.1\n");
    expect(file.table?.has("192.0.2.1")).toBe(true);
    writeFileSync(path, "192.0.2.2\n192.0.2.3\nx\n");
    await until("the second list", () => file.table?.has("192.0.2.2") === true);
    expect(file.table?.has("192.0.2.1")).toBe(false);
    writeFileSync(`${path}.new`, "192.0.2.4\n");
    renameSync(`${path}.new`, path);
    await until("the third list", () => file.table?.has("192.0.2.4") === true);
    expect(told).toEqual(["1 networks, 0 bad", "2 networks, 1 bad", "1 networks, 0 bad"]);
  });

  it("that is gone, or no list any more, leaves the old one in force and is told of", async () => {
    const { path, told, file } = await opened("192.0.2.1\n");
    writeFileSync(path, "<html>\n<body>not found\n");
    await until("a complaint", () => told.includes("no line of it is a network"));
    expect(file.table?.has("192.0.2.1")).toBe(true);
    unlinkSync(path);
    await until("another", () => told.includes("ENOENT"));
    expect(file.table?.has("192.0.2.1")).toBe(true);
  });

  it("may become empty: nobody is listed any more", async () => {
    const { path, file } = await opened("192.0.2.1\n");
    writeFileSync(path, "# all let off\n");
    await until("an empty list", () => file.table?.size === 0);
  });
});
