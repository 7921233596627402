/** A sender of spam in small: one text, many recipients, one connection. What it hears is not its concern. */
import { connect } from "node:net";
import { createInterface } from "node:readline";

const TIMEOUT_MS = 120_000;

/** @param server host:port of the door to the world. @throws Error when it does not answer, or a recipient is refused */
export async function sendCopies(server: string, count: number): Promise<void> {
  const colon = server.lastIndexOf(":");
  const socket = connect({ host: server.slice(0, colon), port: Number(server.slice(colon + 1)), timeout: TIMEOUT_MS });
  socket.once("timeout", () => socket.destroy(new Error(`${server} does not answer`)));
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const reply = async (): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${server} hung up`);
      if (/^\d{3}(?: |$)/.test(value)) return value;
    }
  };
  const say = async (text: string): Promise<string> => {
    socket.write(`${text}\r\n`);
    return reply();
  };
  try {
    await reply();
    await say("EHLO host.stranger.example");
    for (let n = 1; n <= count; n += 1) {
      await say("MAIL FROM:<me@stranger.example>");
      const taken = await say(`RCPT TO:<alice+${n}@example.com>`);
      if (!taken.startsWith("250")) throw new Error(`alice+${n}@example.com: ${taken}`);
      await say("DATA");
      await say(`${letter(n)}\r\n.`);
    }
    await say("QUIT");
  } finally {
    socket.destroy();
  }
}

const NAMES = ["李先生", "欧阳女士", "王小姐", "张先生", "陈女士", "赵经理", "刘老师"];

const letter = (n: number): string =>
  [
    "From: me@stranger.example",
    `To: alice+${n}@example.com`,
    `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
    `Message-Id: <copy-${n}-${Date.now()}@stranger.example>`,
    `Subject: =?UTF-8?B?${Buffer.from("夏季新品全场五折 限时抢购").toString("base64")}?=`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "",
    ...sale(NAMES[n % NAMES.length] ?? "", n).split("\n"),
  ].join("\r\n");

/** An advertisement as it is sent out, one to each customer; nothing in it says so. */
export const sale = (name: string, n: number): string =>
  [
    `尊敬的${name}：`,
    `夏季新品隆重上市，全场五折优惠，限时抢购！原价 399 元，现价仅 ${190 + (n % 10)} 元，包邮到家，名额有限，先到先得。`,
    `立即订购请致电 400-800-${1000 + n} 或加微信咨询，欢迎选购。`,
    `https://shop.example/sale?r=${n.toString(36)}`,
  ].join("\n");
