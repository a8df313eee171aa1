// Makes settings of directives: servers, locations, upstreams, maps, rewrite steps. What it finds wrong is a ConfigError.
import { ConfigError, errorAt, LateConfigError, type Directive } from './config.ts';
import { parseTime } from './directives.ts';
import {
  combinedFormat,
  defaultSettings,
  inherit,
  readErrorLog,
  readLogFormat,
  type Definitions,
} from './compile-settings.ts';
import { defaultListen, readListen, readTls } from './compile-listen.ts';
import { readUpstream } from './compile-upstream.ts';
import { readDerived } from './compile-variables.ts';
import { compileStream } from './compile-stream.ts';
import type {
  Condition,
  DerivedVariable,
  Location,
  NginxSettings,
  RewriteStep,
  Server,
  ServerName,
  Settings,
  Upstream,
} from './settings.ts';
import { compilePattern, compileTemplate, variablesOf, type Template } from './template.ts';
import { isBuiltinVariable } from './variables.ts';

/** Makes sense of a checked configuration. `prefix` is the folder of relative paths. Throws ConfigError. */
export function compile(directives: readonly Directive[], prefix: string): NginxSettings {
  const value = (name: string): string | undefined =>
    directives.findLast((directive) => directive.name === name)?.args[0];
  const workers = directives.find(({ name }) => name === 'worker_processes');
  if (workers !== undefined && workers.args[0] !== 'auto' && !/^[1-9]\d*$/.test(workers.args[0] ?? ''))
    if (!/^\d+$/.test(workers.args[0] ?? '')) throw errorAt(workers, 'invalid value');
  const errorLogs = directives
    .filter(({ name }) => name === 'error_log')
    .map((each) => readErrorLog(each, prefix));
  const events = directives.find(({ name }) => name === 'events');
  if (events === undefined) throw new LateConfigError('no "events" section in configuration');
  const connections = events.block?.find(({ name }) => name === 'worker_connections');
  if (connections !== undefined && !/^\d+$/.test(connections.args[0] ?? ''))
    throw errorAt(connections, `invalid number "${connections.args[0]}"`);
  const http = directives.find(({ name }) => name === 'http');
  const stream = directives.find(({ name }) => name === 'stream');
  const base = {
    errorLogs,
    workerProcesses: (workers?.args[0] === 'auto' ? 'auto' : Number(workers?.args[0] ?? 1)) as
      | number
      | 'auto',
    daemon: value('daemon')?.toLowerCase() !== 'off',
    masterProcess: value('master_process')?.toLowerCase() !== 'off',
    pidFile: value('pid') ?? '/var/run/nginx.pid',
    user: value('user'),
    env: directives.filter(({ name }) => name === 'env').map(({ args }) => args[0] ?? ''),
    workerConnections: Number(connections?.args[0] ?? 512),
  };
  const warnings: string[] = [];
  const inHttp =
    http === undefined
      ? { servers: [], upstreams: new Map<string, Upstream>(), variables: new Map<string, DerivedVariable>() }
      : compileHttp(http, prefix, warnings);
  return { ...base, ...inHttp, ...compileStream(stream, prefix), warnings };
}

