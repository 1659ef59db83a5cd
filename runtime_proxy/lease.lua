-- One owner's limits of one unit: settles what a worker reports, checks all limits, then grants a lease or nothing.
--
-- KEYS[1]  the account. In a cluster it carries the owner as hash tag, so one script sees one owner.
-- ARGV[1]  MessagePack of the request (runtime_proxy/lease_wire.py, where every field is described)
-- Answers  MessagePack of the grant.
--
-- The account: clock (logical, microseconds), wall (Redis TIME at the last call), debt per rate (signed, in units of
-- which one token is `token` and one quantum of time pays `pays`), used per quota, and what each worker holds.
-- What is held may be spent at any moment, so it counts against the burst beside the debt; what is reported spent
-- becomes debt at the latest time at which it can have been spent. All numbers are whole and below 2^53.

local ask = cmsgpack.unpack(ARGV[1])
local time = redis.call('TIME')
local wall = ask.wall > 0 and ask.wall or time[1] * 1000000 + time[2] + ask.skew
local raw = redis.call('GET', KEYS[1])
local account = raw and cmsgpack.unpack(raw)
  or {clock = 0, wall = wall, fresh = 0, debt = {}, at = {}, scale = {}, quota = {}, workers = {}}
local born = not raw

-- The logical clock. A step backwards of the server's clock does not turn it back; the asking worker, whose own clock
-- has moved by `since`, is the witness that it moved neither less nor more than that (within `slack`).
local clock = account.clock + math.max(wall - account.wall, 0)
local me = account.workers[ask.worker]
if me and me.number == ask.last then
  clock = math.max(math.min(clock, me.seen + ask.since + ask.slack), me.seen + ask.since - ask.slack, account.clock)
end
account.clock, account.wall = clock, wall
if me and ask.number <= me.number then
  return cmsgpack.pack({stale = true})
end
me = me or {held = 0, ends = 0}
account.workers[ask.worker] = me

local function settle(limit, tokens, at)
  -- Debt as of `clock`: max(debt, at) + tokens, where `at` is not after `clock`.
  local name = limit.name
  local ago = math.min(math.floor((clock - at) / limit.quantum) * limit.pays, 4503599627370496)
  account.debt[name] = math.max(account.debt[name], -ago) + tokens * limit.token
end

local function spent(tokens, at)
  if tokens <= 0 then return end
  for _, limit in ipairs(ask.limits) do
    if limit.kind == 'rate' then settle(limit, tokens, math.min(at, clock)) end
  end
end

-- Time pays debts off; a limit that is new here, and one whose account was lost, begins as `full` says.
for _, limit in ipairs(ask.limits) do
  local name = limit.name
  if limit.kind == 'rate' then
    local depth = limit.burst * limit.token
    local debt, at = account.debt[name], account.at[name] or 0
    local steps = math.floor((clock - at) / limit.quantum)
    if debt then
      local scale = account.scale[name]
      if scale ~= limit.token then debt = math.ceil(debt / scale * limit.token) end  -- a changed limit forgives nothing
      debt = debt - math.min(steps * limit.pays, 4503599627370496)
    else
      debt = (born and ask.known) and depth or 0
    end
    if ask.full > account.fresh or wall < ask.full then
      local paid = math.min(math.floor(math.max(wall - ask.full, 0) / limit.quantum) * limit.pays, depth)
      debt = math.max(debt, depth - paid)
    end
    account.debt[name] = math.max(debt, -4503599627370496)
    account.at[name] = at + steps * limit.quantum
    account.scale[name] = limit.token
  elseif limit.kind == 'quota' then
    local window = wall < limit.next and limit.start or limit.next
    local quota = account.quota[name]
    if not quota or quota.window < window then
      quota = {window = window, used = 0}
    end
    if limit.claim == quota.window then
      quota.used = math.max(quota.used, limit.used)
    end
    account.quota[name] = quota
  end
end
account.fresh = math.max(account.fresh, ask.full)

