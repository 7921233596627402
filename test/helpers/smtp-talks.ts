/** Talks through the SMTP door: the service itself, to which every client comes by XCLIENT. */
import { furnish } from "./mta-talks.ts";
import type { TalkConnection, TalkDoor } from "./play-talk.ts";
import { startService } from "./service.ts";
import { openTalk } from "./smtp-talk.ts";
import type { ClientStep, Talk } from "./talk.ts";

export async function openSmtpDoor(talk: Talk): Promise<TalkDoor> {
  const service = await startService(talk.config);
  await furnish(service, talk);
  return { ...service, connect: (client) => comeIn(service[client.port], client) };
}

/** A client who comes by XCLIENT, to any server that takes it. */
export async function comeIn(port: number, { ip, helo, login, password }: ClientStep): Promise<TalkConnection> {
  const talk = await openTalk(port);
  const address = ip.includes(":") ? `IPV6:${ip}` : ip;
  await talk.sayAll("EHLO proxy.example.net", `XCLIENT ADDR=${address} PORT=40025`);
  let opened = await talk.say(`EHLO ${helo}`);
  if (login !== undefined) {
    opened = await talk.say(`AUTH PLAIN ${Buffer.from(`\0${login}\0${password}`).toString("base64")}`);
  }
  return { opened, say: talk.say, text: talk.data, close: talk.vanish };
}