function compileHttp(
  http: Directive,
  prefix: string,
  warnings: string[],
): Pick<NginxSettings, 'servers' | 'upstreams' | 'variables'> {
  const block = http.block ?? [];
  const used = new Set<string>();
  const definitions: Definitions = {
    prefix,
    logFormats: new Map([['combined', combinedFormat()]]),
    limitReqZones: new Map(),
    limitConnZones: new Map(),
    upstreams: new Set(block.flatMap(({ name, args }) => (name === 'upstream' ? [args[0] ?? ''] : []))),
    used,
  };
  const variables = new Map<string, DerivedVariable>();
  const upstreams = new Map<string, Upstream>();
  for (const directive of block) {
    if (directive.name === 'log_format') {
      const { name, format } = readLogFormat(directive, used);
      if (definitions.logFormats.has(name) && name !== 'combined')
        throw errorAt(directive, `duplicate "log_format" name "${name}"`);
      definitions.logFormats.set(name, format);
    } else if (directive.name === 'limit_req_zone') readReqZone(directive, definitions);
    else if (directive.name === 'limit_conn_zone') readConnZone(directive, definitions);
    else if (directive.name === 'upstream') {
      const name = directive.args[0] ?? '';
      if (upstreams.has(name)) throw errorAt(directive, `duplicate upstream "${name}"`);
      upstreams.set(name, readUpstream(directive, 80, used));
    } else if (['map', 'geo', 'split_clients'].includes(directive.name)) {
      const { name, variable } = readDerived(directive, used);
      variables.set(name, variable);
    }
  }
  const assigned = new Set<string>(variables.keys());
  for (const name of assignedByAuth(block)) assigned.add(name);
  const outer = inherit(defaultSettings(definitions), block, definitions);
  const compiler = new HttpCompiler(definitions, block, assigned);
  const servers = block
    .filter(({ name }) => name === 'server')
    .map((server) => compiler.server(server, outer));
  checkServers(servers, block, warnings);
  for (const name of used)
    if (!assigned.has(name) && !isBuiltinVariable(name)) throw new ConfigError(`unknown "${name}" variable`);
  return { servers, upstreams, variables };
}

/** The variables that auth_request_set fills, anywhere inside. */
function assignedByAuth(block: readonly Directive[]): string[] {
  return block.flatMap(({ name, args, block: inner }) => [
    ...(name === 'auth_request_set' ? [(args[0] ?? '').replace(/^\$/, '')] : []),
    ...assignedByAuth(inner ?? []),
  ]);
}

/** Two default servers of one address are an error; the same name twice is a warning. */
function checkServers(servers: readonly Server[], block: readonly Directive[], warnings: string[]): void {
  const defaults = new Set<string>();
  const names = new Set<string>();
  const directives = block.filter(({ name }) => name === 'server');
  for (const [index, server] of servers.entries()) {
    for (const listen of server.listens) {
      const key = `${listen.address}:${listen.port}`;
      if (listen.isDefault && defaults.has(key)) {
        const at = directives[index]!.block!.findLast(
          ({ name, args }) => name === 'listen' && args.some((word) => word.startsWith('default')),
        )!;
        throw errorAt(at, `a duplicate default server for ${key}`);
      }
      if (listen.isDefault) defaults.add(key);
      for (const { text } of server.names) {
        if (names.has(`${key} ${text}`))
          warnings.push(`conflicting server name "${text}" on ${key}, ignored`);
        names.add(`${key} ${text}`);
      }
    }
  }
}

function readReqZone(directive: Directive, { limitReqZones, used }: Definitions): void {
  const [key = '', ...words] = directive.args;
  const zone = /^zone=([^:]+):(\S+)$/.exec(words.find((word) => word.startsWith('zone=')) ?? '');
  if (zone === null) throw errorAt(directive, 'invalid zone size "' + (words[0] ?? '') + '"');
  const rate = words.find((word) => word.startsWith('rate='));
  const parsed = /^rate=(\d+)r\/([sm])$/.exec(rate ?? 'rate=1r/s');
  if (parsed === null || Number(parsed[1]) === 0) throw errorAt(directive, `invalid rate "${rate}"`);
  const name = zone[1]!;
  if (limitReqZones.has(name)) throw errorAt(directive, `limit_req_zone "${name}" is already bound to key`);
  const template = compileTemplate(key, directive);
  for (const each of variablesOf(template)) used.add(each);
  limitReqZones.set(name, {
    name,
    key: template,
    rate: Math.floor((Number(parsed[1]) * 1000) / (parsed[2] === 'm' ? 60 : 1)),
  });
}

