// Redis' data: strings, lists, hashes, sets and sorted sets under keys that may expire, and the commands on them.
import { array, bulk, failure, integer, NIL, OK, simple, texts, type Reply } from './resp.ts';

export type Value =
  | { readonly type: 'string'; value: string }
  | { readonly type: 'list'; readonly items: string[] }
  | { readonly type: 'hash'; readonly fields: Map<string, string> }
  | { readonly type: 'set'; readonly members: Set<string> }
  | { readonly type: 'zset'; readonly scores: Map<string, number> };

export interface Entry {
  value: Value;
  expiresMs: number | undefined;
}

/** One numbered database. Expired keys are gone when somebody looks. */
export class Database {
  readonly entries = new Map<string, Entry>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  get(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    if (entry?.expiresMs === undefined || entry.expiresMs > this.now()) return entry;
    this.entries.delete(key);
    return undefined;
  }

  keys(): string[] {
    return Array.from(this.entries.keys()).filter((key) => this.get(key) !== undefined);
  }

  set(key: string, value: Value, expiresMs?: number): void {
    this.entries.set(key, { value, expiresMs });
  }

  get nowMs(): number {
    return this.now();
  }
}

const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
const NOT_INTEGER = 'ERR value is not an integer or out of range';
const SYNTAX = 'ERR syntax error';

/** Ends a command with an error reply. */
class CommandError extends Error {}

type Kind = Value['type'];
type Command = (db: Database, args: readonly string[], name: string) => Reply;

function valueOf<K extends Kind>(
  db: Database,
  key: string,
  type: K,
): Extract<Value, { type: K }> | undefined {
  const value = db.get(key)?.value;
  if (value !== undefined && value.type !== type) throw new CommandError(WRONG_TYPE);
  return value as Extract<Value, { type: K }> | undefined;
}

function made<K extends Kind>(db: Database, key: string, type: K): Extract<Value, { type: K }> {
  const existing = valueOf(db, key, type);
  if (existing !== undefined) return existing;
  const empty: Record<Kind, () => Value> = {
    string: () => ({ type: 'string', value: '' }),
    list: () => ({ type: 'list', items: [] }),
    hash: () => ({ type: 'hash', fields: new Map() }),
    set: () => ({ type: 'set', members: new Set() }),
    zset: () => ({ type: 'zset', scores: new Map() }),
  };
  const value = empty[type]();
  db.set(key, value);
  return value as Extract<Value, { type: K }>;
}

function dropIfEmpty(db: Database, key: string, size: number): void {
  if (size === 0) db.entries.delete(key);
}

function toInteger(text: string | undefined): number {
  if (text === undefined || !/^-?\d+$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw new CommandError(NOT_INTEGER);
  return Number(text);
}

function toFloat(text: string | undefined): number {
  if (/^[+-]?inf$/i.test(text ?? '')) return text!.startsWith('-') ? -Infinity : Infinity;
  if (text === undefined || text.trim() === '' || Number.isNaN(Number(text)))
    throw new CommandError('ERR value is not a valid float');
  return Number(text);
}

/** As %.17g prints numbers that are short. */
function floatText(value: number): string {
  return value === Infinity ? 'inf' : value === -Infinity ? '-inf' : String(value);
}

/** stringmatchlen: `*`, `?`, `[a-c]`, `\`. */
export function globMatches(pattern: string, text: string): boolean {
  const expression = pattern.replaceAll(
    /\\(.)|\[\^?[^\]]*\]|[*?.+^${}()|]/gs,
    (part, escaped: string | undefined) =>
      escaped !== undefined
        ? escaped.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
        : part === '*'
          ? '.*'
          : part === '?'
            ? '.'
            : part.startsWith('[')
              ? part
              : `\\${part}`,
  );
  return new RegExp(`^${expression}$`, 's').test(text);
}

