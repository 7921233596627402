import type { Language } from "../../mail/language.ts";
import type { OwnWord } from "../queue/own-words.ts";
import type { Report } from "../queue/queued.ts";

/** The words of reports, in the languages of those who read them; test/delivery/reports/texts.test.ts holds them complete. */
export interface Told {
  /** When we took the mail. */
  readonly arrived: string;
  /** When we give up. */
  readonly until: string;
  readonly mailId: string;
  readonly hostname: string;
}

export interface Letter {
  readonly subject: string;
  /** Before the list of recipients. */
  readonly opening: string;
  /** After it. */
  readonly closing: string;
}

export interface Phrases {
  readonly letters: Readonly<Record<Report["kind"], (told: Told) => Letter>>;
  /** Ends every report. */
  readonly ask: (told: Told) => string;
  /** Before what a server said. */
  readonly said: (server: string) => string;
  readonly more: (count: number) => string;
  /** What we say ourselves; absent: the English words do. */
  readonly own: Partial<Readonly<Record<OwnWord, string>>>;
}

const EN: Phrases = {
  letters: {
    failed: ({ arrived }) => ({
      subject: "Your mail could not be delivered",
      opening: `Your mail of ${arrived} could not be delivered to:`,
      closing: "It is not tried again. The reason stands below each address.",
    }),
    expired: ({ arrived }) => ({
      subject: "Your mail could not be delivered in time",
      opening: `Your mail of ${arrived} could not be delivered in all this time, and is given up, for:`,
      closing: "Below each address stands what was the matter last. If it still counts, send the mail again.",
    }),
    delayed: ({ arrived, until }) => ({
      subject: "Your mail is delayed",
      opening: `Your mail of ${arrived} has not been delivered yet to:`,
      closing: `It is tried until ${until}. You need not send it again. You are told if it fails.`,
    }),
    delivered: ({ arrived }) => ({
      subject: "Your mail was delivered",
      opening: `As you asked to be told: your mail of ${arrived} was delivered to:`,
      closing: "That it was delivered does not say that it was read.",
    }),
    relayed: ({ arrived }) => ({
      subject: "Your mail was passed on",
      opening: `As you asked to be told: your mail of ${arrived} was passed on to the next server for:`,
      closing: "That server does not send confirmations, so no further one will come.",
    }),
  },
  ask: ({ mailId, hostname }) => `If you ask about this mail, name its id: ${mailId} at ${hostname}.`,
  said: (server) => `${server} says:`,
  more: (count) => `... and ${count} more, which the second part of this message names.`,
  own: {},
};

const ZH: Phrases = {
  letters: {
    failed: ({ arrived }) => ({
      subject: "您的邮件无法投递",
      opening: `您于 ${arrived} 发送的邮件无法投递给以下收件人：`,
      closing: "系统不会再次尝试投递。每个地址下方列有原因。",
    }),
    expired: ({ arrived }) => ({
      subject: "您的邮件未能在期限内投递",
      opening: `您于 ${arrived} 发送的邮件在规定期限内始终无法投递，现已放弃，涉及以下收件人：`,
      closing: "每个地址下方列有最后一次失败的原因。如仍需发送，请重新发送该邮件。",
    }),
    delayed: ({ arrived, until }) => ({
      subject: "您的邮件投递延迟",
      opening: `您于 ${arrived} 发送的邮件尚未投递给以下收件人：`,
      closing: `系统将继续尝试投递至 ${until}，您无需重新发送。如最终失败，将另行通知。`,
    }),
    delivered: ({ arrived }) => ({
      subject: "您的邮件已投递",
      opening: `应您的要求通知：您于 ${arrived} 发送的邮件已投递给：`,
      closing: "已投递并不表示邮件已被阅读。",
    }),
    relayed: ({ arrived }) => ({
      subject: "您的邮件已转交",
      opening: `应您的要求通知：您于 ${arrived} 发送的邮件已转交给下一台服务器，收件人为：`,
      closing: "该服务器不发送投递确认，因此不会再有后续通知。",
    }),
  },
  ask: ({ mailId, hostname }) => `如需查询此邮件，请提供其编号：${mailId}（${hostname}）。`,
  said: (server) => `${server} 的答复：`,
  more: (count) => `……以及另外 ${count} 个收件人，详见本邮件第二部分。`,
  own: {
    "null-mx": "该域名不接收邮件（null MX）",
    "no-domain": "该域名不存在",
    "no-address": "该域名没有可用的邮件服务器地址",
    "own-mx": "邮件会退回本服务器：该域名的邮件服务器就是本机",
    "dns-away": "DNS 未答复有关该域名的查询",
    "not-connected": "无法连接到邮件服务器",
    silent: "邮件服务器未及时应答",
    hung: "邮件服务器中断了会话",
    nonsense: "邮件服务器的应答不符合 SMTP 协议",
    "tls-missing": "向该域名投递必须使用 TLS，但其服务器不提供",
    "tls-broken": "与邮件服务器建立 TLS 失败",
    "sts-host": "该域名的邮件服务器均不在其 MTA-STS 策略之列",
    "requiretls-mx": "REQUIRETLS：无法证实哪些服务器属于该域名（没有 MTA-STS 策略）",
    "no-egress": "本机可用于发送此邮件的地址均无法到达该邮件服务器",
    busy: "已打开的连接数达到上限",
    "no-mailbox-room": "无法写入邮箱",
    unread: "无法从本机磁盘读取该邮件",
    "long-line": "邮件中有一行超过 SMTP 允许的 998 个字节",
    "bare-newline": "邮件中含有不成对的回车或换行符",
    "eight-bit": "邮件含有 8 位字符，而下一台服务器不接受（8BITMIME）",
  },
};