function readConnZone(directive: Directive, { limitConnZones, used }: Definitions): void {
  const [key = '', zone = ''] = directive.args;
  const name = /^zone=([^:]+):/.exec(zone)?.[1];
  if (name === undefined) throw errorAt(directive, `invalid zone size "${zone}"`);
  const template = compileTemplate(key, directive);
  for (const each of variablesOf(template)) used.add(each);
  limitConnZones.set(name, { name, key: template });
}

class HttpCompiler {
  private readonly definitions: Definitions;
  private readonly http: readonly Directive[];
  private readonly assigned: Set<string>;

  constructor(definitions: Definitions, http: readonly Directive[], assigned: Set<string>) {
    this.definitions = definitions;
    this.http = http;
    this.assigned = assigned;
  }

  server(directive: Directive, outer: Settings): Server {
    const block = directive.block ?? [];
    const settings = inherit(outer, block, this.definitions);
    const find = (name: string): string | undefined =>
      (block.findLast((each) => each.name === name) ?? this.http.findLast((each) => each.name === name))
        ?.args[0];
    const isSsl = find('ssl')?.toLowerCase() === 'on';
    const hasHttp2 = find('http2')?.toLowerCase() === 'on';
    const listens = block
      .filter(({ name }) => name === 'listen')
      .map((listen) => readListen(listen, { isSsl, hasHttp2, isStream: false }));
    const seen = new Set<string>();
    for (const [index, { address, port }] of listens.entries()) {
      const key = `${address}:${port}`;
      if (seen.has(key))
        throw errorAt(block.filter(({ name }) => name === 'listen')[index]!, `a duplicate listen ${key}`);
      seen.add(key);
    }
    const tls = readTls(block, this.http, this.definitions);
    const needs = listens.find(({ ssl }) => ssl);
    if (needs !== undefined && tls.certificates.length === 0 && !tls.rejects) {
      throw errorAt(
        { file: directive.file, line: directive.line },
        'no "ssl_certificate" is defined for the "listen ... ssl" directive',
      );
    }
    const names = block.filter(({ name }) => name === 'server_name').flatMap((each) => this.names(each));
    const steps = this.steps(block, settings);
    const locations = this.locations(block, settings, undefined);
    const buffers =
      block.findLast(({ name }) => name === 'large_client_header_buffers') ??
      this.http.findLast(({ name }) => name === 'large_client_header_buffers');
    return {
      listens: listens.length > 0 ? listens : [defaultListen()],
      names: names.length > 0 ? names : [{ text: '', pattern: undefined }],
      settings,
      steps,
      locations,
      tls,
      underscores: find('underscores_in_headers')?.toLowerCase() === 'on',
      ignoresInvalid: find('ignore_invalid_headers')?.toLowerCase() !== 'off',
      mergesSlashes: find('merge_slashes')?.toLowerCase() !== 'off',
      headerTimeoutMs: parseTime(find('client_header_timeout') ?? '60s')!,
      headerBuffers: Number(buffers?.args[0] ?? 4),
      headerBufferBytes: sizeOf(buffers?.args[1] ?? '8k'),
    };
  }

  private names(directive: Directive): ServerName[] {
    return directive.args.map((text) => {
      if (text.startsWith('~')) {
        const pattern = compilePattern(text.slice(1), true, directive);
        this.assignCaptures(pattern);
        return { text, pattern };
      }
      if (/^\*(?!\.)|^\.$|\*.+\*|[^.]\*$/.test(text) && text !== '*')
        throw errorAt(
          directive,
          `invalid server name or wildcard "${text}" on 0.0.0.0:80`.replace(/ on .*$/, ''),
        );
      if (text.startsWith('/')) throw errorAt(directive, `server name "${text}" has suspicious symbols`);
      return { text: text.toLowerCase(), pattern: undefined };
    });
  }