/** The part of a list from `start` to `stop`, both included, negative ones from the end. */
function range<T>(items: readonly T[], start: number, stop: number): T[] {
  const from = start < 0 ? Math.max(0, items.length + start) : start;
  const to = stop < 0 ? items.length + stop : stop;
  return items.slice(from, to + 1);
}

function increment(db: Database, key: string, by: number): Reply {
  const entry = db.get(key);
  const before = valueOf(db, key, 'string')?.value ?? '0';
  const after = toInteger(before) + by;
  if (!Number.isSafeInteger(after)) throw new CommandError('ERR increment or decrement would overflow');
  db.set(key, { type: 'string', value: String(after) }, entry?.expiresMs);
  return integer(after);
}

function setCommand(db: Database, args: readonly string[]): Reply {
  const [key = '', value = '', ...options] = args;
  let expiresMs: number | undefined;
  let keep = false;
  let only: string | undefined;
  let wantsOld = false;
  for (let index = 0; index < options.length; index++) {
    const option = options[index]!.toUpperCase();
    if (option === 'NX' || option === 'XX') only = option;
    else if (option === 'GET') wantsOld = true;
    else if (option === 'KEEPTTL') keep = true;
    else if (['EX', 'PX', 'EXAT', 'PXAT'].includes(option)) {
      const number = toInteger(options[++index]);
      if (number <= 0) throw new CommandError("ERR invalid expire time in 'set' command");
      expiresMs =
        option === 'EX'
          ? db.nowMs + number * 1000
          : option === 'PX'
            ? db.nowMs + number
            : option === 'EXAT'
              ? number * 1000
              : number;
    } else throw new CommandError(SYNTAX);
  }
  const old = db.get(key);
  const previous = wantsOld ? bulk(valueOf(db, key, 'string')?.value) : undefined;
  if ((only === 'NX' && old !== undefined) || (only === 'XX' && old === undefined)) return previous ?? NIL;
  db.set(key, { type: 'string', value }, keep ? old?.expiresMs : expiresMs);
  return previous ?? OK;
}

function expireAt(db: Database, key: string, atMs: number): Reply {
  const entry = db.get(key);
  if (entry === undefined) return integer(0);
  if (atMs <= db.nowMs) db.entries.delete(key);
  else entry.expiresMs = atMs;
  return integer(1);
}

function ttl(db: Database, key: string, unitMs: number): Reply {
  const entry = db.get(key);
  if (entry === undefined) return integer(-2);
  return integer(entry.expiresMs === undefined ? -1 : Math.round((entry.expiresMs - db.nowMs) / unitMs));
}

function pop(db: Database, args: readonly string[], atHead: boolean): Reply {
  const [key = '', count] = args;
  const list = valueOf(db, key, 'list');
  if (list === undefined) return NIL;
  const taken = Array.from(
    { length: Math.min(count === undefined ? 1 : toInteger(count), list.items.length) },
    () => (atHead ? list.items.shift()! : list.items.pop()!),
  );
  dropIfEmpty(db, key, list.items.length);
  return count === undefined ? bulk(taken[0]) : texts(taken);
}

function push(db: Database, args: readonly string[], atHead: boolean, onlyExisting: boolean): Reply {
  const [key = '', ...values] = args;
  if (onlyExisting && valueOf(db, key, 'list') === undefined) return integer(0);
  const { items } = made(db, key, 'list');
  for (const value of values)
    if (atHead) items.unshift(value);
    else items.push(value);
  return integer(items.length);
}

function sets(db: Database, keys: readonly string[]): ReadonlySet<string>[] {
  return keys.map((key) => valueOf(db, key, 'set')?.members ?? new Set<string>());
}

function combine(db: Database, name: string, keys: readonly string[]): string[] {
  const [first = new Set<string>(), ...others] = sets(db, keys);
  if (name.startsWith('SUNION'))
    return Array.from(new Set([...first, ...others.flatMap((each) => [...each])]));
  const keep = name.startsWith('SINTER');
  return Array.from(first).filter((member) =>
    keep ? others.every((each) => each.has(member)) : others.every((each) => !each.has(member)),
  );
}

