-- The door with its rules: what each verdict is on the wire.
dofile(DIRECTORY .. "/common.lua")

local function greeted(ip, helo)
  local conn = fresh()
  for _, step in ipairs({ SMFIP_NR_HDR, SMFIP_NR_EOH, SMFIP_NR_BODY, SMFIP_NOUNKNOWN }) do
    check(mt.test_option(conn, step), "step " .. step .. " silent or off")
  end
  for _, action in ipairs({ SMFIF_CHGBODY, SMFIF_ADDRCPT, SMFIF_CHGFROM }) do
    check(not mt.test_action(conn, action), "action " .. action .. " not asked for")
  end
  mt.macro(conn, SMFIC_CONNECT, "{daemon_name}", "mail.example.com")
  said(conn, SMFIR_CONTINUE, "connect", mt.conninfo(conn, "client.example", ip))
  said(conn, SMFIR_CONTINUE, "helo", mt.helo(conn, helo))
  return conn
end

local function headers(from, subject, more)
  local list = { { "From", " " .. from }, { "Date", " " .. DATE } }
  for _, field in ipairs(more or {}) do list[#list + 1] = field end
  list[#list + 1] = { "Subject", " " .. subject }
  return list
end

local function unchanged(conn, what)
  for _, edit in ipairs({ MT_HDRADD, MT_HDRINSERT, MT_HDRCHANGE, MT_HDRDELETE, MT_BODYCHANGE, MT_QUARANTINE }) do
    check(not mt.eom_check(conn, edit), what .. ": no edit " .. edit)
  end
  check(not mt.eom_check(conn, MT_RCPTDELETE, "<bert@example.com>"), what .. ": nobody taken out")
end

-- A stranger: accepted as it is, refused for one recipient, held.
local conn = greeted("203.0.113.9", "mx.sender.example")
letter(conn, "<bob@sender.example>", headers("bob@sender.example", "minutes"))
said(conn, SMFIR_CONTINUE, "eom", mt.eom(conn))
unchanged(conn, "an honest mail")

said(conn, SMFIR_CONTINUE, "mail", mt.mailfrom(conn, "<bob@sender.example>"))
said(conn, SMFIR_REPLYCODE, "rcpt", mt.rcptto(conn, "<x@other.example>"))
said(conn, SMFIR_CONTINUE, "rcpt", mt.rcptto(conn, "<bert@example.com>"))
mt.abort(conn)

letter(conn, "<bob@sender.example>", headers("bob@sender.example", "buy", { { "X-Ad", " yes" } }))
said(conn, SMFIR_CONTINUE, "eom", mt.eom(conn))
check(mt.eom_check(conn, MT_QUARANTINE), "held")
check(mt.eom_check(conn, MT_HDRDELETE, "X-Ad"), "without its X-Ad")
check(not mt.eom_check(conn, MT_RCPTDELETE, "<bert@example.com>"), "for everybody")

said(conn, SMFIR_REPLYCODE, "a forged sender", mt.mailfrom(conn, "<boss@example.com>"))
mt.disconnect(conn)

-- A client: refused as a whole; left to those who may have it.
conn = greeted("198.51.100.7", "pc.shop.example")
said(conn, SMFIR_CONTINUE, "mail", mt.mailfrom(conn, "<a@shop.example>"))
said(conn, SMFIR_CONTINUE, "rcpt", mt.rcptto(conn, "<agreed@other.example>"))
said(conn, SMFIR_CONTINUE, "data", mt.data(conn))
for _, field in ipairs(headers("a@shop.example", "sale", { { "X-Ad", " yes" } })) do
  said(conn, SMFIR_CONTINUE, "header", mt.header(conn, field[1], field[2]))
end
said(conn, SMFIR_CONTINUE, "eoh", mt.eoh(conn))
said(conn, SMFIR_REPLYCODE, "eom without a label", mt.eom(conn))
unchanged(conn, "a refused mail")

said(conn, SMFIR_CONTINUE, "mail", mt.mailfrom(conn, "<a@shop.example>"))
said(conn, SMFIR_CONTINUE, "rcpt", mt.rcptto(conn, "<agreed@other.example>"))
said(conn, SMFIR_CONTINUE, "rcpt", mt.rcptto(conn, "<Never@Other.Example>", "NOTIFY=NEVER"))
said(conn, SMFIR_CONTINUE, "data", mt.data(conn))
for _, field in ipairs(headers("a@shop.example", "AD sale", { { "X-Ad", " yes" } })) do
  said(conn, SMFIR_CONTINUE, "header", mt.header(conn, field[1], field[2]))
end
said(conn, SMFIR_CONTINUE, "eoh", mt.eoh(conn))
said(conn, SMFIR_CONTINUE, "body", mt.bodystring(conn, "buy\r\n"))
said(conn, SMFIR_CONTINUE, "eom with a label", mt.eom(conn))
check(mt.eom_check(conn, MT_RCPTDELETE, "<Never@Other.Example>"), "the one who never agreed is taken out")
check(not mt.eom_check(conn, MT_RCPTDELETE, "<agreed@other.example>"), "the other is not")
check(mt.eom_check(conn, MT_HDRDELETE, "X-Ad"), "nor is X-Ad passed on")
check(not mt.eom_check(conn, MT_QUARANTINE), "nothing held")
mt.disconnect(conn)

-- Given up at every step, over one connection; then the connection itself. The mail after it is judged as if nothing had been.
conn = greeted("203.0.113.9", "mx.sender.example")
local steps = {
  { SMFIR_CONTINUE, function() return mt.mailfrom(conn, "<bob@sender.example>") end },
  { SMFIR_CONTINUE, function() return mt.rcptto(conn, "<bert@example.com>") end },
  { SMFIR_CONTINUE, function() return mt.data(conn) end },
  { SMFIR_CONTINUE, function() return mt.header(conn, "From", " two@sender.example, three@sender.example") end },
  { SMFIR_CONTINUE, function() return mt.eoh(conn) end },
  { SMFIR_CONTINUE, function() return mt.bodystring(conn, "not this\r\n") end },
}
for last = 0, #steps do
  for step = 1, last do said(conn, steps[step][1], "step " .. step, steps[step][2]()) end
  mt.abort(conn)
  letter(conn, "<bob@sender.example>", headers("bob@sender.example", "after " .. last))
  said(conn, SMFIR_CONTINUE, "eom after an abort behind step " .. last, mt.eom(conn))
  unchanged(conn, "after an abort")
end
for last = 1, #steps do
  for step = 1, last do said(conn, steps[step][1], "step " .. step, steps[step][2]()) end
  mt.disconnect(conn, false)
  conn = greeted("203.0.113.9", "mx.sender.example")
end
mt.disconnect(conn)
