import type { Language } from "../mail/language.ts";

/** The mails and pages the desk writes, in the languages of those who read them. No advertising in any of them. */
export type { Language };

export interface Told {
  /** Whose advertising it is about. */
  readonly advertiser: string;
  readonly at: string;
  readonly topics: readonly string[];
}

interface Letter {
  readonly subject: string;
  readonly text: readonly string[];
}

const list = (topics: readonly string[], all: string): string => (topics.length > 0 ? topics.join(", ") : all);

/** A refusal was recorded: that it came, when, and from when nothing more is sent. */
export const REFUSED: Readonly<Record<Language, (told: Told) => Letter>> = {
  en: ({ advertiser, at }) => ({
    subject: `Your refusal of advertising from ${advertiser}`,
    text: [
      `Your refusal of advertising from ${advertiser} arrived on ${at}.`,
      "It holds from that moment: no further advertising from this sender passes this server to you.",
      "This message is sent once. You need not answer it.",
    ],
  }),
  zh: ({ advertiser, at }) => ({
    subject: `您已拒收 ${advertiser} 的广告邮件`,
    text: [
      `您拒收 ${advertiser} 广告邮件的请求已于 ${at} 收到。`,
      "自该时刻起立即生效：本服务器不再向您转发该发件人的广告邮件。",
      "本确认信只发送一次，无需回复。",
    ],
  }),
  vi: ({ advertiser, at }) => ({
    subject: `Xác nhận từ chối quảng cáo của ${advertiser}`,
    text: [
      `Yêu cầu từ chối nhận quảng cáo của ${advertiser} đã được tiếp nhận lúc ${at}.`,
      "Yêu cầu có hiệu lực ngay từ thời điểm đó: máy chủ này không chuyển thêm quảng cáo của người gửi này đến bạn.",
      "Thư xác nhận này chỉ được gửi một lần, bạn không cần trả lời.",
    ],
  }),
};

/** Somebody asks for a consent. Without an answer it is a no. */
export const ASKED: Readonly<Record<Language, (told: Told & { readonly link: string | undefined }) => Letter>> = {
  en: ({ advertiser, topics, link }) => ({
    subject: `Do you agree to advertising from ${advertiser}?`,
    text: [
      `${advertiser} asks whether it may send you advertising by e-mail about: ${list(topics, "all its products")}.`,
      link
        ? `If you agree, open this page and confirm: ${link}`
        : "If you agree, answer this message and keep its subject.",
      "If you do nothing, that is a no, and you are not asked again. A yes can be taken back at any time.",
    ],
  }),
  zh: ({ advertiser, topics, link }) => ({
    subject: `您是否同意接收 ${advertiser} 的广告邮件？`,
    text: [
      `${advertiser} 询问是否可以向您发送以下内容的广告邮件：${list(topics, "其全部产品")}。`,
      link ? `如同意，请打开此页面并确认：${link}` : "如同意，请直接回复本邮件并保留主题。",
      "如不作任何操作，即视为拒绝，且不会再次询问。同意后可随时撤回。",
    ],
  }),
  vi: ({ advertiser, topics, link }) => ({
    subject: `Bạn có đồng ý nhận quảng cáo của ${advertiser} không?`,
    text: [
      `${advertiser} hỏi liệu có thể gửi cho bạn thư quảng cáo về: ${list(topics, "tất cả sản phẩm")}.`,
      link
        ? `Nếu đồng ý, hãy mở trang này và xác nhận: ${link}`
        : "Nếu đồng ý, hãy trả lời thư này và giữ nguyên tiêu đề.",
      "Nếu bạn không làm gì, đó là lời từ chối và bạn sẽ không bị hỏi lại. Đồng ý rồi vẫn có thể rút lại bất cứ lúc nào.",
    ],
  }),
};

/** The words of the pages: a question with a button, and what became of it. */
export const PAGES: Readonly<Record<Language, Readonly<Record<PageWord, string>>>> = {
  en: {
    refuse: "Refuse advertising from",
    refuseButton: "I refuse",
    refused: "Your refusal is recorded and holds from now on. Advertising from",
    agree: "Agree to advertising from",
    agreeButton: "I agree",
    agreed: "Your consent is recorded. You can take it back at any time. Advertising from",
    over: "You have refused since, and that stands. Advertising from",
    unknown: "This link is not valid, or its time is over.",
    later: "This could not be recorded just now. Please try again in a few minutes.",
    nothing: "Nothing was refused under this id, or it is no longer kept.",
    busy: "This cannot be shown just now. Please try again in a minute.",
  },
  zh: {
    refuse: "拒收以下发件人的广告邮件：",
    refuseButton: "我拒收",
    refused: "您的拒收请求已记录，立即生效。广告发件人：",
    agree: "同意接收以下发件人的广告邮件：",
    agreeButton: "我同意",
    agreed: "您的同意已记录，可随时撤回。广告发件人：",
    over: "您之后已表示拒收，该拒收有效。广告发件人：",
    unknown: "此链接无效或已过期。",
    later: "暂时无法记录，请几分钟后重试。",
    nothing: "该编号下没有被拒收的邮件，或记录已不再保存。",
    busy: "暂时无法显示，请一分钟后重试。",
  },
  vi: {
    refuse: "Từ chối nhận quảng cáo của",
    refuseButton: "Tôi từ chối",
    refused: "Yêu cầu từ chối đã được ghi nhận và có hiệu lực ngay. Quảng cáo của",
    agree: "Đồng ý nhận quảng cáo của",
    agreeButton: "Tôi đồng ý",
    agreed: "Sự đồng ý của bạn đã được ghi nhận và có thể rút lại bất cứ lúc nào. Quảng cáo của",
    over: "Sau đó bạn đã từ chối, và lời từ chối đó có hiệu lực. Quảng cáo của",
    unknown: "Liên kết này không hợp lệ hoặc đã hết hạn.",
    later: "Hiện chưa ghi nhận được. Vui lòng thử lại sau vài phút.",
    nothing: "Không có thư nào bị từ chối dưới mã này, hoặc dữ liệu không còn được lưu.",
    busy: "Hiện chưa hiển thị được. Vui lòng thử lại sau một phút.",
  },
};

export type PageWord =
  | "refuse"
  | "refuseButton"
  | "refused"
  | "agree"
  | "agreeButton"
  | "agreed"
  | "over"
  | "unknown"
  | "later"
  | "nothing"
  | "busy";