function ranked(db: Database, key: string): [string, number][] {
  return Array.from(valueOf(db, key, 'zset')?.scores ?? []).sort(
    ([a, x], [b, y]) => x - y || (a < b ? -1 : 1),
  );
}

function zrange(db: Database, args: readonly string[], reverse: boolean): Reply {
  const [key = '', start, stop, ...options] = args;
  const words = options.map((each) => each.toUpperCase());
  const backwards = reverse || words.includes('REV');
  const all = ranked(db, key);
  if (words.includes('BYLEX')) throw new CommandError("ERR drydock: BYLEX isn't simulated");
  const chosen = words.includes('BYSCORE')
    ? byScore(all, backwards ? stop : start, backwards ? start : stop)
    : range(backwards ? all.toReversed() : all, toInteger(start), toInteger(stop));
  const ordered = words.includes('BYSCORE') && backwards ? chosen.toReversed() : chosen;
  return withScores(limited(ordered, options), words.includes('WITHSCORES'));
}

function limited<T>(items: readonly T[], options: readonly string[]): readonly T[] {
  const at = options.findIndex((each) => each.toUpperCase() === 'LIMIT');
  if (at < 0) return items;
  const [offset, count] = [toInteger(options[at + 1]), toInteger(options[at + 2])];
  return items.slice(offset, count < 0 ? undefined : offset + count);
}

