import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Desk } from "../../desk/desk.ts";
import { Unavailable } from "../../kit/trouble.ts";
import { parseAddress } from "../../mail/path.ts";
import type { ConsentRegister } from "../../registers/consents.ts";

export interface ApiParts {
  readonly desk: Desk;
  readonly consents: ConsentRegister;
  /** Client ids that may be named as advertiser, and domains. */
  readonly isAdvertiser: (advertiser: string) => Promise<boolean>;
  /** The shared secret of those who may call; undefined: the API is shut. */
  readonly apiToken: () => string | undefined;
}

const address = z.string().transform((text, context) => {
  const read = parseAddress(text);
  if (read) return read.key;
  context.addIssue({ code: "custom", message: "expected an e-mail address" });
  return z.NEVER;
});
const pair = { advertiser: z.string().min(1).max(253), recipient: address };
const refusalBody = z.strictObject({ ...pair, actor: z.string().max(100).optional() });
const requestBody = z.strictObject({
  ...pair,
  topics: z.array(z.string().min(1).max(100)).max(50).default([]),
  actor: z.string().max(100).optional(),
});

/** JSON for advertisers' own systems: a refusal that came by phone, a request to send, what is recorded of a pair. */
export function apiRoutes(http: FastifyInstance, parts: ApiParts): void {
  const { desk, consents } = parts;
  const guarded = { preHandler: async (request: FastifyRequest, reply: FastifyReply) => guard(parts, request, reply) };
  http.post("/v1/refusals", guarded, (request, reply) =>
    judged(reply, async () => {
      const { actor, ...word } = await known(parts, refusalBody.parse(request.body));
      const stood = await desk.refuse({ ...word, how: "api", ip: request.ip, ...(actor !== undefined && { actor }) });
      return reply.code(stood ? 201 : 200).send({ ...word, stoodUntilNow: stood });
    }),
  );
  http.post("/v1/consent-requests", guarded, (request, reply) =>
    judged(reply, async () => {
      const { actor, ...question } = await known(parts, requestBody.parse(request.body));
      const asked = await desk.ask({ ...question, ...(actor !== undefined && { actor }) });
      return reply.code(asked ? 202 : 409).send({ ...question, asked });
    }),
  );
  http.get<{ Querystring: Record<string, string> }>("/v1/consents", guarded, (request, reply) =>
    judged(reply, async () => {
      const question = await known(parts, z.strictObject(pair).parse(request.query));
      const [consent] = await consents.find(question.advertiser, [question.recipient]);
      return consent ? reply.send(consent) : reply.code(404).send({ ...question, recorded: false });
    }),
  );
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** In constant time, and shut where nobody set a token. */
async function guard({ apiToken }: ApiParts, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const expected = apiToken();
  const given = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
  if (expected !== undefined && timingSafeEqual(digest(given), digest(expected))) return;
  await reply.code(401).header("www-authenticate", "Bearer").send({ error: "unauthorized" });
}

class UnknownAdvertiser extends Error {}

/** A refusal under a name that nobody checks would be one that never holds. */
async function known<T extends { advertiser: string }>({ isAdvertiser }: ApiParts, body: T): Promise<T> {
  if (!(await isAdvertiser(body.advertiser))) throw new UnknownAdvertiser();
  return body;
}

async function judged(reply: FastifyReply, work: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof z.ZodError) {
      const problems = error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
      return reply.code(400).send({ error: "invalid", problems });
    }
    if (error instanceof UnknownAdvertiser) {
      return reply.code(404).send({ error: "advertiser", problems: ["no registered client, and no domain"] });
    }
    if (!(error instanceof Unavailable)) throw error;
    return reply.code(503).header("retry-after", "120").send({ error: "unavailable" });
  }
}
