/**
 * The texts of our own (own/*.txt), filled in. They stand in training for what no corpus has: ordinary business mail in
 * Chinese and Vietnamese, with the signatures, amounts and dates that a model would otherwise take for advertising.
 * Each line becomes a few mails, as plain text and as HTML alike, always the same ones.
 */
import { readFileSync } from "node:fs";
import { emptyText, type MailText } from "../../../src/mail/text.ts";
import { randomOf } from "../random.ts";

export interface OwnMail {
  readonly language: string;
  readonly label: "ordinary" | "ad";
  /** The line it was made from: its variants belong together. */
  readonly line: number;
  readonly subject: string;
  readonly text: MailText;
}

/** How many mails are made of one line. */
const VARIANTS = 4;

const FILLINGS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  zh: {
    name: ["王经理", "李工", "陈小姐", "刘总", "赵敏", "孙师傅", "周老师", "吴先生", "郑姐", "小林"],
    co: ["宏达机械有限公司", "东方电子科技有限公司", "恒信贸易有限公司", "立新材料股份有限公司", "博远软件有限公司"],
    prod: ["轴承", "连接器", "不锈钢管", "电源模块", "打印机", "阀门", "注塑件", "线束", "实验台", "传感器"],
    course: ["采购成本控制与谈判技巧", "生产现场管理", "非财务人员的财务管理", "销售团队建设", "劳动法实务"],
    city: ["苏州", "深圳", "成都", "青岛", "武汉", "宁波", "厦门", "西安"],
    date: ["3月12日", "本周五", "4月底前", "下周一", "10月8日", "月末", "11月20日"],
    sign: [
      "祝好/{co} {name}/电话：0512-6688{ext} 手机：138{tel8}/地址：{city}市工业园区星湖街 {ext} 号",
      "此致/敬礼/{name}/{co}/Tel: 021-5588{ext}  Fax: 021-5588{ext}/www.example.com.cn",
      "{name}/{co}",
      "顺祝商祺/{name} 敬上/QQ：{num}/地址：{city}市人民路 {ext} 号",
    ],
  },
  vi: {
    name: ["anh Nam", "chị Hoa", "Tuấn", "Lan", "anh Dũng", "chị Mai", "Phương", "Hùng"],
    co: [
      "Công ty TNHH Minh Phát",
      "Công ty CP Xây dựng Hòa Bình An",
      "Công ty TNHH Thương mại Đại Tín",
      "Công ty CP Phần mềm Sao Việt",
    ],
    prod: ["máy in", "ghế văn phòng", "ống thép", "gạch men", "máy lạnh", "bao bì carton", "đèn LED"],
    course: ["kế toán thực hành", "tiếng Anh giao tiếp", "lập trình web", "marketing online"],
    city: ["Hà Nội", "Đà Nẵng", "Cần Thơ", "Biên Hòa", "Hải Phòng", "TP.HCM"],
    date: ["12/3", "15/04", "thứ Sáu", "cuối tháng", "20/11", "5/9"],
    sign: [
      "Trân trọng,/{name}/{co}/ĐT: 028 3822 {ext} - DĐ: 0903 {tel6}/Địa chỉ: {ext} Nguyễn Trãi, {city}",
      "Em cảm ơn,/{name} - Phòng kế toán",
      "Trân trọng/{name}/{co}/www.example.com.vn",
      "Thanks & Best regards,/{name}",
    ],
  },
  en: {
    name: ["Mr Evans", "Claire", "Sam", "Ms Novak", "Peter", "Dr Singh", "Anna"],
    co: ["Harlow Tools Ltd", "Brightwater Logistics", "Nordal Electronics GmbH", "Eastfield Paper Co."],
    prod: ["bearings", "cable sets", "valves", "brake pads", "laptop stands", "castings", "sensors"],
    course: ["Negotiation for buyers", "Lean production", "Labour law basics", "Managing remote teams"],
    city: ["Leeds", "Hamburg", "Austin", "Singapore", "Porto", "Toronto"],
    date: ["12 March", "Friday", "the end of April", "8 October", "next Monday", "20 November"],
    sign: [
      "Best regards,/{name}/{co}/Tel +44 20 7946 {ext} | Mobile +44 7700 {tel6}/{ext} Mill Lane, {city}",
      "Kind regards/{name}",
      "Thanks,/{name}/{co} - www.example.com",
      "Yours sincerely,/{name}/Accounts department",
    ],
  },
};

const digits = (random: () => number, count: number): string => {
  let text = String(1 + Math.floor(random() * 9));
  while (text.length < count) text += Math.floor(random() * 10);
  return text;
};

/** Numbers common to all languages, by slot. */
const NUMBERS: Readonly<Record<string, number>> = { num: 9, num2: 4, ext: 4, tel: 11, tel6: 6, tel8: 8, qty: 2 };

function fill(template: string, language: string, random: () => number): string {
  let text = template;
  // Fillings hold slots themselves (a signature names a firm): three rounds reach the innermost.
  for (let round = 0; round < 3 && text.includes("{"); round += 1) {
    text = text.replace(/\{([a-z0-9]+)\}/g, (_whole, slot: string) => {
      const count = NUMBERS[slot];
      if (count !== undefined) return digits(random, count);
      if (slot === "amt") return digits(random, 1 + Math.floor(random() * 3)).concat(",", digits(random, 3));
      const choices = FILLINGS[language]?.[slot] ?? [];
      return choices[Math.floor(random() * choices.length)] ?? "";
    });
  }
  return text;
}

/** All of them, in the order of the files. */
export function ownMails(): OwnMail[] {
  const mails: OwnMail[] = [];
  for (const language of ["zh", "vi", "en"]) {
    const lines = readFileSync(new URL(`own/${language}.txt`, import.meta.url), "utf8").split("\n");
    for (const [line, content] of lines.entries()) {
      const [label, subject, body] = content.split(" | ");
      if ((label !== "ordinary" && label !== "ad") || subject === undefined || body === undefined) continue;
      const random = randomOf(line + 1);
      for (let variant = 0; variant < VARIANTS; variant += 1) {
        const text = fill(body, language, random).replaceAll("/", "\n");
        mails.push({ language, label, line, subject: fill(subject, language, random), text: dress(text, random) });
      }
    }
  }
  return mails;
}

/** Half of each label comes as HTML, some with a logo, so that neither says anything about the label. */
function dress(text: string, random: () => number): MailText {
  const html = random() < 0.5;
  const images = html && random() < 0.4 ? 1 : 0;
  const site = /www\.\S+/.exec(text)?.[0];
  return { ...emptyText(), text, html, images, links: site === undefined ? [] : [site] };
}
