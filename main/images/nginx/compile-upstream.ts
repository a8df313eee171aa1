// upstream blocks of http and of stream.
import { errorAt, type Directive } from './config.ts';
import { parseTime } from './directives.ts';
import type { Upstream, UpstreamServer } from './settings.ts';
import { compileTemplate, variablesOf } from './template.ts';

/** Throws ConfigError. `portDefault` 0: every server must name its port. */
export function readUpstream(directive: Directive, portDefault: number, used: Set<string>): Upstream {
  const block = directive.block ?? [];
  const servers = block.filter(({ name }) => name === 'server').map((each) => readServer(each, portDefault));
  if (servers.length === 0)
    throw errorAt({ file: directive.file, line: directive.endLine }, 'no servers are inside upstream');
  const find = (name: string): Directive | undefined => block.find((each) => each.name === name);
  const hash = find('hash');
  const key = hash === undefined ? undefined : compileTemplate(hash.args[0] ?? '', hash);
  for (const name of key === undefined ? [] : variablesOf(key)) used.add(name);
  const random = find('random');
  return {
    name: directive.args[0] ?? '',
    servers,
    method:
      find('ip_hash') !== undefined
        ? 'ip_hash'
        : find('least_conn') !== undefined
          ? 'least_conn'
          : hash !== undefined
            ? 'hash'
            : random !== undefined
              ? 'random'
              : 'round-robin',
    hashKey: key,
    isConsistent: hash?.args[1] === 'consistent',
    randomTwo: random?.args[0] === 'two',
    keepalive: Number(find('keepalive')?.args[0] ?? 0),
    keepaliveTimeoutMs: parseTime(find('keepalive_timeout')?.args[0] ?? '60s') ?? 60_000,
    keepaliveRequests: Number(find('keepalive_requests')?.args[0] ?? 1000),
  };
}

function readServer(directive: Directive, portDefault: number): UpstreamServer {
  const [text = '', ...words] = directive.args;
  const options = {
    weight: 1,
    maxFails: 1,
    failTimeoutMs: 10_000,
    maxConnections: 0,
    isDown: false,
    isBackup: false,
  };
  for (const word of words) {
    const [key, value = ''] = word.split('=');
    const isNumber = /^\d+$/.test(value);
    if (key === 'weight' && isNumber && Number(value) > 0) options.weight = Number(value);
    else if (key === 'max_fails' && isNumber) options.maxFails = Number(value);
    else if (key === 'max_conns' && isNumber) options.maxConnections = Number(value);
    else if (key === 'fail_timeout' && parseTime(value) !== undefined)
      options.failTimeoutMs = parseTime(value)!;
    else if (word === 'down') options.isDown = true;
    else if (word === 'backup') options.isBackup = true;
    else if (word !== 'resolve' && key !== 'slow_start')
      throw errorAt(directive, `invalid parameter "${word}"`);
  }
  if (/^https?:\/\//.test(text)) throw errorAt(directive, `invalid host in upstream "${text}"`);
  const port = /:(\d+)$/.exec(text)?.[1];
  if (port === undefined && portDefault === 0 && !text.startsWith('unix:'))
    throw errorAt(directive, `no port in upstream "${text}"`);
  return {
    text,
    host: text.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''),
    port: port === undefined ? portDefault : Number(port),
    ...options,
  };
}
