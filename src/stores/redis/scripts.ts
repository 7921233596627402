/**
 * The atomic steps, one Lua script each. They take the time from Redis, so that nodes with different clocks agree.
 * All keys of a script are of one partition. The window and the distinct count are those of ../window-state.ts and
 * ../distinct.ts in another language.
 */
import { EXACT_MAX, SAMPLE_MAX } from "../distinct.ts";
import { SLOTS } from "../window-state.ts";

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Puts a record when it has the version expected.
 * keys: the hash of table and partition. args: id, json, version expected (0 none yet, "" any).
 * returns: the new version, or nil when it had another.
 */
export const PUT = `
local row = redis.call('HGET', KEYS[1], ARGV[1])
local version = row and tonumber(string.match(row, '^(%d+)|')) or 0
if ARGV[3] ~= '' and tonumber(ARGV[3]) ~= version then return false end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d|', version + 1) .. ARGV[2])
return version + 1
`;

/** Takes n from the window at a key, kept as a packed list {time, amount, time, amount, …}, oldest first. */
const TAKE_STEP = `
local function take(key, max, window, n)
  local packed = redis.call('GET', key)
  local before = packed and cmsgpack.unpack(packed) or {}
  local state, taken = {}, 0
  for i = 1, #before, 2 do
    if #state > 0 or before[i] > now - window then
      state[#state + 1] = before[i]
      state[#state + 1] = before[i + 1]
      taken = taken + before[i + 1]
    end
  end
  local granted = taken + n <= max
  if granted and n > 0 then
    local size = #state
    local last = state[size - 1]
    local at = last and math.max(last, now) or now
    local slot = math.ceil(window / ${SLOTS})
    if last and math.floor(last / slot) == math.floor(at / slot) then
      state[size - 1] = at
      state[size] = state[size] + n
    else
      state[size + 1] = at
      state[size + 2] = n
    end
    taken = taken + n
    redis.call('SET', key, cmsgpack.pack(state), 'PX', at + window - now)
  end
  return {granted and 1 or 0, taken, state[1] and state[1] + window or now}
end
`;

/**
 * Takes from one window.
 * keys: the window. args: max, window in ms, amount.
 * returns: {1 granted or 0 not, taken now, when the oldest falls out in ms since the epoch}.
 */
export const TAKE = `${NOW}${TAKE_STEP}
return take(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]))
`;

/**
 * Reads records and takes from their quotas, one record after the other; a record's own quota is found by its text, since JSON escapes every
 * quote inside a string.
 * keys: for each record the hash of table and partition, the window of its own quota, then one window for each quota asked for.
 * args: amount; for each record its id, how many quotas, then max, window in ms and "1" for unlessOwn of each.
 * returns: for each record {it or nil, own max, own window, then for each quota, the own last, what TAKE returns, or 0 where it was not
 * asked for}.
 */
export const ADMIT = `${NOW}${TAKE_STEP}
local n = tonumber(ARGV[1])
local out, key, arg = {}, 1, 2
while key <= #KEYS do
  local row = redis.call('HGET', KEYS[key], ARGV[arg])
  local quotas = tonumber(ARGV[arg + 1])
  local max, window = string.match(row or '', '"q":%[(%d+),(%d+)%]')
  local one = {row, max or 0, window or 0}
  for i = 1, quotas do
    local at = arg + 3 * i - 1
    if max and ARGV[at + 2] == '1' then one[i + 3] = 0
    else one[i + 3] = take(KEYS[key + 1 + i], tonumber(ARGV[at]), tonumber(ARGV[at + 1]), n) end
  end
  if max then one[quotas + 4] = take(KEYS[key + 1], tonumber(max), tonumber(window), n) end
  out[#out + 1] = one
  key = key + 2 + quotas
  arg = arg + 2 + 3 * quotas
end
return out
`;

/**
 * Gives back to a window, the newest first.
 * keys: the window. args: amount. returns: nothing.
 */
export const GIVE_BACK = `
local left = tonumber(ARGV[1])
local packed = redis.call('GET', KEYS[1])
if not packed then return end
local state = cmsgpack.unpack(packed)
while left > 0 and #state > 0 do
  local newest = state[#state]
  if newest > left then
    state[#state] = newest - left
  else
    state[#state] = nil
    state[#state] = nil
  end
  left = left - math.min(newest, left)
end
if #state == 0 then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], cmsgpack.pack(state), 'KEEPTTL') end
`;

/**
 * Counts distinct members: exact while none of the last ${EXACT_MAX} seen was dropped within the time, then by a sample.
 * keys: newest (zset by time), sample (zset by time), state (hash). args: the member's hash, 12 hex digits; time in ms.
 * returns: how many.
 */
export const DISTINCT = `${NOW}
local newest, sample, state = KEYS[1], KEYS[2], KEYS[3]
local hash, within = ARGV[1], tonumber(ARGV[2])
local span, cut = 2 ^ 48, now - within

local function inChunks(command, key, args)
  for i = 1, #args, 1000 do
    redis.call(command, key, unpack(args, i, math.min(i + 999, #args)))
  end
end

redis.call('ZREMRANGEBYSCORE', newest, '-inf', cut)
redis.call('ZADD', newest, now, hash)
redis.call('PEXPIRE', newest, within)
local known = redis.call('HMGET', state, 'limit', 'lost')
local limit, lost = tonumber(known[1] or span), tonumber(known[2] or -1)

if redis.call('ZCARD', newest) > ${EXACT_MAX} then
  if lost <= cut then
    limit = span
    redis.call('DEL', sample)
    local all, pairs = redis.call('ZRANGE', newest, 0, -1, 'WITHSCORES'), {}
    for i = 1, #all, 2 do
      pairs[i], pairs[i + 1] = all[i + 1], all[i]
    end
    inChunks('ZADD', sample, pairs)
  end
  lost = tonumber(redis.call('ZPOPMIN', newest)[2])
end

if lost <= cut then
  if known[1] then redis.call('DEL', sample, state) end
  return redis.call('ZCARD', newest)
end

redis.call('ZREMRANGEBYSCORE', sample, '-inf', cut)
if tonumber(hash, 16) < limit then
  redis.call('ZADD', sample, now, hash)
  while redis.call('ZCARD', sample) > ${SAMPLE_MAX} do
    limit = limit / 2
    local out = {}
    for _, kept in ipairs(redis.call('ZRANGE', sample, 0, -1)) do
      if tonumber(kept, 16) >= limit then out[#out + 1] = kept end
    end
    inChunks('ZREM', sample, out)
  end
end
redis.call('HSET', state, 'limit', string.format('%.0f', limit), 'lost', string.format('%.0f', lost))
redis.call('PEXPIRE', sample, within)
redis.call('PEXPIRE', state, within)
local estimate = math.floor(redis.call('ZCARD', sample) * span / limit + 0.5)
return math.max(redis.call('ZCARD', newest), estimate)
`;