const VI: Phrases = {
  letters: {
    failed: ({ arrived }) => ({
      subject: "Thư của bạn không gửi được",
      opening: `Thư bạn gửi lúc ${arrived} không thể chuyển đến:`,
      closing: "Hệ thống sẽ không thử lại. Lý do được ghi dưới mỗi địa chỉ.",
    }),
    expired: ({ arrived }) => ({
      subject: "Thư của bạn không gửi được trong thời hạn",
      opening: `Thư bạn gửi lúc ${arrived} không thể chuyển đi trong suốt thời hạn và nay đã dừng, đối với:`,
      closing: "Dưới mỗi địa chỉ là lý do của lần thử cuối. Nếu vẫn cần, xin gửi lại thư.",
    }),
    delayed: ({ arrived, until }) => ({
      subject: "Thư của bạn bị chậm",
      opening: `Thư bạn gửi lúc ${arrived} vẫn chưa chuyển được đến:`,
      closing: `Hệ thống tiếp tục thử đến ${until}. Bạn không cần gửi lại. Nếu thất bại, bạn sẽ được báo.`,
    }),
    delivered: ({ arrived }) => ({
      subject: "Thư của bạn đã được chuyển đến",
      opening: `Theo yêu cầu của bạn: thư gửi lúc ${arrived} đã được chuyển đến:`,
      closing: "Đã chuyển đến không có nghĩa là thư đã được đọc.",
    }),
    relayed: ({ arrived }) => ({
      subject: "Thư của bạn đã được chuyển tiếp",
      opening: `Theo yêu cầu của bạn: thư gửi lúc ${arrived} đã được chuyển cho máy chủ kế tiếp, cho:`,
      closing: "Máy chủ đó không gửi xác nhận, vì vậy sẽ không có thông báo nào nữa.",
    }),
  },
  ask: ({ mailId, hostname }) => `Khi hỏi về thư này, xin nêu mã số của thư: ${mailId} tại ${hostname}.`,
  said: (server) => `${server} trả lời:`,
  more: (count) => `… và ${count} người nhận khác, được nêu ở phần thứ hai của thư này.`,
  own: {
    "null-mx": "tên miền này không nhận thư (null MX)",
    "no-domain": "tên miền này không tồn tại",
    "no-address": "tên miền này không có máy chủ thư nào có địa chỉ",
    "own-mx": "thư sẽ quay lại chính máy chủ này: máy chủ thư của tên miền là máy này",
    "dns-away": "DNS không trả lời về tên miền này",
    "not-connected": "không kết nối được với máy chủ thư",
    silent: "máy chủ thư không trả lời kịp thời",
    hung: "máy chủ thư đã ngắt phiên làm việc",
    nonsense: "câu trả lời của máy chủ thư không phải là SMTP",
    "tls-missing": "tên miền này bắt buộc dùng TLS, nhưng máy chủ của nó không hỗ trợ",
    "tls-broken": "thiết lập TLS với máy chủ thư thất bại",
    "sts-host": "không máy chủ thư nào của tên miền có trong chính sách MTA-STS của nó",
    "requiretls-mx": "REQUIRETLS: không có gì chứng minh máy chủ nào thuộc tên miền (không có chính sách MTA-STS)",
    "no-egress": "không địa chỉ nào được phép gửi thư này đi có thể đến được máy chủ thư",
    busy: "số kết nối đang mở đã đến giới hạn",
    "no-mailbox-room": "không ghi được vào hộp thư",
    unread: "không đọc được thư từ đĩa của máy này",
    "long-line": "một dòng của thư dài hơn 998 byte mà SMTP cho phép",
    "bare-newline": "thư có ký tự CR hoặc LF không phải là kết thúc dòng",
    "eight-bit": "thư có ký tự 8 bit mà máy chủ kế tiếp không nhận (8BITMIME)",
  },
};

export const PHRASES: Readonly<Record<Language, Phrases>> = { en: EN, zh: ZH, vi: VI };
