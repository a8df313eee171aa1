// Describes ConfigMaps, Secrets, ServiceAccounts, Namespaces, and roles with their bindings.
import type { AnyObject } from '../../rest/builder.ts';
import { member, writeOwnEvents, type Describer } from './describer.ts';
import type { StringMap } from './writer.ts';

export const describeConfigMap: Describer = async (describing) => {
  const { w, object } = describing;
  writeHead(describing);
  w.write(0, '\nData\n====\n');
  const data = (object['data'] ?? {}) as StringMap;
  for (const key of Object.keys(data).sort()) w.write(0, `${key}:\n----\n${data[key]}\n\n`);
  w.write(0, '\nBinaryData\n====\n');
  const binary = (object['binaryData'] ?? {}) as StringMap;
  for (const key of Object.keys(binary).sort())
    w.write(0, `${key}: ${Buffer.from(binary[key]!, 'base64').length} bytes\n`);
  w.write(0, '\n');
  await writeOwnEvents(describing);
};

export const describeSecret: Describer = (describing) => {
  const { w, object } = describing;
  writeHead(describing);
  w.write(0, `\nType:\t${object['type'] as string}\n\nData\n====\n`);
  const data = (object['data'] ?? {}) as StringMap;
  for (const key of Object.keys(data).sort()) {
    const bytes = Buffer.from(data[key]!, 'base64');
    const isToken = key === 'token' && object['type'] === 'kubernetes.io/service-account-token';
    w.write(0, isToken ? `${key}:\t${bytes.toString('utf8')}\n` : `${key}:\t${bytes.length} bytes\n`);
  }
};

function writeHead({ w, object }: Parameters<Describer>[0]): void {
  w.write(0, `Name:\t${object.metadata?.name}\nNamespace:\t${object.metadata?.namespace}\n`);
  w.labels('Labels', object.metadata?.labels);
  w.annotations('Annotations', object.metadata?.annotations);
}

export const describeServiceAccount: Describer = async (describing) => {
  const { kubectl, w, object } = describing;
  writeHead(describing);
  const { items } = await kubectl.api.json<{ items: AnyObject[] | null }>({
    method: 'GET',
    path: `/api/v1/namespaces/${object.metadata?.namespace}/secrets`,
    query: { fieldSelector: 'type=kubernetes.io/service-account-token' },
  });
  const tokens = (items ?? [])
    .filter(
      (secret) =>
        secret.metadata?.annotations?.['kubernetes.io/service-account.name'] === object.metadata?.name,
    )
    .map(({ metadata }) => metadata?.name ?? '');
  const names = (list: unknown): string[] => ((list ?? []) as { name: string }[]).map(({ name }) => name);
  for (const [title, list] of [
    ['Image pull secrets', names(object['imagePullSecrets'])],
    ['Mountable secrets', names(object['secrets'])],
    ['Tokens', tokens],
  ] as const) {
    if (list.length === 0) w.write(0, `${title}:\t<none>\n`);
    else list.forEach((name, index) => w.write(0, `${index === 0 ? `${title}:` : ''}\t${name}\n`));
  }
  await writeOwnEvents(describing);
};

export const describeNamespace: Describer = async ({ kubectl, w, object }) => {
  const name = object.metadata?.name ?? '';
  w.write(0, `Name:\t${name}\n`);
  w.labels('Labels', object.metadata?.labels);
  w.annotations('Annotations', object.metadata?.annotations);
  w.write(0, `Status:\t${member<{ phase: string }>(object, 'status').phase ?? ''}\n`);
  const list = async (plural: string): Promise<AnyObject[]> =>
    (
      await kubectl.api.json<{ items: AnyObject[] | null }>({
        method: 'GET',
        path: `/api/v1/namespaces/${name}/${plural}`,
      })
    ).items ?? [];
  const quotas = await list('resourcequotas');
  const ranges = await list('limitranges');
  if (quotas.length === 0) w.write(0, '\nNo resource quota.\n');
  else {
    w.write(0, '\nResource Quotas\n');
    for (const quota of quotas) {
      const { hard = {}, used = {} } = member<{ hard: StringMap; used: StringMap }>(quota, 'status');
      w.write(0, `  Name:\t${quota.metadata?.name}\n  Resource\tUsed\tHard\n  --------\t---\t---\n`);
      for (const resource of Object.keys(hard).sort())
        w.write(0, `  ${resource}\t${used[resource] ?? '0'}\t${hard[resource]}\n`);
    }
  }
  if (ranges.length === 0) w.write(0, '\nNo LimitRange resource.\n');
  else {
    w.write(
      0,
      '\nResource Limits\n Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio\n',
    );
    w.write(0, ' ----\t--------\t---\t---\t---------------\t-------------\t-----------------------\n');
    for (const range of ranges) {
      const { limits = [] } = member<{
        limits: readonly (Readonly<Record<string, StringMap | undefined>> & { type: string })[];
      }>(range, 'spec');
      for (const limit of limits) {
        const columns = ['min', 'max', 'defaultRequest', 'default', 'maxLimitRequestRatio'] as const;
        const resources = new Set(columns.flatMap((column) => Object.keys(limit[column] ?? {})));
        for (const resource of [...resources].sort())
          w.write(
            0,
            ` ${limit.type as unknown as string}\t${resource}\t${columns.map((column) => limit[column]?.[resource] ?? '-').join('\t')}\n`,
          );
      }
    }
  }
};

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

export const describeRole: Describer = ({ w, object }) => {
  w.write(0, `Name:\t${object.metadata?.name}\n`);
  w.labels('Labels', object.metadata?.labels);
  w.annotations('Annotations', object.metadata?.annotations);
  w.write(0, 'PolicyRule:\n');
  w.write(1, 'Resources\tNon-Resource URLs\tResource Names\tVerbs\n');
  w.write(1, '---------\t-----------------\t--------------\t-----\n');
  const rows = ((object['rules'] ?? []) as readonly Rule[]).flatMap((rule) => {
    const resources = (rule.apiGroups ?? []).flatMap((group) =>
      (rule.resources ?? []).map((resource) => qualified(resource, group)),
    );
    const names = `[${(rule.resourceNames ?? []).join(' ')}]`;
    const verbs = `[${rule.verbs.join(' ')}]`;
    return [
      ...resources.map((resource) => `${resource}\t[]\t${names}\t${verbs}\n`),
      ...(rule.nonResourceURLs ?? []).map((url) => `\t[${url}]\t[]\t${verbs}\n`),
    ];
  });
  for (const row of rows) w.write(1, row);
};

function qualified(resource: string, group: string): string {
  if (group === '') return resource;
  const [name = '', subresource] = resource.split('/');
  return `${name}.${group}${subresource === undefined ? '' : `/${subresource}`}`;
}

export const describeBinding: Describer = ({ w, object }) => {
  const reference = object['roleRef'] as { kind: string; name: string };
  w.write(0, `Name:\t${object.metadata?.name}\n`);
  w.labels('Labels', object.metadata?.labels);
  w.annotations('Annotations', object.metadata?.annotations);
  w.write(0, `Role:\n  Kind:\t${reference.kind}\n  Name:\t${reference.name}\nSubjects:\n`);
  w.write(1, 'Kind\tName\tNamespace\n');
  w.write(1, '----\t----\t---------\n');
  for (const { kind, name, namespace = '' } of (object['subjects'] ?? []) as readonly {
    kind: string;
    name: string;
    namespace?: string;
  }[])
    w.write(1, `${kind}\t${name}\t${namespace}\n`);
};
