// kubectl auth: can-i, whoami; reconcile isn't simulated.
import { CommandError } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import { resultPrinter } from '../../output/result.ts';
import { formatTable } from '../../output/table.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { unsimulated } from '../unsimulated.ts';

const KNOWN_VERBS = [
  '*',
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
  'use',
  'bind',
  'impersonate',
  'escalate',
  'approve',
  'sign',
  'attest',
  'proxy',
];
const URL_VERBS = ['*', 'get', 'post', 'put', 'patch', 'delete', 'head', 'options'];

export const auth: Command = {
  name: 'auth',
  commands: [
    { name: 'can-i', run: runCanI },
    unsimulated('reconcile', 'auth reconcile'),
    { name: 'whoami', run: runWhoami },
  ],
};

interface Review {
  readonly status?: {
    readonly allowed?: boolean;
    readonly reason?: string;
    readonly evaluationError?: string;
    readonly resourceRules?: readonly RuleRow[];
    readonly nonResourceRules?: readonly RuleRow[];
  };
}

interface RuleRow {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

async function runCanI(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  if (flags.bool('list')) return listRules(invocation);
  const [verb = '', target = ''] = args;
  if (args.length !== 2)
    throw new CommandError(
      "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
    );
  const isUrl = target.startsWith('/');
  if (isUrl && flags.string('subresource') !== '')
    throw new CommandError('--subresource can not be used with NonResourceURL');
  if (!(isUrl ? URL_VERBS : KNOWN_VERBS).includes(verb))
    await kubectl.err(`Warning: verb '${verb}' is not a known verb\n\n`);
  const spec = isUrl
    ? { nonResourceAttributes: { path: target, verb } }
    : { resourceAttributes: await attributesOf(invocation, verb, target) };
  const review = await kubectl.api.json<Review>({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec },
  });
  const allowed = review.status?.allowed === true;
  if (!flags.bool('quiet')) {
    const why = [review.status?.reason, review.status?.evaluationError].filter(
      (text) => text !== undefined && text !== '' && !allowed,
    );
    await kubectl.out(`${allowed ? 'yes' : 'no'}${why.length > 0 ? ` - ${why.join(' - ')}` : ''}\n`);
  }
  return allowed ? 0 : 1;
}

async function attributesOf(
  { kubectl, flags }: Invocation,
  verb: string,
  target: string,
): Promise<Record<string, string>> {
  const [type = '', name = ''] = target.split('/');
  const resource = type === '*' ? undefined : (await kubectl.mapper()).find(type);
  if (resource === undefined && type !== '*')
    await kubectl.err(`Warning: the server doesn't have a resource type '${type}'\n\n`);
  if (resource !== undefined && !resource.namespaced && !flags.bool('all-namespaces')) {
    await kubectl.err(
      `Warning: resource '${resource.plural}' is not namespace scoped${resource.group === '' ? '' : ` in group '${resource.group}'`}\n\n`,
    );
  }
  const [plain = '', ...group] = type.split('.');
  return {
    namespace: flags.bool('all-namespaces') ? '' : kubectl.namespace,
    verb,
    group: resource?.group ?? group.join('.'),
    resource: resource?.plural ?? plain,
    subresource: flags.string('subresource'),
    name,
  };
}

async function listRules({ kubectl, flags }: Invocation): Promise<number> {
  const review = await kubectl.api.json<Review>({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace: kubectl.namespace },
    },
  });
  const rows = [
    ...(review.status?.resourceRules ?? []).flatMap((rule) =>
      (rule.apiGroups ?? []).flatMap((group) =>
        (rule.resources ?? []).map((resource) => [
          qualified(resource, group),
          '[]',
          `[${(rule.resourceNames ?? []).join(' ')}]`,
          `[${rule.verbs.join(' ')}]`,
        ]),
      ),
    ),
    ...(review.status?.nonResourceRules ?? []).flatMap((rule) =>
      (rule.nonResourceURLs ?? []).map((url) => ['', `[${url}]`, '[]', `[${rule.verbs.join(' ')}]`]),
    ),
  ];
  await kubectl.out(
    formatTable(
      flags.bool('no-headers') ? undefined : ['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs'],
      rows,
    ),
  );
  return 0;
}

function qualified(resource: string, group: string): string {
  if (group === '') return resource;
  const [name = '', subresource] = resource.split('/');
  return `${name}.${group}${subresource === undefined ? '' : `/${subresource}`}`;
}

async function runWhoami(invocation: Invocation): Promise<number> {
  const { kubectl, flags } = invocation;
  const review = await kubectl.api.json<AnyObject>({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  if (flags.string('output') !== '') {
    const kind = {
      group: 'authentication.k8s.io',
      version: 'v1',
      plural: 'selfsubjectreviews',
      kind: 'SelfSubjectReview',
      namespaced: false,
      singular: 'selfsubjectreview',
      shortNames: [],
      categories: [],
      verbs: [],
      subresources: [],
    };
    await resultPrinter(invocation)(kind, review, '');
    return 0;
  }
  const { userInfo } = review['status'] as {
    userInfo: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> };
  };
  const rows: string[][] = [];
  if (userInfo.username) rows.push(['Username', userInfo.username]);
  if (userInfo.uid) rows.push(['UID', userInfo.uid]);
  if ((userInfo.groups ?? []).length > 0) rows.push(['Groups', `[${userInfo.groups!.join(' ')}]`]);
  for (const key of Object.keys(userInfo.extra ?? {}).sort())
    rows.push([`Extra: ${key}`, `[${userInfo.extra![key]!.join(' ')}]`]);
  await kubectl.out(formatTable(['ATTRIBUTE', 'VALUE'], rows));
  return 0;
}
