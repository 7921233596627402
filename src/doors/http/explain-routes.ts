import type { FastifyInstance, FastifyReply } from "fastify";
import type { Explained, Explainer } from "../../desk/explainer.ts";
import { Unavailable } from "../../kit/trouble.ts";
import { explanation, PAGE_HEADERS, statement } from "./pages.ts";

export interface ExplainParts {
  /** Absent: there is no such page. */
  readonly explainer?: Explainer | undefined;
}

/** What a refusal meant, for whoever holds its id: a page that shows and does nothing. */
export function explainRoutes(http: FastifyInstance, { explainer }: ExplainParts): void {
  if (!explainer) return;
  http.get<{ Params: { id: string } }>("/explain/:id", async (request, reply) => {
    try {
      return show(reply, await explainer.explain(request.params.id, request.ip));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      return show(reply, "later");
    }
  });
}

function show(reply: FastifyReply, explained: Explained): FastifyReply {
  reply.headers(PAGE_HEADERS);
  if (explained === "unknown") return reply.code(404).send(statement("nothing"));
  if (explained === "later") return reply.header("retry-after", "60").code(503).send(statement("busy"));
  return reply.code(200).send(explanation(explained));
}
