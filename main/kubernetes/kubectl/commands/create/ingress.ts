// kubectl create ingress.
import { CommandError } from '../../frame/command-error.ts';
import type { Command } from '../../frame/command.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { generator, metadata } from './generator.ts';

/** host/path=service:port[,tls[=secret]], as create_ingress.go matches it. */
const RULE =
  /^(?<host>[^/=,]*)(?<path>\/[^=,]*)=(?<service>[a-z0-9-]+):(?<port>[a-z0-9-]+)(?<tls>,tls(=(?<secret>[^,]*))?)?$/;

interface HostRule {
  host: string;
  paths: unknown[];
}

export const createIngress: Command = generator(
  'ingress',
  { aliases: ['ing'], failure: 'ingress' },
  ({ flags }, name) => {
    const defaultBackend = flags.string('default-backend');
    const rules = flags.list('rule');
    if (defaultBackend === '' && rules.length === 0) {
      throw new CommandError(
        'not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)',
      );
    }
    const hosts: HostRule[] = [];
    const tls: { hosts?: string[]; secretName?: string }[] = [];
    for (const rule of rules) {
      const groups = RULE.exec(rule)?.groups;
      if (groups === undefined)
        throw new CommandError(
          `rule ${rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`,
        );
      const { host = '', path = '', service = '', port = '' } = groups;
      const known = hosts.find((each) => each.host === host);
      const entry = known ?? { host, paths: [] };
      if (known === undefined) hosts.push(entry);
      const isPrefix = path.endsWith('*');
      entry.paths.push({
        backend: backend(service, port),
        path: isPrefix ? path.slice(0, -1) : path,
        pathType: isPrefix ? 'Prefix' : 'Exact',
      });
      if (groups['tls'] !== undefined) {
        tls.push({
          ...(host === '' ? {} : { hosts: [host] }),
          ...(groups['secret'] === undefined || groups['secret'] === ''
            ? {}
            : { secretName: groups['secret'] }),
        });
      }
    }
    const annotations = Object.fromEntries(
      flags.list('annotation').map((pair) => {
        const equals = pair.indexOf('=');
        if (equals === -1)
          throw new CommandError(`annotation ${pair} is invalid and should be in format key=[value]`);
        return [pair.slice(0, equals), pair.slice(equals + 1)];
      }),
    );
    const className = flags.string('class');
    const [service = '', port = ''] = defaultBackend.split(':');
    return {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: metadata(name, Object.keys(annotations).length > 0 ? { annotations } : {}),
      spec: {
        ...(defaultBackend === '' ? {} : { defaultBackend: backend(service, port) }),
        ...(className === '' ? {} : { ingressClassName: className }),
        ...(hosts.length > 0
          ? { rules: hosts.map(({ host, paths }) => ({ ...(host === '' ? {} : { host }), http: { paths } })) }
          : {}),
        ...(tls.length > 0 ? { tls } : {}),
      },
      status: { loadBalancer: {} },
    } as unknown as AnyObject;
  },
);

function backend(name: string, port: string): unknown {
  return { service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } } };
}
