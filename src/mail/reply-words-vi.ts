/** The catalogue of replies in Vietnamese (reply-words.ts). */
import type { WordTable } from "./reply-forms.ts";

export const VIETNAMESE: WordTable = {
  "relay-denied": [
    "từ chối chuyển tiếp: bạn không phải khách hàng của máy chủ này",
    "thư gửi đến tên miền của máy chủ này, hoặc đăng nhập trước",
  ],
  "relay-path-tricks": [
    "từ chối chuyển tiếp: địa chỉ này che giấu một đích khác",
    "địa chỉ thông thường dạng tên@tên-miền",
  ],
  blocked: [
    "thư của bạn bị từ chối trong một thời gian vì những thư đã gửi trước đó",
    "thư gửi sau khi hết thời gian này",
  ],
  listed: [
    "địa chỉ của bạn nằm trong danh sách nguồn phát tán thư rác",
    "thư gửi sau khi được xóa khỏi danh sách; trong lúc đó hãy viết cho postmaster",
  ],
  harvesting: ["quá nhiều người nhận không tồn tại", "các địa chỉ đã được cung cấp cho bạn, vào lúc khác"],
  "login-held": [
    "tài khoản này đang bị tạm giữ: có vẻ người khác đang sử dụng nó",
    "thư gửi sau khi người quản trị đã xem xét",
  ],
  "client-rate": ["nhiều thư hơn mức đã đăng ký của khách hàng", "thư trong hạn mức"],
  "login-required": ["cổng này chỉ dành cho khách hàng", "đăng nhập, hoặc gửi từ mạng đã đăng ký"],
  "client-network": ["tài khoản này không được dùng từ địa chỉ của bạn", "các mạng đã đăng ký cho khách hàng"],
  "own-domain": [
    "người gửi dùng tên miền của máy chủ này mà không phải khách hàng của nó",
    "tên miền của chính bạn, hoặc đăng nhập",
  ],
  "sender-not-yours": [
    "địa chỉ người gửi không thuộc tài khoản của bạn",
    "địa chỉ thuộc tên miền đã đăng ký cho khách hàng",
  ],
  "helo-forged": ["HELO mạo nhận là máy chủ này", "tên máy của chính bạn"],
  "helo-shape": ["HELO không phải tên máy cũng không phải địa chỉ", "tên máy, hoặc địa chỉ trong ngoặc vuông"],
  "sender-shape": ["địa chỉ người gửi không thể trả lời được", "địa chỉ dạng tên@tên-miền-đầy-đủ"],
  "from-missing": ["không có đúng một tiêu đề From", "một tiêu đề From nêu người viết thư"],
  "header-twice": [
    "một tiêu đề chỉ được có một lần lại xuất hiện nhiều lần",
    "mỗi tiêu đề From, Sender, Date, Subject, To, Cc, Message-ID một lần",
  ],
  "date-insane": [
    "tiêu đề Date thiếu, không đọc được hoặc quá xa ngày hôm nay",
    "một tiêu đề Date ghi thời điểm viết thư",
  ],
  "dmarc-fail": [
    "tên miền trong From không cho phép thư này và yêu cầu từ chối nó (DMARC)",
    "thư được SPF hoặc DKIM chứng minh là của tên miền đó",
  ],
  "dkim-missing": [
    "tên miền trong From ký mọi thư của mình, thư này không có chữ ký hợp lệ (DKIM)",
    "thư đúng như tên miền đó đã ký",
  ],
  "dkim-partial": ["chữ ký của tên miền trong From bỏ một phần thư không ký (DKIM l=)", "thư được ký toàn bộ"],
  "dkim-author": [
    "tên miền trong From ký mọi thư của mình, thư này chỉ do bên khác ký (DKIM)",
    "thư do tên miền trong From ký",
  ],
  "spf-fail": [
    "tên miền của người gửi cho biết địa chỉ của bạn không được gửi thay nó (SPF)",
    "thư từ các máy chủ mà tên miền đó nêu",
  ],
  "spf-error": ["bản ghi SPF của tên miền người gửi không dùng được", "thư từ tên miền có bản ghi SPF đúng"],
  "reverse-dns": [
    "địa chỉ của bạn không có tên trong DNS trỏ ngược về nó",
    "thư từ địa chỉ có tên PTR trỏ về chính nó",
  ],
  "helo-unknown": ["tên trong HELO không tồn tại trong DNS", "tên có địa chỉ"],
  "sender-domain": ["tên miền của người gửi không nhận thư", "tên miền có bản ghi MX, A hoặc AAAA"],
  "sender-null-mx": ["tên miền của người gửi cho biết nó không nhận thư", "tên miền có thể trả lời"],
  "received-forged": [
    "một tiêu đề Received nêu việc đi qua máy chủ này mà không hề có",
    "các tiêu đề đường đi đúng như đã ghi",
  ],
  "label-missing": ["thư quảng cáo phải ghi rõ điều đó ở ngay đầu chủ đề", "một trong các nhãn sau"],
  "label-mixed": [
    "luật áp dụng cho những người nhận này đòi các nhãn khác nhau, mà một chủ đề chỉ bắt đầu bằng một nhãn",
    "gửi riêng một thư cho mỗi nhóm",
  ],
  "code-invalid": ["mã số quản lý trong nhãn không được dùng", "mã đã đăng ký cho bạn và có hiệu lực hôm nay"],
  "code-required": [
    "bên quảng cáo cho người khác phải có mã số quản lý đã công bố",
    "thư của dịch vụ có mã đã đăng ký và có hiệu lực hôm nay",
  ],
  "consent-missing": [
    "người nhận này chưa đồng ý nhận quảng cáo của bạn",
    "những người nhận có sự đồng ý đã được ghi lại",
  ],
  "consent-withdrawn": ["người nhận này đã từ chối quảng cáo của bạn", "không gửi thêm quảng cáo cho người nhận này"],
  "refusal-unreadable": [
    "trong thư không có gì cho biết từ chối quảng cáo của ai",
    "thư trả lời giữ chủ đề có trong đường dẫn từ chối của quảng cáo",
  ],
  "refusal-stands": [
    "bạn đã từ chối sau khi yêu cầu này được gửi, và sự từ chối vẫn có hiệu lực",
    "sự đồng ý mới mà bạn gửi cho người quảng cáo",
  ],
  malware: ["trong thư có phần mềm độc hại", "chính thư đó không có phần mềm độc hại"],
  "spam-score": ["thư này giống thư rác", "thư không giống thư rác; nếu nhầm, hãy viết cho postmaster"],
  "consent-topic": ["người nhận này chưa đồng ý nhận loại quảng cáo này", "các loại sản phẩm đã được đồng ý"],
  "consent-number": ["người nhận này không đồng ý nhận nhiều quảng cáo như vậy", "không quá số lượng đã đồng ý"],
  "consent-hours": ["người nhận này không đồng ý nhận quảng cáo vào giờ này", "chính thư đó trong những giờ đã đồng ý"],
  "cap-reached": ["người nhận này đã nhận đủ số quảng cáo của bạn mà luật cho phép", "không quá số đó"],
  "contents-missing": ["quảng cáo thiếu nội dung mà luật yêu cầu", "chính thư đó có thêm"],
  "bare-newline": ["trong thư có CR hoặc LF đứng một mình", "các dòng kết thúc bằng CR LF"],
  "nul-byte": ["trong thư có byte NUL", "văn bản, hoặc tệp đính kèm mã hóa base64"],
  "line-too-long": ["có một dòng quá dài", "các dòng trong giới hạn"],
  "header-too-large": ["phần tiêu đề quá lớn", "phần tiêu đề trong giới hạn"],
  "too-many-headers": ["có quá nhiều trường tiêu đề", "phần tiêu đề trong giới hạn"],
  "mail-too-large": ["thư quá lớn", "thư trong giới hạn SIZE"],
  "mail-loop": ["thư đã qua quá nhiều máy chủ: một vòng lặp", "thư có ít tiêu đề Received hơn"],
  "too-many-recipients": ["quá nhiều người nhận trong một thư", "những người còn lại trong thư khác"],
  "too-many-connections": ["quá nhiều kết nối từ địa chỉ của bạn", "ít kết nối hơn cùng lúc"],
  "no-local-mailbox": ["không có hộp thư này ở đây", "một địa chỉ có thật"],
  "partial-refusal": ["một số người nhận không được nhận thư này", "chính thư đó chỉ gửi cho những người còn lại"],
  held: ["thư phải được xem xét trước mà máy chủ này không giữ thư", "hãy thử lại sau"],
  "rule-trouble": ["một bước kiểm tra không thực hiện được", "hãy thử lại sau"],
  "store-away": ["sổ đăng ký không trả lời", "hãy thử lại sau"],
  "dns-away": ["DNS không trả lời", "hãy thử lại sau"],
  "next-hop-away": ["máy chủ kế tiếp không trả lời", "hãy thử lại sau"],
  "ledger-away": ["không ghi được bản ghi của thư này", "hãy thử lại sau"],
  "disk-full": ["không còn chỗ chứa thư", "hãy thử lại sau"],
  "local-trouble": ["có lỗi ở máy chủ này, không phải do bạn", "hãy thử lại sau"],
  "shutting-down": ["máy chủ này ngừng phục vụ trong chốc lát", "hãy thử lại ngay"],
  "client-suspended": [
    "bạn đang bị tạm ngưng: thư của bạn không được chuyển trong một thời gian",
    "thư của bạn sau khi hết tạm ngưng",
  ],
  "licence-missing": [
    "chỉ chuyển thư của dịch vụ có giấy phép hoặc số đăng ký",
    "thư của bạn sau khi người vận hành máy chủ này đã ghi số của bạn",
  ],
  "address-unregistered": [
    "địa chỉ của bạn chưa được đăng ký để gửi thư",
    "thư từ các địa chỉ đã đăng ký; hãy báo địa chỉ khác cho cơ quan quản lý và người vận hành máy chủ này",
  ],
  "campaign-undeclared": [
    "thư không đúng với những gì bạn đã khai báo sẽ gửi",
    "thư đúng như khai báo; mọi thư khác hãy khai báo trước với người vận hành máy chủ này",
  ],
  "campaign-number": ["số người nhận nhiều hơn bạn đã khai báo", "không quá số đó, hoặc một khai báo mới"],
  "campaign-rate": ["số người nhận mỗi phút nhiều hơn bạn đã khai báo", "chính thư đó sau một phút"],
  "bulk-unproved": [
    "thư gửi hàng loạt phải chứng minh tên miền trong From bằng DKIM hoặc SPF, thư này thì không",
    "thư của tên miền có khóa DKIM ở đây, hoặc đã được ký cho tên miền đó",
  ],
  "recipient-bounces": [
    "thư của bạn gửi người nhận này bị trả lại nhiều lần",
    "người nhận có thật; người có hộp thư hoạt động trở lại cần đồng ý lại",
  ],
  overloaded: ["máy chủ này đang có nhiều việc hơn khả năng", "hãy thử lại sau"],
  "overloaded-now": ["máy chủ này hiện không nhận thêm kết nối", "hãy kết nối sau"],
  "data-timeout": ["thư được truyền quá chậm", "chính thư đó, truyền nhanh hơn"],
  "idle-timeout": ["quá lâu không có lệnh đầy đủ nào", "hãy kết nối lại khi có thư"],
};
