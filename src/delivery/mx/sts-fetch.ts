import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { Names } from "../../kit/names.ts";

export interface StsFetchOptions {
  readonly names: Names;
  /** May a web server lie at this address? */
  mayCall(ip: string): boolean;
  /** For all of it (RFC 8461 3.3 suggests a minute). */
  readonly timeoutMs: number;
  readonly bytesMax: number;
  /** 443; another one for tests. */
  readonly port?: number;
  /** Certificates to trust instead of the usual ones, PEM; for tests. */
  readonly ca?: string;
}

/**
 * Gets https://<host>/.well-known/mta-sts.txt: a certificate of that name, status 200, text/plain, no redirects (RFC 8461 3.3).
 * @returns a function that gives the text, or undefined for anything else; it never throws
 */
export function stsFetch(options: StsFetchOptions): (host: string) => Promise<string | undefined> {
  return async (host) => {
    const signal = AbortSignal.timeout(options.timeoutMs);
    try {
      return await get(host, options, signal);
    } catch {
      return undefined;
    }
  };
}

function get(host: string, options: StsFetchOptions, signal: AbortSignal): Promise<string | undefined> {
  const { port = 443, ca } = options;
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host,
        port,
        path: "/.well-known/mta-sts.txt",
        agent: false,
        lookup: lookUpIn(options),
        signal,
        minVersion: "TLSv1.2",
        ...(ca !== undefined && { ca }),
      },
      (response) => {
        read(response, options.bytesMax).then(resolve, reject);
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

async function read(response: IncomingMessage, bytesMax: number): Promise<string | undefined> {
  const type = response.headers["content-type"] ?? "";
  if (response.statusCode !== 200 || !/^text\/plain\s*(;|$)/i.test(type)) {
    response.destroy();
    return undefined;
  }
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bytesMax) {
      response.destroy();
      return undefined;
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** Names by our own resolver, addresses of the neighbourhood left out. */
function lookUpIn({ names, mayCall }: StsFetchOptions): LookupFunction {
  return (host, { all }, done) => {
    Promise.allSettled([names.ask(host, "AAAA"), names.ask(host, "A")])
      .then((said) =>
        said.flatMap((each) => (each.status === "fulfilled" ? [...each.value.records] : [])).filter(mayCall),
      )
      .then((ips) => {
        const [first] = ips;
        if (first === undefined) return done(new Error("no address"), "", 0);
        if (all)
          return done(
            null,
            ips.map((address) => ({ address, family: isIP(address) })),
          );
        return done(null, first, isIP(first));
      })
      .catch((error: unknown) => done(error instanceof Error ? error : new Error("no address"), "", 0));
  };
}
