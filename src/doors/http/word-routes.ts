import type { FastifyInstance, FastifyReply } from "fastify";
import type { Desk } from "../../desk/desk.ts";
import type { Meaning, TokenKind, Tokens } from "../../desk/tokens.ts";
import { Unavailable } from "../../kit/trouble.ts";
import { PAGE_HEADERS, question, statement } from "./pages.ts";

export interface WordParts {
  readonly desk: Desk;
  readonly tokens: Tokens;
}

interface Asked {
  Params: { token: string };
}

/** RFC 8058 3.1: the body of a one-click POST, in either of the two encodings a sender may use; our own button sends the first. */
const ONE_CLICK = /(?:^|&)List-Unsubscribe=One-Click(?:&|$)|name="?List-Unsubscribe"?\s*\r?\n\r?\nOne-Click/i;

/** The pages behind a link: GET shows, POST acts. What was answered is in register and ledger before it is shown. */
export function wordRoutes(http: FastifyInstance, { desk, tokens }: WordParts): void {
  const meant = (kind: TokenKind, token: string): Meaning | undefined => {
    const meaning = tokens.read(token);
    return meaning?.kind === kind && meaning.recipient ? meaning : undefined;
  };
  for (const kind of ["refuse", "agree"] as const) {
    http.get<Asked>(`/${kind}/:token`, async (request, reply) => {
      const meaning = meant(kind, request.params.token);
      return meaning ? show(reply, 200, question(kind, meaning.advertiser)) : show(reply, 404, statement("unknown"));
    });
    http.post<Asked>(`/${kind}/:token`, async (request, reply) => {
      const meaning = meant(kind, request.params.token);
      if (!meaning) return show(reply, 404, statement("unknown"));
      if (!ONE_CLICK.test(String(request.body ?? ""))) return show(reply, 400, question(kind, meaning.advertiser));
      return answer(reply, () => act(desk, meaning, request.ip));
    });
  }
}

async function act(desk: Desk, meaning: Meaning, ip: string): Promise<[number, string]> {
  const { advertiser, recipient = "", kind } = meaning;
  const word = { advertiser, recipient, ip, how: "one-click" } as const;
  if (kind === "refuse") {
    await desk.refuse(word);
    return [200, statement("refused", advertiser)];
  }
  const agreed = await desk.agree({ ...word, how: "double-opt-in" }, meaning);
  return [agreed ? 200 : 409, statement(agreed ? "agreed" : "over", advertiser)];
}

async function answer(reply: FastifyReply, work: () => Promise<[number, string]>): Promise<FastifyReply> {
  try {
    const [status, page] = await work();
    return show(reply, status, page);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return show(reply.header("retry-after", "120"), 503, statement("later"));
  }
}

const show = (reply: FastifyReply, status: number, page: string): FastifyReply =>
  reply.code(status).headers(PAGE_HEADERS).send(page);
