// What servers listen on, and their ssl_ directives: the same in http and in stream.
import { ConfigError, errorAt, type Directive } from './config.ts';
import type { Listen, ServerTls } from './settings.ts';
import { compileTemplate } from './template.ts';

/** What a server without `listen` has. */
export function defaultListen(): Listen {
  return {
    address: '0.0.0.0',
    port: 80,
    isDefault: false,
    ssl: false,
    http2: false,
    proxyProtocol: false,
    udp: false,
    backlog: 511,
    ipv6Only: true,
  };
}

const LISTEN_FLAGS =
  /^(?:default_server|default|ssl|http2|proxy_protocol|udp|reuseport|deferred|bind|spdy|quic|(?:backlog|rcvbuf|sndbuf|accept_filter|setfib|fastopen|so_keepalive|ipv6only)=.*)$/;

/** One `listen`, of http or stream. */
export function readListen(
  directive: Directive,
  options: { readonly isSsl: boolean; readonly hasHttp2: boolean; readonly isStream: boolean },
): Listen {
  const [text = '', ...flags] = directive.args;
  const bad = flags.find((flag) => !LISTEN_FLAGS.test(flag));
  if (bad !== undefined) throw errorAt(directive, `invalid parameter "${bad}"`);
  const match = /^(?:(\[[0-9a-fA-F:.]*\]|unix:[^:]+|\*|[^:[\]]+)(?::|$))?(\d+)?$/.exec(
    /^\d+$/.test(text) ? `*:${text}` : text,
  );
  const [, host = '*', portText] = match ?? [];
  const port = portText === undefined ? 80 : Number(portText);
  if (match === null)
    throw errorAt(
      directive,
      `invalid ${text.includes(':') ? 'port' : 'host'} in "${text}" of the "listen" directive`,
    );
  if (port > 65_535 || port === 0)
    throw errorAt(directive, `invalid port in "${text}" of the "listen" directive`);
  if (options.isStream && portText === undefined && !host.startsWith('unix:'))
    throw errorAt(directive, `no port in "${text}" of the "listen" directive`);
  if (!/^(?:[\d.]+|\*|localhost|\[.*\]|unix:.*)$/.test(host))
    throw errorAt(directive, `host not found in "${text}" of the "listen" directive`);
  const backlog = flags.find((flag) => flag.startsWith('backlog='));
  return {
    address: host === '*' ? '0.0.0.0' : host === 'localhost' ? '127.0.0.1' : host.replace(/^\[|\]$/g, ''),
    port: host.startsWith('unix:') ? 0 : port,
    isDefault: flags.includes('default_server') || flags.includes('default'),
    ssl: flags.includes('ssl') || options.isSsl,
    http2: flags.includes('http2') || options.hasHttp2,
    proxyProtocol: flags.includes('proxy_protocol'),
    udp: flags.includes('udp'),
    backlog: backlog === undefined ? 511 : Number(backlog.slice(8)),
    ipv6Only: !flags.includes('ipv6only=off'),
  };
}

/** ssl_* of a server, over those of the block around it. */
export function readTls(
  block: readonly Directive[],
  outer: readonly Directive[],
  { prefix }: { readonly prefix: string },
): ServerTls {
  const all = (name: string): Directive[] => {
    const own = block.filter((each) => each.name === name);
    return own.length > 0 ? own : outer.filter((each) => each.name === name);
  };
  const one = (name: string): string | undefined => all(name).at(-1)?.args[0];
  const path = (text: string): string => (/^[/$]|^data:/.test(text) ? text : `${prefix}${text}`);
  const keys = all('ssl_certificate_key');
  const certificates = all('ssl_certificate').map((directive, index) => {
    const key = keys[index];
    if (key === undefined)
      throw new ConfigError(
        `no "ssl_certificate_key" is defined for certificate "${path(directive.args[0] ?? '')}"`,
      );
    return {
      certificate: compileTemplate(path(directive.args[0] ?? ''), directive),
      key: compileTemplate(path(key.args[0] ?? ''), key),
    };
  });
  const client = one('ssl_client_certificate');
  const protocols = all('ssl_protocols').at(-1);
  const unknown = protocols?.args.find((word) => !/^(?:SSLv[23]|TLSv1(?:\.[123])?)$/.test(word));
  if (unknown !== undefined) throw errorAt(protocols!, `invalid value "${unknown}"`);
  return {
    certificates,
    protocols: protocols?.args ?? ['TLSv1', 'TLSv1.1', 'TLSv1.2'],
    clientCertificate: client === undefined ? undefined : path(client),
    verifyClient: (one('ssl_verify_client') ?? 'off') as 'off',
    rejects: one('ssl_reject_handshake')?.toLowerCase() === 'on',
  };
}
