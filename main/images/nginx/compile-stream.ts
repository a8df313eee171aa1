// stream: servers that pass TCP and UDP on.
import { errorAt, type Directive } from './config.ts';
import { parseTime } from './directives.ts';
import { combinedFormat, readAccessLog, readLogFormat } from './compile-settings.ts';
import { readListen, readTls } from './compile-listen.ts';
import { readUpstream } from './compile-upstream.ts';
import { readDerived } from './compile-variables.ts';
import type { DerivedVariable, LogFormat, NginxSettings, StreamServer, Upstream } from './settings.ts';
import { compileTemplate } from './template.ts';

type StreamSettings = Pick<NginxSettings, 'streamServers' | 'streamUpstreams' | 'streamVariables'>;

/** Throws ConfigError. */
export function compileStream(stream: Directive | undefined, prefix: string): StreamSettings {
  const block = stream?.block ?? [];
  const used = new Set<string>();
  const streamUpstreams = new Map<string, Upstream>();
  const streamVariables = new Map<string, DerivedVariable>();
  const logFormats = new Map<string, LogFormat>([['combined', combinedFormat()]]);
  for (const directive of block) {
    if (directive.name === 'upstream')
      streamUpstreams.set(directive.args[0] ?? '', readUpstream(directive, 0, used));
    else if (['map', 'geo', 'split_clients'].includes(directive.name)) {
      const { name, variable } = readDerived(directive, used);
      streamVariables.set(name, variable);
    } else if (directive.name === 'log_format') {
      const { name, format } = readLogFormat(directive, used);
      logFormats.set(name, format);
    }
  }
  const streamServers = block
    .filter(({ name }) => name === 'server')
    .map((server) => readServer(server, block, { prefix, logFormats }));
  return { streamServers, streamUpstreams, streamVariables };
}

function readServer(
  directive: Directive,
  outer: readonly Directive[],
  definitions: { readonly prefix: string; readonly logFormats: Map<string, LogFormat> },
): StreamServer {
  const block = directive.block ?? [];
  const find = (name: string): Directive | undefined =>
    block.findLast((each) => each.name === name) ?? outer.findLast((each) => each.name === name);
  const isOn = (name: string): boolean => find(name)?.args[0]?.toLowerCase() === 'on';
  const time = (name: string, otherwise: string): number => parseTime(find(name)?.args[0] ?? otherwise)!;
  const listens = block
    .filter(({ name }) => name === 'listen')
    .map((each) => readListen(each, { isSsl: false, hasHttp2: false, isStream: true }));
  if (listens.length === 0)
    throw errorAt({ file: directive.file, line: directive.endLine }, 'no "listen" is defined for server');
  const pass = block.find(({ name }) => name === 'proxy_pass');
  const answer = block.find(({ name }) => name === 'return');
  if (pass === undefined && answer === undefined)
    throw errorAt({ file: directive.file, line: directive.endLine }, 'no handler for server');
  if (
    pass !== undefined &&
    !pass.args[0]!.includes('$') &&
    !/:\d+$/.test(pass.args[0]!) &&
    !pass.args[0]!.startsWith('unix:') &&
    !outer.some(({ name, args }) => name === 'upstream' && args[0] === pass.args[0])
  )
    throw errorAt(pass, `no port in upstream "${pass.args[0]}"`);
  const access = block.some(({ name }) => name === 'allow' || name === 'deny') ? block : outer;
  const logs = (block.some(({ name }) => name === 'access_log') ? block : outer).filter(
    ({ name }) => name === 'access_log',
  );
  const responses = find('proxy_responses')?.args[0];
  return {
    listens,
    proxyPass: pass === undefined ? undefined : compileTemplate(pass.args[0] ?? '', pass),
    returns: answer === undefined ? undefined : compileTemplate(answer.args[0] ?? '', answer),
    connectTimeoutMs: time('proxy_connect_timeout', '60s'),
    timeoutMs: time('proxy_timeout', '10m'),
    sendsProxyProtocol: isOn('proxy_protocol'),
    access: access.flatMap(({ name, args: [what = ''] }) =>
      name === 'allow' || name === 'deny' ? [{ allow: name === 'allow', what }] : [],
    ),
    accessLogs: logs
      .filter(({ args }) => args[0] !== 'off')
      .map((each) => readAccessLog(each, compileTemplate, definitions)),
    responses: responses === undefined ? undefined : Number(responses),
    tls: readTls(block, outer, definitions),
    proxySsl: isOn('proxy_ssl'),
    sslPreread: isOn('ssl_preread'),
  };
}
