-- Each edit, alone and all together.
dofile(DIRECTORY .. "/common.lua")

local conn = open()
local edits = {
  { "add|X-Mark|yes", MT_HDRADD, "X-Mark", " yes" },
  { "insert|0|X-Top|first", MT_HDRINSERT, "X-Top", " first", 0 },
  { "insert|3|X-Mid|third", MT_HDRINSERT, "X-Mid", " third", 3 },
  { "change|1|Subject|other", MT_HDRCHANGE, "Subject", " other" },
  { "delete|1|X-Gone", MT_HDRDELETE, "X-Gone", 1 },
  { "rcpt+|new@example.org", MT_RCPTADD, "<new@example.org>" },
  { "rcpt-|<bert@example.com>", MT_RCPTDELETE, "<bert@example.com>" },
  { "body|another body", MT_BODYCHANGE, "another body\r\n" },
  { "quarantine|look at it", MT_QUARANTINE, "look at it" },
}
local unpack = table.unpack or unpack
for _, edit in ipairs(edits) do
  letter(conn, "<a@example.org>", { { "X-Edit", " " .. edit[1] } })
  said(conn, SMFIR_CONTINUE, edit[1], mt.eom(conn))
  check(mt.eom_check(conn, unpack(edit, 2)), edit[1])
end

local all = { { "X-Edit", " progress" }, { "X-Edit", " from|new@example.org|SIZE=1" }, { "X-Edit", " rcpt+|par@example.org|NOTIFY=NEVER" } }
for _, edit in ipairs(edits) do all[#all + 1] = { "X-Edit", " " .. edit[1] } end
letter(conn, "<eom-accept@example.org>", all)
said(conn, SMFIR_ACCEPT, "all", mt.eom(conn))
for _, edit in ipairs(edits) do check(mt.eom_check(conn, unpack(edit, 2)), "among all: " .. edit[1]) end

letter(conn, "<eom-reject@example.org>", all)
said(conn, SMFIR_REJECT, "all, but refused", mt.eom(conn))
check(not mt.eom_check(conn, MT_BODYCHANGE) and not mt.eom_check(conn, MT_HDRADD), "a refused mail is not edited")
mt.disconnect(conn)
