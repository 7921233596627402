/** The sheet that lies on top of an export, in Chinese, Vietnamese and English: what it is, for whom, and how to check it. */
import type { LawfulRequest } from "./requests.ts";

export interface CoverFacts {
  readonly request: LawfulRequest;
  /** Our name. */
  readonly hostname: string;
  readonly exportedBy: string;
  readonly exportedAtMs: number;
  readonly entries: number;
  /** How many of them lie in sealed days. */
  readonly proved: number;
  /** Fingerprint of the key that signs. */
  readonly key: string;
  /** What was searched for, name and value. */
  readonly asked: readonly (readonly [string, string])[];
}

/** How each language calls the facts, in their order. */
interface Words {
  readonly title: string;
  readonly facts: readonly string[];
  readonly confidential: string;
  readonly contents: string;
  readonly check: string;
  readonly chain: string;
  readonly time: string;
}

const LANGUAGES: readonly Words[] = [
  {
    title: "互联网电子邮件收发记录 依法调取",
    facts: [
      "案件编号",
      "调取机关",
      "法律依据",
      "调取范围",
      "检索条件",
      "提出人",
      "批准人",
      "导出人",
      "记录条数",
      "已封存条数",
      "出具单位",
      "签名密钥",
    ],
    confidential:
      "本文件夹含个人信息，仅供上述机关就本案使用，须依法保密（《互联网电子邮件服务管理办法》第九条、第十条）。",
    contents:
      "entries.csv 与 entries.parquet 内容相同：每封邮件每个收件人的收发时间、双方地址、IP 地址与处理结果；不含标题、正文和附件名。request.json 为本次调取的完整记录。proof/ 为封存链的证明。",
    check: "核对方法（在本文件夹内执行）：",
    chain:
      "proof/ 内每个 .seal 文件的第一行为封存记录，第二行为其签名；每条记录写明前一条的摘要。.rows 文件证明所导出的记录即为当日封存的记录。",
    time: "所有时间为协调世界时（UTC）。",
  },
  {
    title: "HỒ SƠ GỬI NHẬN THƯ ĐIỆN TỬ, CUNG CẤP THEO YÊU CẦU HỢP PHÁP",
    facts: [
      "Số vụ việc",
      "Cơ quan yêu cầu",
      "Căn cứ pháp lý",
      "Phạm vi yêu cầu",
      "Điều kiện tìm kiếm",
      "Người lập yêu cầu",
      "Người phê duyệt",
      "Người xuất dữ liệu",
      "Số bản ghi",
      "Số bản ghi đã niêm phong",
      "Đơn vị cung cấp",
      "Khóa ký",
    ],
    confidential:
      "Thư mục này chứa dữ liệu cá nhân, chỉ dành cho cơ quan nêu trên trong vụ việc này và phải được giữ bí mật theo pháp luật.",
    contents:
      "entries.csv và entries.parquet có cùng nội dung: với mỗi thư và mỗi người nhận là thời gian, địa chỉ hai bên, địa chỉ IP và kết quả xử lý; không có tiêu đề, nội dung hay tên tệp đính kèm. request.json là toàn bộ hồ sơ yêu cầu. proof/ là bằng chứng của chuỗi niêm phong.",
    check: "Cách kiểm tra (chạy trong thư mục này):",
    chain:
      "Trong proof/, dòng đầu của mỗi tệp .seal là bản ghi niêm phong, dòng thứ hai là chữ ký của nó; mỗi bản ghi nêu mã băm của bản ghi trước. Tệp .rows chứng minh rằng các bản ghi được xuất chính là các bản ghi đã niêm phong trong ngày.",
    time: "Mọi thời gian đều theo giờ quốc tế (UTC).",
  },
  {
    title: "RECORD OF E-MAIL SENT AND RECEIVED, GIVEN ON LAWFUL REQUEST",
    facts: [
      "Case",
      "Authority",
      "Legal basis",
      "Scope",
      "Searched for",
      "Opened by",
      "Approved by",
      "Exported by",
      "Entries",
      "of these in sealed days",
      "Given by",
      "Signing key",
    ],
    confidential:
      "This folder holds personal data. It is for the authority named above and this case only, and is to be kept confidential (China: Order 38 of 2006, arts. 9 and 10).",
    contents:
      "entries.csv and entries.parquet say the same: for each mail and recipient when it came, from whom, to whom, from which address, and what became of it; no subject, no body, no file name. request.json is the whole record of this request. proof/ proves the chain of seals.",
    check: "To check it, in this folder:",
    chain:
      "In proof/, the first line of a .seal file is the record of a day, the second its signature; each record names the digest of the one before. A .rows file proves that the entries given are those that were sealed on that day.",
    time: "All times are UTC.",
  },
];

/** What a reader types; the same in every language. */
export const CHECK_COMMANDS = [
  "sha256sum --check SHA256SUMS",
  "openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig",
] as const;

export function coverSheet(facts: CoverFacts): string {
  return LANGUAGES.map((words) => page(words, facts)).join(`\n${"-".repeat(78)}\n\n`);
}

function page(words: Words, facts: CoverFacts): string {
  const values = valuesOf(facts);
  return [
    words.title,
    "",
    ...words.facts.map((name, index) => `${name}: ${values[index]}`),
    "",
    words.confidential,
    "",
    words.contents,
    "",
    words.check,
    ...CHECK_COMMANDS.map((command) => `  ${command}`),
    words.chain,
    words.time,
    "",
  ].join("\n");
}

function valuesOf({ request, hostname, exportedBy, exportedAtMs, entries, proved, key, asked }: CoverFacts): string[] {
  const at = (ms: number | undefined): string => (ms === undefined ? "-" : new Date(ms).toISOString());
  return [
    request.case,
    request.authority,
    request.basis,
    request.scope,
    asked.map(([name, value]) => `${name} ${value}`).join(", "),
    `${request.openedBy}, ${at(request.openedAt)}`,
    `${request.approvedBy ?? "-"}, ${at(request.approvedAt)}`,
    `${exportedBy}, ${at(exportedAtMs)}`,
    String(entries),
    String(proved),
    hostname,
    `Ed25519 ${key}`,
  ].map(oneLine);
}

/** What people typed must not look like a line of ours. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