  private assignCaptures(pattern: RegExp): void {
    for (const [, name] of pattern.source.matchAll(/\(\?<(\w+)>/g)) this.assigned.add(name!);
  }

  private locations(
    block: readonly Directive[],
    settings: Settings,
    parent: { readonly path: string; readonly kind: Location['kind'] } | undefined,
  ): Location[] {
    const seen = new Set<string>();
    const locations: Location[] = [];
    for (const directive of block) {
      if (directive.name !== 'location') continue;
      const location = this.location(directive, settings, parent);
      const key = `${location.kind === 'prefix-final' ? 'prefix' : location.kind} ${location.path}`;
      if (seen.has(key) && location.kind !== 'regex')
        throw new ConfigError(`duplicate location "${location.path}" in ${directive.file}:${directive.line}`);
      seen.add(key);
      locations.push(location);
    }
    return locations;
  }

  private location(
    directive: Directive,
    outer: Settings,
    parent: { readonly path: string; readonly kind: Location['kind'] } | undefined,
  ): Location {
    const { kind, path } = readModifier(directive);
    if (parent !== undefined) {
      if (parent.kind === 'exact')
        throw errorAt(directive, `location "${path}" cannot be inside the exact location "${parent.path}"`);
      if (parent.kind === 'named')
        throw errorAt(directive, `location "${path}" cannot be inside the named location "${parent.path}"`);
      if (kind === 'named')
        throw errorAt(directive, `named location "${path}" can be on the server level only`);
      if (kind !== 'regex' && parent.kind !== 'regex' && !path.startsWith(parent.path))
        throw errorAt(directive, `location "${path}" is outside location "${parent.path}"`);
    }
    const ignoreCase = directive.args[0]?.startsWith('~*') === true;
    const pattern = kind === 'regex' ? compilePattern(path, ignoreCase, directive) : undefined;
    if (pattern !== undefined) this.assignCaptures(pattern);
    const block = directive.block ?? [];
    const rootAndAlias = block.findLast(({ name }) => name === 'alias');
    if (rootAndAlias !== undefined && block.some(({ name }) => name === 'root'))
      throw errorAt(
        block.findLast(({ name }) => name === 'alias' || name === 'root')!,
        `"${block.findLast(({ name }) => name === 'alias' || name === 'root')!.name}" directive is duplicate, "${block.find(({ name }) => name === 'alias' || name === 'root')!.name}" directive was specified earlier`,
      );
    const settings = inherit(outer, block, this.definitions, {
      isRegexLocation: kind === 'regex' || kind === 'named',
      locationPath: path,
    });
    return {
      kind,
      path,
      pattern,
      settings,
      ignoreCase,
      steps: this.steps(block, settings),
      locations: this.locations(block, settings, { path, kind }),
      autoRedirects: path.endsWith('/') && block.some(({ name }) => name === 'proxy_pass'),
    };
  }

  private steps(block: readonly Directive[], settings: Settings): RewriteStep[] {
    return block.flatMap((directive) => this.step(directive, settings));
  }

  private template(text: string, at: Directive): Template {
    const template = compileTemplate(text, at);
    for (const name of variablesOf(template)) this.definitions.used.add(name);
    return template;
  }

  private step(directive: Directive, settings: Settings): RewriteStep[] {
    const { name, args } = directive;
    const [first = '', second = ''] = args;
    switch (name) {
      case 'set': {
        if (!first.startsWith('$')) throw errorAt(directive, `invalid variable name "${first}"`);
        this.assigned.add(first.slice(1));
        return [{ kind: 'set', name: first.slice(1), value: this.template(second, directive) }];
      }
      case 'break':
        return [{ kind: 'break' }];
      case 'return':
        return [this.returnStep(directive)];
      case 'rewrite': {
        const flag = args[2] ?? '';
        if (!['', 'last', 'break', 'redirect', 'permanent'].includes(flag))
          throw errorAt(directive, `invalid parameter "${flag}"`);
        const dropsArgs = second.endsWith('?');
        const isAbsolute = /^(?:https?:\/\/|\$scheme)/.test(second);
        const pattern = compilePattern(first, false, directive);
        this.assignCaptures(pattern);
        return [
          {
            kind: 'rewrite',
            pattern,
            target: this.template(dropsArgs ? second.slice(0, -1) : second, directive),
            flag: (flag === '' && isAbsolute ? 'redirect' : flag) as 'last',
            dropsArgs,
          },
        ];
      }
      case 'if': {
        const test = this.condition(directive);
        const inner = inherit(settings, directive.block ?? [], this.definitions, { isIf: true });
        return [{ kind: 'if', test, steps: this.steps(directive.block ?? [], inner), settings: inner }];
      }
      default:
        return [];
    }
  }

  private returnStep(directive: Directive): RewriteStep {
    const [first = '', text] = directive.args;
    if (/^\d+$/.test(first)) {
      if (Number(first) > 999) throw errorAt(directive, `invalid return code "${first}"`);
      return {
        kind: 'return',
        status: Number(first),
        text: text === undefined ? undefined : this.template(text, directive),
      };
    }
    if (text !== undefined || !/^(?:https?:\/\/|\$scheme)/.test(first))
      throw errorAt(directive, `invalid return code "${first}"`);
    return { kind: 'return', status: 302, text: this.template(first, directive) };
  }

  private condition(directive: Directive): Condition {
    const words = [...directive.args];
    const bad = (text: string): ConfigError => errorAt(directive, `invalid condition "${text}"`);
    if (words[0]?.startsWith('(') !== true) throw bad(words[0] ?? '');
    words[0] = words[0].slice(1);
    if (words[0] === '') words.shift();
    const last = words.length - 1;
    if (words[last]?.endsWith(')') !== true) throw bad(words[last] ?? '');
    words[last] = words[last].slice(0, -1);
    if (words[last] === '') words.pop();
    const [left = '', operator, right = ''] = words;
    const file = /^(!?)-([fdex])$/.exec(left);
    if (file !== null) {
      if (words.length !== 2) throw bad(left);
      return {
        kind: 'file',
        path: this.template(operator ?? '', directive),
        test: file[2] as 'f',
        negated: file[1] === '!',
      };
    }
    if (!left.startsWith('$')) throw bad(left);
    const variable = this.template(left, directive);
    if (operator === undefined) return { kind: 'true', variable };
    if (operator === '=' || operator === '!=')
      return {
        kind: 'equal',
        left: variable,
        right: this.template(right, directive),
        negated: operator === '!=',
      };
    if (/^!?~\*?$/.test(operator)) {
      const pattern = compilePattern(right, operator.endsWith('*'), directive);
      this.assignCaptures(pattern);
      return { kind: 'match', left: variable, pattern, negated: operator.startsWith('!') };
    }
    throw errorAt(directive, `unexpected "${operator}" in condition`);
  }
}

function readModifier(directive: Directive): { kind: Location['kind']; path: string } {
  const [first = '/', second] = directive.args;
  if (second !== undefined) {
    if (first === '=') return { kind: 'exact', path: second };
    if (first === '^~') return { kind: 'prefix-final', path: second };
    if (first === '~' || first === '~*') return { kind: 'regex', path: second };
    throw errorAt(directive, `invalid location modifier "${first}"`);
  }
  if (first.startsWith('=')) return { kind: 'exact', path: first.slice(1) };
  if (first.startsWith('^~')) return { kind: 'prefix-final', path: first.slice(2) };
  if (first.startsWith('~*')) return { kind: 'regex', path: first.slice(2) };
  if (first.startsWith('~')) return { kind: 'regex', path: first.slice(1) };
  return { kind: first.startsWith('@') ? 'named' : 'prefix', path: first };
}

function sizeOf(text: string): number {
  const match = /^(\d+)([kKmM]?)$/.exec(text);
  return match === null
    ? 8192
    : Number(match[1]) * { '': 1, k: 1024, m: 1_048_576 }[match[2]!.toLowerCase() as '' | 'k']!;
}
