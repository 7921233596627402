/** smtp-source and smtp-sink, Postfix's own load tools: the same traffic for everything measured. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { freePort, program, type Running, start, untilListening } from "./processes.ts";

export interface Traffic {
  readonly mails: number;
  readonly sessions: number;
  /** Payload without headers, bytes. */
  readonly bytes: number;
  readonly sender: string;
  readonly recipient: string;
  readonly subject?: string;
  /** Where the port is; default 127.0.0.1. */
  readonly host?: string;
  /** The whole mail, headers and all, from here instead. */
  readonly file?: string;
  /** A connection for each mail instead of kept ones. */
  readonly fresh?: boolean;
}

/** Sends it all to a port. @returns seconds it took */
export async function send(port: number, traffic: Traffic): Promise<number> {
  const { mails, sessions, bytes, sender, recipient, subject, file, host, fresh } = traffic;
  const args = [
    ...(fresh ? [] : ["-d"]),
    "-s",
    sessions,
    "-m",
    mails,
    "-l",
    bytes,
    "-f",
    sender,
    "-t",
    recipient,
    "-M",
    "client.stranger.example",
  ];
  if (subject) args.push("-S", subject);
  if (file) args.splice(args.indexOf("-l"), 2, "-F", file);
  const began = process.hrtime.bigint();
  const child = spawn(program("smtp-source", "postfix"), [...args.map(String), `${host ?? "127.0.0.1"}:${port}`], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`smtp-source failed: ${complaint.slice(0, 400)}`);
  return Number(process.hrtime.bigint() - began) / 1e9;
}

export interface Sink extends Running {
  readonly port: number;
}

/** A next hop that takes everything and keeps nothing. */
export async function startSink(): Promise<Sink> {
  const port = await freePort();
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const running = start(program("smtp-sink", "postfix"), [...user, "-m", "4000", `127.0.0.1:${port}`, "1000"]);
  await untilListening(port);
  return { ...running, port };
}