-- What others did not report in time is taken as spent when it ended; then what this worker reports.
for id, other in pairs(account.workers) do
  if id ~= ask.worker then
    if other.held > 0 and other.ends <= clock then
      spent(other.held, other.ends)
      other.held = 0
    elseif other.held == 0 and other.seen + 60000000 < clock then
      account.workers[id] = nil
    end
  end
end
spent(math.max(me.held - ask.kept - ask.back, 0), clock - ask.age)
if ask.owed > 0 then
  -- Spent out of a local share: all shares together earn what the limit does, so full is the most that can be owed.
  for _, limit in ipairs(ask.limits) do
    if limit.kind == 'rate' then
      local before = account.debt[limit.name]
      settle(limit, ask.owed, clock - ask.age)
      account.debt[limit.name] = math.min(account.debt[limit.name], math.max(limit.burst * limit.token, before))
    end
  end
end
local back = math.min(ask.back, math.max(me.held - ask.kept, 0))
for _, limit in ipairs(ask.limits) do
  if limit.kind == 'quota' then
    local quota = account.quota[limit.name]
    if me.window == nil or me.window[limit.name] == quota.window then
      quota.used = math.max(quota.used - back, 0)
    end
    quota.used = quota.used + ask.owed
  end
end
me.held = ask.kept

local held, crowd, first = 0, 1, nil
for id, other in pairs(account.workers) do
  held = held + other.held
  if id ~= ask.worker then
    if other.seen + 5000000 > clock then crowd = crowd + 1 end
    if other.held > 0 and (not first or other.ends < first) then first = other.ends end
  end
end

-- Check all.
local room, wait, state, window_end = 9007199254740991, 0, {}, nil
for index, limit in ipairs(ask.limits) do
  local left, delay, reset
  if limit.kind == 'rate' then
    local debt = math.max(account.debt[limit.name], 0)
    left = math.floor((limit.burst * limit.token - debt) / limit.token) - held
    local over = debt + (held + ask.least - limit.burst) * limit.token
    delay = math.ceil(over / limit.pays) * limit.quantum
    if held + ask.least > limit.burst and first then delay = math.max(first - clock, 1) end
    reset = math.ceil(debt / limit.pays) * limit.quantum
  elseif limit.kind == 'quota' then
    local quota = account.quota[limit.name]
    local ends = quota.window < limit.next and limit.next or limit.after
    left = limit.calls - quota.used
    reset = math.max(ends - wall, 1)
    delay = reset
    window_end = math.min(window_end or reset, reset)
  else
    left = limit.calls - held
    reset = 0
    delay = ask.retry
  end
  state[index] = {name = limit.name, left = left, reset = reset, used = limit.kind == 'quota' and account.quota[limit.name].used or 0,
                  window = limit.kind == 'quota' and account.quota[limit.name].window or 0}
  room = math.min(room, left)
  if left < ask.least then wait = math.max(wait, delay, 1) end
end

-- Commit all, or nothing. Beyond what calls wait for, a worker gets a fair part of half of what is left, so that
-- leases shrink to 1 as the limit comes near.
local granted = 0
if room >= ask.least then
  granted = math.min(ask.need, room)
  local fair = math.floor((room - granted) / (2 * crowd))
  granted = granted + math.max(math.min(ask.want, fair), 0)
end
local life = (ask.kept + granted > ask.need) and ask.life or ask.brief
if window_end then life = math.min(life, window_end) end
if granted > 0 or me.held > 0 then me.ends = clock + life end
me.held = me.held + granted
me.number, me.seen, me.window = ask.number, clock, {}
for index, limit in ipairs(ask.limits) do
  if limit.kind == 'quota' then
    local quota = account.quota[limit.name]
    quota.used = quota.used + granted
    me.window[limit.name] = quota.window
    state[index].used = quota.used
  end
end
redis.call('SET', KEYS[1], cmsgpack.pack(account), 'PX', ask.keep)
return cmsgpack.pack({granted = granted, life = life, wait = wait, crowd = crowd, state = state})
