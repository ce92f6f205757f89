"""The script that goes over all keys of a database inside of the drill's own server.

There a million keys take seconds; a round trip for each question about each key takes minutes.
"""

from __future__ import annotations

from restore_drill.redis.standstill import CLOCK

LARGEST = 5
"""So many of the largest keys are kept of each batch, and in the end."""
BATCH = 2000
MOST_SUMMED = 100_000
"""Digests of 36 bits of which a double holds the sum; then another row begins."""
MOST_PREFIXES = 10_000

HASH, HEAD, GROUPS, PREFIX, INEXACT = "hash", "head", "groups", "prefix", "inexact"
PASSING = "passing"
"""What a row is about, by the first word of its name."""

SCRIPT = (
    CLOCK
    + f"""
local database, named = ARGV[1], ARGV[4] == '1'
local limits, heads = cjson.decode(ARGV[2]), cjson.decode(ARGV[3])
local rows, order, largest, by_first = {{}}, {{}}, {{}}, {{}}
local prefixes, cursor, began = 0, '0', now()
for number, head in ipairs(heads) do  -- most keys are compared with none of them
  local first = string.byte(head)
  by_first[first] = by_first[first] or {{}}
  table.insert(by_first[first], {{head, #head, '{HEAD} ' .. number}})
end

local function add(name, keys, bytes, digest)
  local row = rows[name]
  if not row then
    row = {{name, 0, 0, 0, 0}}
    rows[name] = row
    order[#order + 1] = row
  end
  row[2], row[3] = row[2] + keys, row[3] + bytes
  if digest then
    row[4] = row[4] + tonumber(string.sub(digest, 1, 9), 16)
    row[5] = row[5] + tonumber(string.sub(digest, 10, 18), 16)
    row.summed = (row.summed or 0) + 1
    if row.summed == {MOST_SUMMED} then rows[name] = nil end
  end
end

local function weigh(bytes, kind, key)
  if #largest == {LARGEST} and bytes <= largest[1][1] then return end
  largest[#largest + 1] = {{bytes, kind, named and key or ''}}
  table.sort(largest, function(one, other) return one[1] < other[1] end)
  if #largest > {LARGEST} then table.remove(largest, 1) end
end

local function weigh_prefix(name, bytes)
  if not rows[name] then
    if prefixes == {MOST_PREFIXES} then return end
    prefixes = prefixes + 1
  end
  add(name, 1, bytes)
end

local function fields(list)
  local by_name = {{}}
  for at = 1, #list, 2 do by_name[list[at]] = list[at + 1] end
  return by_name
end

local function expiry(key)
  local at = redis.pcall('PEXPIRETIME', key)
  if type(at) == 'number' then return at end
  add('{INEXACT}', 1, 0)  -- a server before 7.0
  local left, now = redis.call('PTTL', key), redis.call('TIME')
  return left < 0 and left or now[1] * 1000 + left
end

local function horizon(at)
  for number, limit in ipairs(limits) do
    if at < limit then return number end
  end
  return #limits + 1
end

local function stream(key)
  local told = fields(redis.call('XINFO', 'STREAM', key))['last-generated-id']
  local digest = redis.sha1hex(database .. ' ' .. key .. ' ' .. told)
  local function tell(words) digest = redis.sha1hex(digest .. table.concat(words, ' ')) end
  local groups = redis.call('XINFO', 'GROUPS', key)
  for _, each in ipairs(groups) do
    local group = fields(each)
    tell({{'group', group['name'], group['last-delivered-id']}})
    local consumers = {{}}
    for _, one in ipairs(redis.call('XINFO', 'CONSUMERS', key, group['name'])) do
      local consumer = fields(one)
      consumers[#consumers + 1] = consumer['name'] .. ' ' .. consumer['pending']
    end
    table.sort(consumers)
    tell(consumers)
    local from, page = '-', nil
    repeat
      page = redis.call('XPENDING', key, group['name'], from, '+', 1000)
      local words = {{}}
      for number, one in ipairs(page) do
        words[number] = one[1] .. ' ' .. one[2] .. ' ' .. one[4]
        from = '(' .. one[1]
      end
      tell(words)
    until #page < 1000
  end
  return #groups, digest
end

repeat
  local found = redis.call('SCAN', cursor, 'COUNT', {BATCH})
  cursor = found[1]
  for _, key in ipairs(found[2]) do
    local kind = redis.call('TYPE', key)['ok']
    if kind ~= 'none' then
      local bytes, at = redis.call('MEMORY', 'USAGE', key) or 0, expiry(key)
      local groups, digest = 0, ''
      if kind == 'stream' then
        groups, digest = stream(key)
        add(at < 0 and '{GROUPS}' or '{PASSING}', groups, 1, digest)
      end
      if at < 0 then
        add('{HASH} ' .. kind .. ' 0', 1, bytes)
      else  -- what a stream holds besides goes with it when it expires
        local text = database .. ' ' .. string.format('%.0f', at) .. ' ' .. key .. digest
        add('{HASH} ' .. kind .. ' ' .. horizon(at), 1, bytes, redis.sha1hex(text))
      end
      for _, head in ipairs(by_first[string.byte(key)] or {{}}) do
        if string.sub(key, 1, head[2]) == head[1] then add(head[3], 1, bytes) end
      end
      if named then
        local prefix = string.match(key, '^[^:]+:')
        if prefix then weigh_prefix('{PREFIX} ' .. prefix, bytes) end
      end
      weigh(bytes, kind, key)
    end
  end
until cursor == '0' or now() - began > tonumber(ARGV[5])
return {{cursor, order, largest}}
"""
)
