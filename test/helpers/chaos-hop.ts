/** A next hop that fails at random at every step, and remembers what it took: by the id in the Subject, when, and whether it said so. */
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface Taken {
  readonly id: string;
  readonly atMs: number;
  /** The client heard the 250; else only we know that the mail is here. */
  readonly isSaid: boolean;
}

export interface ChaosHop {
  readonly port: number;
  readonly taken: readonly Taken[];
  /** 0: it takes everything. */
  failures: number;
  stop(): Promise<void>;
}

export async function startChaos(failures: number): Promise<ChaosHop> {
  const sockets = new Set<Socket>();
  const taken: Taken[] = [];
  const state = { failures };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.setNoDelay(true);
    talk(socket, { fails: () => Math.random() < state.failures, take: (mail) => void taken.push(mail) });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    taken,
    get failures() {
      return state.failures;
    },
    set failures(part) {
      state.failures = part;
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

interface Ways {
  fails(): boolean;
  take(mail: Taken): void;
}

/** RFC 5321 without extensions; each step may be refused for now, and each may be where the connection ends. */
function talk(socket: Socket, { fails, take }: Ways): void {
  let heard = "";
  let inMail = false;
  const say = (text: string): void => void (socket.destroyed || socket.write(`${text}\r\n`));
  const fail = (): void => {
    if (Math.random() < 0.7) say("451 4.3.0 not now");
    else socket.destroy();
  };
  const orFail = (good: string): void => (fails() ? fail() : say(good));
  const end = (text: string): void => {
    const id = /^Subject: (\S+)/m.exec(text)?.[1] ?? "none";
    if (fails()) return fail();
    const isSaid = !fails();
    take({ id, atMs: Date.now(), isSaid });
    if (isSaid) say("250 2.0.0 taken");
    else socket.destroy();
  };
  say("220 chaos.example ESMTP");
  socket.on("data", (piece: Buffer) => {
    heard += piece.toString("latin1");
    for (;;) {
      const stop = inMail ? heard.indexOf("\r\n.\r\n") : heard.indexOf("\r\n");
      if (stop < 0 || socket.destroyed) return;
      const text = heard.slice(0, stop);
      heard = heard.slice(stop + (inMail ? 5 : 2));
      if (inMail) {
        inMail = false;
        end(text);
      } else if (/^DATA/i.test(text)) {
        if (fails()) say("451 4.3.0 not now");
        else {
          inMail = true;
          say("354 go on");
        }
      } else if (/^QUIT/i.test(text)) {
        say("221 2.0.0 bye");
        socket.end();
      } else if (/^(RCPT|MAIL)/i.test(text)) orFail("250 2.1.0 ok");
      else say("250 ok");
    }
  });
}