function byScore(
  all: readonly [string, number][],
  min: string | undefined,
  max: string | undefined,
): [string, number][] {
  const bound = (text = ''): { value: number; open: boolean } => ({
    value: toFloat(text.replace(/^\(/, '')),
    open: text.startsWith('('),
  });
  const [low, high] = [bound(min), bound(max)];
  return all.filter(
    ([, score]) =>
      (low.open ? score > low.value : score >= low.value) &&
      (high.open ? score < high.value : score <= high.value),
  );
}

function withScores(items: readonly (readonly [string, number])[], scores: boolean): Reply {
  return texts(items.flatMap(([member, score]) => (scores ? [member, floatText(score)] : [member])));
}

function zadd(db: Database, args: readonly string[]): Reply {
  const [key = '', ...rest] = args;
  const options = new Set<string>();
  while (/^(nx|xx|gt|lt|ch|incr)$/i.test(rest[0] ?? '')) options.add(rest.shift()!.toUpperCase());
  if (rest.length === 0 || rest.length % 2 !== 0) throw new CommandError(SYNTAX);
  const { scores } = made(db, key, 'zset');
  let changed = 0;
  let last: number | undefined;
  for (let index = 0; index < rest.length; index += 2) {
    const member = rest[index + 1]!;
    const before = scores.get(member);
    const score = toFloat(rest[index]) + (options.has('INCR') ? (before ?? 0) : 0);
    const skipped =
      (options.has('NX') && before !== undefined) ||
      (options.has('XX') && before === undefined) ||
      (before !== undefined &&
        ((options.has('GT') && score <= before) || (options.has('LT') && score >= before)));
    if (skipped) continue;
    if (before === undefined || (options.has('CH') && before !== score)) changed++;
    scores.set(member, score);
    last = score;
  }
  dropIfEmpty(db, key, scores.size);
  return options.has('INCR') ? bulk(last === undefined ? undefined : floatText(last)) : integer(changed);
}

/** Keys that a cursor's call gives; all come with the first, as with small tables. */
function scan(
  items: readonly string[],
  options: readonly string[],
  widen: (item: string) => readonly string[] = (item) => [item],
): Reply {
  const option = (name: string): string | undefined => {
    const at = options.findIndex((each) => each.toUpperCase() === name);
    return at < 0 ? undefined : options[at + 1];
  };
  const pattern = option('MATCH');
  return array([
    bulk('0'),
    texts(items.filter((item) => pattern === undefined || globMatches(pattern, item)).flatMap(widen)),
  ]);
}

function rename(db: Database, [from = '', to = '']: readonly string[], unlessThere: boolean): Reply {
  const entry = db.get(from);
  if (entry === undefined) throw new CommandError('ERR no such key');
  if (unlessThere && db.get(to) !== undefined) return integer(0);
  db.entries.delete(from);
  db.entries.set(to, entry);
  return unlessThere ? integer(1) : OK;
}

function hset(db: Database, [key = '', ...pairs]: readonly string[], name: string): Reply {
  if (pairs.length === 0 || pairs.length % 2 !== 0)
    throw new CommandError(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
  const { fields } = made(db, key, 'hash');
  const before = fields.size;
  for (let index = 0; index < pairs.length; index += 2) fields.set(pairs[index]!, pairs[index + 1]!);
  return name === 'HMSET' ? OK : integer(fields.size - before);
}

/** name → [fewest words with the name, negative arity meaning "at least", as COMMAND INFO tells; what it does]. */
export const DATA_COMMANDS: Readonly<Record<string, readonly [arity: number, run: Command]>> = {
  GET: [2, (db, [key = '']) => bulk(valueOf(db, key, 'string')?.value)],
  SET: [-3, setCommand],
  SETNX: [
    3,
    (db, [key = '', value = '']) => {
      if (db.get(key) !== undefined) return integer(0);
      db.set(key, { type: 'string', value });
      return integer(1);
    },
  ],
  SETEX: [
    4,
    (db, [key = '', seconds, value = '']) => {
      db.set(key, { type: 'string', value }, db.nowMs + toInteger(seconds) * 1000);
      return OK;
    },
  ],
  PSETEX: [
    4,
    (db, [key = '', ms, value = '']) => {
      db.set(key, { type: 'string', value }, db.nowMs + toInteger(ms));
      return OK;
    },
  ],
  GETSET: [
    3,
    (db, [key = '', value = '']) => {
      const old = valueOf(db, key, 'string')?.value;
      db.set(key, { type: 'string', value });
      return bulk(old);
    },
  ],
  GETDEL: [
    2,
    (db, [key = '']) => {
      const old = valueOf(db, key, 'string')?.value;
      db.entries.delete(key);
      return bulk(old);
    },
  ],
  APPEND: [
    3,
    (db, [key = '', value = '']) => {
      const text = made(db, key, 'string');
      text.value += value;
      return integer(text.value.length);
    },
  ],
  STRLEN: [2, (db, [key = '']) => integer(valueOf(db, key, 'string')?.value.length ?? 0)],
  GETRANGE: [
    4,
    (db, [key = '', start, stop]) =>
      bulk(range([...(valueOf(db, key, 'string')?.value ?? '')], toInteger(start), toInteger(stop)).join('')),
  ],
  SETRANGE: [
    4,
    (db, [key = '', offset, value = '']) => {
      const text = made(db, key, 'string');
      const at = toInteger(offset);
      text.value = text.value.padEnd(at, '\0').slice(0, at) + value + text.value.slice(at + value.length);
      return integer(text.value.length);
    },
  ],
  MGET: [
    -2,
    (db, keys) =>
      array(
        keys.map((key) => {
          const value = db.get(key)?.value;
          return bulk(value?.type === 'string' ? value.value : undefined);
        }),
      ),
  ],
  MSET: [
    -3,
    (db, args) => {
      if (args.length % 2 !== 0) throw new CommandError("ERR wrong number of arguments for 'mset' command");
      for (let index = 0; index < args.length; index += 2)
        db.set(args[index]!, { type: 'string', value: args[index + 1]! });
      return OK;
    },
  ],
  INCR: [2, (db, [key = '']) => increment(db, key, 1)],
  DECR: [2, (db, [key = '']) => increment(db, key, -1)],
  INCRBY: [3, (db, [key = '', by]) => increment(db, key, toInteger(by))],
  DECRBY: [3, (db, [key = '', by]) => increment(db, key, -toInteger(by))],
  INCRBYFLOAT: [
    3,
    (db, [key = '', by]) => {
      const text = made(db, key, 'string');
      text.value = floatText(toFloat(text.value === '' ? '0' : text.value) + toFloat(by));
      return bulk(text.value);
    },
  ],

  DEL: [
    -2,
    (db, keys) => integer(keys.filter((key) => db.get(key) !== undefined && db.entries.delete(key)).length),
  ],
  UNLINK: [
    -2,
    (db, keys) => integer(keys.filter((key) => db.get(key) !== undefined && db.entries.delete(key)).length),
  ],
  EXISTS: [-2, (db, keys) => integer(keys.filter((key) => db.get(key) !== undefined).length)],
  TYPE: [2, (db, [key = '']) => simple(db.get(key)?.value.type ?? 'none')],
  KEYS: [2, (db, [pattern = '']) => texts(db.keys().filter((key) => globMatches(pattern, key)))],
  SCAN: [-2, (db, [, ...options]) => scan(db.keys(), options)],
  RANDOMKEY: [1, (db) => bulk(db.keys()[0])],
  RENAME: [3, (db, args) => rename(db, args, false)],
  RENAMENX: [3, (db, args) => rename(db, args, true)],
  DBSIZE: [1, (db) => integer(db.keys().length)],
  FLUSHDB: [
    -1,
    (db) => {
      db.entries.clear();
      return OK;
    },
  ],
  EXPIRE: [-3, (db, [key = '', seconds]) => expireAt(db, key, db.nowMs + toInteger(seconds) * 1000)],
  PEXPIRE: [-3, (db, [key = '', ms]) => expireAt(db, key, db.nowMs + toInteger(ms))],
  EXPIREAT: [-3, (db, [key = '', seconds]) => expireAt(db, key, toInteger(seconds) * 1000)],
  PERSIST: [
    2,
    (db, [key = '']) => {
      const entry = db.get(key);
      if (entry?.expiresMs === undefined) return integer(0);
      entry.expiresMs = undefined;
      return integer(1);
    },
  ],
  TTL: [2, (db, [key = '']) => ttl(db, key, 1000)],
  PTTL: [2, (db, [key = '']) => ttl(db, key, 1)],

  LPUSH: [-3, (db, args) => push(db, args, true, false)],
  RPUSH: [-3, (db, args) => push(db, args, false, false)],
  LPUSHX: [-3, (db, args) => push(db, args, true, true)],
  RPUSHX: [-3, (db, args) => push(db, args, false, true)],
  LPOP: [-2, (db, args) => pop(db, args, true)],
  RPOP: [-2, (db, args) => pop(db, args, false)],
  LLEN: [2, (db, [key = '']) => integer(valueOf(db, key, 'list')?.items.length ?? 0)],
  LRANGE: [
    4,
    (db, [key = '', start, stop]) =>
      texts(range(valueOf(db, key, 'list')?.items ?? [], toInteger(start), toInteger(stop))),
  ],
  LINDEX: [3, (db, [key = '', index]) => bulk((valueOf(db, key, 'list')?.items ?? []).at(toInteger(index)))],
  LSET: [
    4,
    (db, [key = '', index, value = '']) => {
      const list = valueOf(db, key, 'list');
      if (list === undefined) throw new CommandError('ERR no such key');
      const at = toInteger(index) < 0 ? list.items.length + toInteger(index) : toInteger(index);
      if (at < 0 || at >= list.items.length) throw new CommandError('ERR index out of range');
      list.items[at] = value;
      return OK;
    },
  ],
  LREM: [
    4,
    (db, [key = '', count, value = '']) => {
      const list = valueOf(db, key, 'list');
      if (list === undefined) return integer(0);
      const most = Math.abs(toInteger(count)) || Infinity;
      let removed = 0;
      const order = toInteger(count) < 0 ? list.items.toReversed() : [...list.items];
      const kept = order.filter((item) => item !== value || removed >= most || (removed++, false));
      list.items.splice(0, list.items.length, ...(toInteger(count) < 0 ? kept.toReversed() : kept));
      dropIfEmpty(db, key, list.items.length);
      return integer(removed);
    },
  ],
  LTRIM: [
    4,
    (db, [key = '', start, stop]) => {
      const list = valueOf(db, key, 'list');
      if (list === undefined) return OK;
      list.items.splice(0, list.items.length, ...range(list.items, toInteger(start), toInteger(stop)));
      dropIfEmpty(db, key, list.items.length);
      return OK;
    },
  ],
  RPOPLPUSH: [
    3,
    (db, [from = '', to = '']) => {
      const taken = pop(db, [from], false);
      if (taken.kind === 'bulk' && taken.value !== undefined) made(db, to, 'list').items.unshift(taken.value);
      return taken;
    },
  ],

  HSET: [-4, hset],
  HMSET: [-4, hset],
  HSETNX: [
    4,
    (db, [key = '', field = '', value = '']) => {
      const { fields } = made(db, key, 'hash');
      if (fields.has(field)) return integer(0);
      fields.set(field, value);
      return integer(1);
    },
  ],
  HGET: [3, (db, [key = '', field = '']) => bulk(valueOf(db, key, 'hash')?.fields.get(field))],
  HMGET: [
    -3,
    (db, [key = '', ...fields]) =>
      array(fields.map((field) => bulk(valueOf(db, key, 'hash')?.fields.get(field)))),
  ],
  HGETALL: [2, (db, [key = '']) => texts(Array.from(valueOf(db, key, 'hash')?.fields ?? []).flat())],
  HKEYS: [2, (db, [key = '']) => texts(Array.from(valueOf(db, key, 'hash')?.fields.keys() ?? []))],
  HVALS: [2, (db, [key = '']) => texts(Array.from(valueOf(db, key, 'hash')?.fields.values() ?? []))],
  HLEN: [2, (db, [key = '']) => integer(valueOf(db, key, 'hash')?.fields.size ?? 0)],
  HEXISTS: [
    3,
    (db, [key = '', field = '']) => integer(valueOf(db, key, 'hash')?.fields.has(field) === true ? 1 : 0),
  ],
  HDEL: [
    -3,
    (db, [key = '', ...names]) => {
      const hash = valueOf(db, key, 'hash');
      const gone = names.filter((name) => hash?.fields.delete(name) === true).length;
      if (hash !== undefined) dropIfEmpty(db, key, hash.fields.size);
      return integer(gone);
    },
  ],
  HINCRBY: [
    4,
    (db, [key = '', field = '', by]) => {
      const { fields } = made(db, key, 'hash');
      const text = fields.get(field) ?? '0';
      if (!/^-?\d+$/.test(text)) throw new CommandError('ERR hash value is not an integer');
      const after = Number(text) + toInteger(by);
      fields.set(field, String(after));
      return integer(after);
    },
  ],
  HSCAN: [
    -3,
    (db, [key = '', , ...options]) => {
      const fields = valueOf(db, key, 'hash')?.fields ?? new Map<string, string>();
      return scan(Array.from(fields.keys()), options, (field) => [field, fields.get(field)!]);
    },
  ],

  SADD: [
    -3,
    (db, [key = '', ...values]) => {
      const { members } = made(db, key, 'set');
      const before = members.size;
      for (const value of values) members.add(value);
      return integer(members.size - before);
    },
  ],
  SREM: [
    -3,
    (db, [key = '', ...values]) => {
      const set = valueOf(db, key, 'set');
      const gone = values.filter((value) => set?.members.delete(value) === true).length;
      if (set !== undefined) dropIfEmpty(db, key, set.members.size);
      return integer(gone);
    },
  ],
  SMEMBERS: [2, (db, [key = '']) => texts(Array.from(valueOf(db, key, 'set')?.members ?? []))],
  SISMEMBER: [
    3,
    (db, [key = '', member = '']) => integer(valueOf(db, key, 'set')?.members.has(member) === true ? 1 : 0),
  ],
  SCARD: [2, (db, [key = '']) => integer(valueOf(db, key, 'set')?.members.size ?? 0)],
  SPOP: [
    -2,
    (db, [key = '']) => {
      const set = valueOf(db, key, 'set');
      const [member] = set?.members ?? [];
      if (set === undefined || member === undefined) return NIL;
      set.members.delete(member);
      dropIfEmpty(db, key, set.members.size);
      return bulk(member);
    },
  ],
  SUNION: [-2, (db, keys, name) => texts(combine(db, name, keys))],
  SINTER: [-2, (db, keys, name) => texts(combine(db, name, keys))],
  SDIFF: [-2, (db, keys, name) => texts(combine(db, name, keys))],
  SSCAN: [
    -3,
    (db, [key = '', , ...options]) => scan(Array.from(valueOf(db, key, 'set')?.members ?? []), options),
  ],

  ZADD: [-4, zadd],
  ZINCRBY: [4, (db, [key = '', by = '', member = '']) => zadd(db, [key, 'INCR', by, member])],
  ZSCORE: [
    3,
    (db, [key = '', member = '']) => {
      const score = valueOf(db, key, 'zset')?.scores.get(member);
      return bulk(score === undefined ? undefined : floatText(score));
    },
  ],
  ZCARD: [2, (db, [key = '']) => integer(valueOf(db, key, 'zset')?.scores.size ?? 0)],
  ZCOUNT: [4, (db, [key = '', min, max]) => integer(byScore(ranked(db, key), min, max).length)],
  ZRANGE: [-4, (db, args) => zrange(db, args, false)],
  ZREVRANGE: [-4, (db, args) => zrange(db, args, true)],
  ZRANGEBYSCORE: [
    -4,
    (db, [key = '', min, max, ...options]) =>
      withScores(
        limited(byScore(ranked(db, key), min, max), options),
        options.some((each) => each.toUpperCase() === 'WITHSCORES'),
      ),
  ],
  ZREVRANGEBYSCORE: [
    -4,
    (db, [key = '', max, min, ...options]) =>
      withScores(
        limited(byScore(ranked(db, key), min, max).toReversed(), options),
        options.some((each) => each.toUpperCase() === 'WITHSCORES'),
      ),
  ],
  ZRANK: [
    -3,
    (db, [key = '', member]) => {
      const rank = ranked(db, key).findIndex(([each]) => each === member);
      return rank < 0 ? NIL : integer(rank);
    },
  ],
  ZREVRANK: [
    -3,
    (db, [key = '', member]) => {
      const rank = ranked(db, key)
        .toReversed()
        .findIndex(([each]) => each === member);
      return rank < 0 ? NIL : integer(rank);
    },
  ],
  ZREM: [
    -3,
    (db, [key = '', ...members]) => {
      const set = valueOf(db, key, 'zset');
      const gone = members.filter((member) => set?.scores.delete(member) === true).length;
      if (set !== undefined) dropIfEmpty(db, key, set.scores.size);
      return integer(gone);
    },
  ],
};

/** Whether so many words (the name among them) fit a command's arity. */
function fitsArity(arity: number, words: number): boolean {
  return arity < 0 ? words >= -arity : words === arity;
}

/** Runs a data command; undefined if there is none of the name. */
export function runDataCommand(db: Database, name: string, args: readonly string[]): Reply | undefined {
  const known = DATA_COMMANDS[name];
  if (known === undefined) return undefined;
  if (!fitsArity(known[0], args.length + 1))
    return failure(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
  try {
    return known[1](db, args, name);
  } catch (error) {
    if (error instanceof CommandError) return failure(error.message);
    throw error;
  }
}
