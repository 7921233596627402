import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { furnish } from "../helpers/mta-talks.ts";
import { playTalk, type TalkConnection, type TalkDoor } from "../helpers/play-talk.ts";
import { type RunningService, startService } from "../helpers/service.ts";
import { openTalk } from "../helpers/smtp-talk.ts";
import { type ClientStep, parseTalk, type Talk } from "../helpers/talk.ts";

const DOOR = "smtp";
const folder = join(import.meta.dirname, "../talks");
const talks = readdirSync(folder)
  .filter((name) => name.endsWith(".talk"))
  .map((name) => ({ name, talk: readTalk(name) }));

function readTalk(name: string): Talk {
  try {
    return parseTalk(readFileSync(join(folder, name), "utf8"));
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

/** The service itself, to which every client comes by XCLIENT. */
async function openDoor(talk: Talk): Promise<TalkDoor> {
  const service = await startService({ store: { url: "embedded:" }, ...talk.config });
  await furnish(service, talk);
  return { ...service, connect: (client) => comeIn(service, client) };
}

async function comeIn(
  service: RunningService,
  { ip, helo, login, password, port }: ClientStep,
): Promise<TalkConnection> {
  const talk = await openTalk(service[port]);
  await talk.sayAll("EHLO proxy.example.net", `XCLIENT ADDR=${ip.includes(":") ? `IPV6:${ip}` : ip} PORT=40025`);
  let opened = await talk.say(`EHLO ${helo}`);
  if (login !== undefined) {
    opened = await talk.say(`AUTH PLAIN ${Buffer.from(`\0${login}\0${password}`).toString("base64")}`);
  }
  return { opened, say: talk.say, text: talk.data, close: talk.vanish };
}

describe("talks through the SMTP door", () => {
  it("are there", () => {
    expect(talks.length).toBeGreaterThanOrEqual(30);
  });

  for (const { name, talk } of talks) {
    const reason = talk.skips.get(DOOR);
    const title = `${name}: ${talk.title}`;
    if (reason !== undefined) it.skip(`${title} (not through ${DOOR}: ${reason})`, () => {});
    else it(title, async () => playTalk(talk, await openDoor(talk)));
  }
});
